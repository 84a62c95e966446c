"""An edited map in the sections that show, explain, draw and export maps."""

from pathlib import Path
from typing import Any

from browser_steps import row_of
from judge_again_steps import COPY, FLUID, browser_of, remove_pocket, show_tools
from panel_steps import wait_until
from RetinaTriageSlicer.browser_views import SURFACE
from RetinaTriageSlicer.etdrs_overlay import findFovea
from RetinaTriageSlicer.places import pointOf

from RetinaTriageLib.labels.slicer_pairs import read_codes
from RetinaTriageLib.readers.registry import read_volume


def test_edited_map_is_offered_wherever_maps_are_chosen(panel: Any, again: Any):
    show_tools(panel)
    again.copyChosen()
    tools = panel.tools
    for box in (tools.explain.mapBox, tools.surfaces.mapBox, tools.export.mapBox):
        wait_until(lambda box=box: box.findText(COPY) >= 0)


def test_edited_map_is_explained_and_drawn(panel: Any, again: Any):
    show_tools(panel)
    copy = remove_pocket(panel, again)
    tools = panel.tools
    wait_until(lambda: tools.explain.mapBox.findText(COPY) >= 0)
    for section in (tools.explain, tools.surfaces):
        section.mapBox.setCurrentIndex(section.mapBox.findText(COPY))
    assert not (tools.explain._readCase().labels(tools.explain._map()) == FLUID).any()
    tools.surfaces.drawButton.click()
    assert copy.GetSegmentation().ContainsRepresentation(SURFACE)


def test_edited_map_becomes_a_training_pair(panel: Any, again: Any, tmp_path: Path):
    show_tools(panel)
    remove_pocket(panel, again)
    export = panel.tools.export
    wait_until(lambda: export.mapBox.findText(COPY) >= 0)
    export.mapBox.setCurrentIndex(export.mapBox.findText(COPY))
    export.folderEdit.currentPath = str(tmp_path)
    for check in (export.htmlCheck, export.pdfCheck, export.viewCheck, export.tableCheck):
        check.checked = False
    export.pairCheck.checked = True
    export.writeButton.click()
    for check in (export.htmlCheck, export.pdfCheck, export.viewCheck, export.tableCheck):
        check.checked = True
    export.pairCheck.checked = False
    scan = tmp_path / "example_eye" / "example_eye.nrrd"
    codes = read_codes(read_volume(scan), scan)
    assert (codes == 3).any()
    assert not (codes == FLUID).any()


def test_sectors_and_sizes_follow_the_moved_fovea(panel: Any, again: Any):
    result = show_tools(panel)
    panel.tools.maps.drawButton.click()
    remove_pocket(panel, again)
    browser = browser_of(panel)
    browser.places.kindBox.setCurrentIndex(1)
    browser.places.refresh()
    sector = browser.places.table.item(0, 3).text()
    thickness = row_of(again.sizeTable, "Retina, thickness C0 (um)")
    case = panel.tools.maps.thickness.case
    place = pointOf(case.volumeNode, case.grid, case.volume.shape[1], (2.0, 60.0, 20.0))
    findFovea(result).SetNthControlPointPositionWorld(0, *place)
    wait_until(lambda: row_of(again.sizeTable, "Retina, thickness C0 (um)") != thickness)
    wait_until(lambda: browser.places.table.item(0, 3).text() != sector)
    browser.places.kindBox.setCurrentIndex(0)
