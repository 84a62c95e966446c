"""Draw the icon of the extension: a B-scan through the fovea, half gray, half tissue map.

Run ``python Resources/draw_icon.py``; it writes ``Resources/RetinaTriage.png`` (128 px) and the
module's icon.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from RetinaTriageLib.tissues import TISSUE_BY_NAME

SIZE = 128
OVERSAMPLING = 8
CORNER = 0.19
HERE = Path(__file__).parent
TARGETS = (
    HERE / "RetinaTriage.png",
    HERE.parent / "RetinaTriage" / "Resources" / "Icons" / "RetinaTriage.png",
)

# Layers from the inner surface outwards: share of the retina, gray value.
LAYERS = ((0.0, 0.78), (0.13, 0.45), (0.34, 0.62), (0.47, 0.26), (0.56, 0.5), (0.66, 0.22))
RPE_GRAY, CHOROID_GRAY, VITREOUS_GRAY = 0.97, 0.48, 0.05
RPE_THICKNESS = 0.055

FloatImage = npt.NDArray[np.float64]


def draw() -> Image.Image:
    """Icon of 128 px with transparent corners."""
    count = SIZE * OVERSAMPLING
    along = (np.arange(count) + 0.5) / count
    width, depth = np.meshgrid(along, along)
    pit = np.exp(-(((width - 0.5) / 0.15) ** 2))
    swell = np.exp(-(((width - 0.5) / 0.3) ** 2))
    floor = 0.7 + 0.05 * (1 - (2 * width - 1) ** 2)
    rpe = floor - 0.07 * np.exp(-(((width - 0.8) / 0.07) ** 2))  # lifted by a druse
    bruch = floor + RPE_THICKNESS
    inner = floor - 0.36 - 0.09 * swell + 0.28 * pit
    rgb = np.where(
        (width < 0.5)[..., None],
        _gray(depth, inner, rpe, bruch)[..., None].repeat(3, 2),
        _tissues(depth, width, inner, rpe, bruch),
    )
    rgb[np.abs(width - 0.5) < 0.008] = 1.0
    inside = _rounded_square(width, depth)
    pixels = np.dstack([rgb, inside]).reshape(SIZE, OVERSAMPLING, SIZE, OVERSAMPLING, 4)
    mean = pixels.mean(axis=(1, 3))
    return Image.fromarray(np.round(mean * 255).astype(np.uint8), "RGBA")


def _gray(depth: FloatImage, inner: FloatImage, rpe: FloatImage, bruch: FloatImage) -> FloatImage:
    gray = np.full(depth.shape, VITREOUS_GRAY)
    share = (depth - inner) / (rpe - inner)
    for start, level in LAYERS:
        gray[(share >= start) & (share < 1)] = level
    gray[(depth >= rpe) & (depth < rpe + RPE_THICKNESS)] = RPE_GRAY
    below = depth >= bruch
    gray[below] = CHOROID_GRAY * np.exp(-3.2 * (depth - bruch)[below])
    return gray


def _tissues(
    depth: FloatImage, width: FloatImage, inner: FloatImage, rpe: FloatImage, bruch: FloatImage
) -> FloatImage:
    rgb = np.empty((*depth.shape, 3))
    rgb[:] = _color("vitreous_subhyaloid")
    rgb[depth >= inner] = _color("neurosensory_retina")
    cysts = ((0.635, 0.53, 0.045, 0.055), (0.575, 0.6, 0.03, 0.035), (0.73, 0.48, 0.034, 0.04))
    for at, deep, wide, tall in cysts:
        cyst = ((width - at) / wide) ** 2 + ((depth - deep) / tall) ** 2 < 1
        rgb[cyst] = _color("intraretinal_fluid")
    rgb[depth >= rpe] = _color("rpe")
    rgb[depth >= rpe + RPE_THICKNESS] = _color("drusenoid_ped")
    rgb[depth >= bruch] = _color("choroid_outer")
    return rgb


def _color(tissue: str) -> npt.NDArray[np.float64]:
    return np.array(TISSUE_BY_NAME[tissue].color) / 255


def _rounded_square(width: FloatImage, depth: FloatImage) -> FloatImage:
    beyond = [np.maximum(np.abs(at - 0.5) - (0.5 - CORNER), 0) for at in (width, depth)]
    return (np.hypot(*beyond) <= CORNER).astype(np.float64)


if __name__ == "__main__":
    for target in TARGETS:
        target.parent.mkdir(parents=True, exist_ok=True)
        draw().save(target, optimize=True)
