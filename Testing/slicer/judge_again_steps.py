"""What a user does to edit a tissue map and have it judged again, as steps of tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from panel_steps import wait_until

EDEMA = "Macular retinal edema"
COPY = "example_eye hypothesis 1 edited"
FLUID = 4


def browser_of(panel: Any) -> Any:
    browser = panel.browser.browser
    browser.places.refresh()
    return browser


def show_tools(panel: Any) -> Any:
    """Choose the volume, so that the sections below show its result, which is given back."""
    result = panel.browser.browser.result
    panel.ui.inputSelector.setCurrentNode(result.volumeNode)
    panel.enter()
    return result


def remove_pocket(panel: Any, again: Any) -> Any:
    """Choose the first pocket and remove it; gives the edited map."""
    browser = browser_of(panel)
    browser.places.table.setCurrentCell(0, 0)
    again.removeButton.click()
    wait_until(lambda: not again.busy)
    return browser.chosenMap


def erase_fluid(node: Any) -> None:
    """Erase fluid as the Segment Editor does: the voxels then belong to no segment."""
    empty = np.zeros(slicer.util.arrayFromVolume(node.GetNodeReference("RetinaTriage.Input")).shape)
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        empty.astype(np.uint8),
        node,
        "intraretinal_fluid",
        node.GetNodeReference("RetinaTriage.Input"),
    )
