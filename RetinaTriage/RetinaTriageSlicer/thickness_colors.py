"""Color table of thickness maps: thin is blue, thick is red and then white, as on scanners."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

NAME = "RetinaTriage thickness"
COLORS = 256
# Share of the range to color; equal steps between neighbors in between.
STOPS = (
    (0.0, (0.05, 0.05, 0.35)),
    (0.2, (0.1, 0.35, 0.85)),
    (0.4, (0.1, 0.75, 0.75)),
    (0.55, (0.3, 0.8, 0.3)),
    (0.7, (0.95, 0.9, 0.2)),
    (0.88, (0.85, 0.15, 0.1)),
    (1.0, (1.0, 0.95, 0.95)),
)


def thicknessColors() -> Any:
    """Color node of the scene; made when first needed, and saved with the scene."""
    found = slicer.util.getFirstNodeByClassByName("vtkMRMLColorTableNode", NAME)
    if found is not None:
        return found
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLColorTableNode", NAME)
    node.SetTypeToUser()
    node.SetNumberOfColors(COLORS)
    shares = [share for share, _color in STOPS]
    at = np.linspace(0, 1, COLORS)
    channels = [
        np.interp(at, shares, [color[part] for _share, color in STOPS]) for part in range(3)
    ]
    for index, (red, green, blue) in enumerate(zip(*channels, strict=True)):
        node.SetColor(index, str(index), red, green, blue, 1.0)
    return node
