"""A reading session through the panel: open, read, decide, go on, compare."""

import csv
from pathlib import Path
from typing import Any

import pytest
import slicer
from cohort_steps import REFERRALS, small_cohort
from example_cohort import drawn_rows, write_cohort
from RetinaTriageSlicer.scene import findResults
from RetinaTriageSlicer.widgets import SCROLL_BAR_PX
from slicer_host.main_window import PANEL_PX

from RetinaTriageLib.cohort.readings import read_readings

CASES = [f"{number:010x}" for number in range(len(REFERRALS))]
ROUTINE, URGENT, OBSERVATION = CASES


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    return small_cohort(tmp_path)


@pytest.fixture
def reading(panel: Any, cohort: Path) -> Any:
    """Section whose fields are filled in."""
    section = panel.reading
    section.folderEdit.currentPath = str(cohort)
    section.scansEdit.currentPath = str(cohort.parent / "scans")
    section.readerEdit.text = "AB"
    for check in (section.blindCheck, section.patientCheck):
        check.setChecked(False)
    yield section
    section.close()


def rows(section: Any, column: int = 0) -> list[str]:
    table = section.queue.table
    return [table.item(row, column).text() for row in range(table.rowCount)]


def decide(section: Any, referral: str, *conditions: str, comment: str = "") -> None:
    for name in conditions:
        section.decision.checks[name].setChecked(True)
    section.decision.commentEdit.text = comment
    assert section.decision.buttons[referral].isEnabled()
    section.decision.buttons[referral].click()


def test_queue_shows_the_most_urgent_first(reading: Any):
    reading.openButton.click()
    assert rows(reading) == [f"1: {URGENT}", f"2: {ROUTINE}", f"3: {OBSERVATION}"]
    assert rows(reading, 1) == ["Urgent", "Routine", "Observation only"]
    assert "0 of 3 cases read" in reading.stateLabel.text


def test_next_case_comes_with_verdict_and_browser(panel: Any, reading: Any):
    reading.nextButton.click()
    (result,) = findResults()
    assert panel.ui.inputSelector.currentNode() is result.volumeNode
    assert result.volumeNode.GetName() == f"case {URGENT}"
    assert "Referral urgency" in panel.ui.verdictLabel.text
    assert "Model: urgent 0.70; choroidal neovascularization." in reading.stateLabel.text
    assert panel.tools.nodes.case == result.case


def test_decision_is_recorded_and_the_next_case_comes(panel: Any, reading: Any, cohort: Path):
    reading.nextButton.click()
    decide(reading, "semi_urgent", "cnv", "drusen", comment="fluid below the fovea")
    (written,) = read_readings(cohort)
    assert (written.reader, written.referral) == ("AB", "semi_urgent")
    assert written.conditions == ("cnv", "drusen")
    assert written.comment == "fluid below the fovea"
    assert written.model_shown
    assert panel.ui.inputSelector.currentNode().GetName() == f"case {ROUTINE}"
    assert len(findResults()) == 1


def test_fields_are_empty_for_the_next_case(reading: Any):
    reading.nextButton.click()
    decide(reading, "urgent", "cnv", comment="first")
    assert reading.decision.commentEdit.text == ""
    assert not any(check.checked for check in reading.decision.checks.values())


def test_what_is_typed_stays_where_a_filter_changes(reading: Any):
    reading.nextButton.click()
    reading.decision.commentEdit.text = "half a sent"
    reading.queue.readBox.setCurrentIndex(1)
    assert reading.decision.commentEdit.text == "half a sent"


def test_read_case_shows_its_decision_and_can_be_changed(reading: Any, cohort: Path):
    reading.nextButton.click()
    decide(reading, "urgent", "cnv", comment="seen")
    reading.queue.table.selectRow(0)
    reading.loadButton.click()
    assert reading.decision.buttons["urgent"].text == "Urgent (so far)"
    assert reading.decision.checks["cnv"].checked
    decide(reading, "routine")
    assert [one.referral for one in read_readings(cohort)] == ["urgent", "routine"]


def test_session_ends_with_an_empty_scene_and_the_agreement(reading: Any, cohort: Path):
    reading.nextButton.click()
    for referral in ("urgent", "routine", "routine"):
        decide(reading, referral)
    assert "All of these cases are read" in reading.label.text
    assert findResults() == ()
    assert not reading.decision.buttons["urgent"].isEnabled()
    reading.agreementButton.click()
    assert "AB and model: same referral in 2 of 3 cases" in reading.label.text
    (table,) = (
        node
        for node in slicer.util.getNodesByClass("vtkMRMLTableNode")
        if node.GetName() == "Agreement of readers"
    )
    with (cohort / "agreement.csv").open(newline="") as file:
        (row, *_others) = csv.DictReader(file)
    assert float(table.GetCellText(0, 7)) == pytest.approx(float(row["kappa"]), abs=1e-5)


def test_filters_choose_what_comes_next(panel: Any, reading: Any):
    reading.openButton.click()
    reading.queue.referralBox.setCurrentIndex(4)
    assert rows(reading) == [f"3: {OBSERVATION}"]
    reading.nextButton.click()
    assert panel.ui.inputSelector.currentNode().GetName() == f"case {OBSERVATION}"


def test_patient_data_are_shown_only_where_asked_for(reading: Any):
    reading.nextButton.click()
    table = reading.queue.table
    assert table.isColumnHidden(5)
    assert "P1" not in reading.stateLabel.text
    reading.patientCheck.setChecked(True)
    assert not table.isColumnHidden(5)
    assert "P1, 61 years, Miller_two.nrrd" in reading.stateLabel.text


def test_blind_reader_sees_no_answer(panel: Any, reading: Any, cohort: Path):
    reading.blindCheck.setChecked(True)
    reading.nextButton.click()
    assert findResults() == ()
    assert panel.ui.verdictButton.isHidden()
    assert [reading.queue.table.isColumnHidden(at) for at in (1, 3, 4)] == [True] * 3
    assert "Model" not in reading.stateLabel.text
    assert sorted(rows(reading)) == rows(reading)
    decide(reading, "routine")
    (written,) = read_readings(cohort)
    assert not written.model_shown


def test_maps_alone_can_be_read(panel: Any, reading: Any, tmp_path: Path):
    reading.scansEdit.currentPath = str(tmp_path / "elsewhere")
    reading.nextButton.click()
    assert "Only the tissue maps were loaded" in reading.label.text
    assert "Referral urgency" in panel.ui.verdictLabel.text
    (result,) = findResults()
    assert panel.browser.browser.result.case == result.case
    decide(reading, "urgent")
    assert len(findResults()) == 1


def test_several_readers_have_queues_of_their_own(reading: Any):
    reading.nextButton.click()
    decide(reading, "urgent")
    reading.readerEdit.text = "CD"
    reading.openButton.click()
    assert "0 of 3 cases read" in reading.stateLabel.text
    assert rows(reading, 2)[0] == "by AB"


@pytest.mark.parametrize(
    ("folder", "reader", "said"),
    [("", "AB", "Choose the folder"), ("nowhere", "AB", "cannot be read"), (None, " ", "Say who")],
)
def test_session_that_cannot_start_says_why(
    reading: Any, tmp_path: Path, folder: str | None, reader: str, said: str
):
    if folder is not None:
        reading.folderEdit.currentPath = str(tmp_path / folder) if folder else ""
    reading.readerEdit.text = reader
    reading.openButton.click()
    assert said in reading.label.text
    assert reading.session is None


def test_closed_scene_ends_the_case_not_the_session(reading: Any):
    reading.nextButton.click()
    slicer.mrmlScene.Clear(False)
    assert not reading.decision.buttons["urgent"].isEnabled()
    reading.nextButton.click()
    assert len(findResults()) == 1


def test_long_queue_is_cut_in_the_table_alone(reading: Any, tmp_path: Path):
    reading.folderEdit.currentPath = str(write_cohort(tmp_path / "many", drawn_rows(600)))
    reading.openButton.click()
    assert reading.queue.table.rowCount == 500
    assert "0 of 600 cases read" in reading.stateLabel.text


def test_open_section_needs_no_sideways_scrolling(reading: Any):
    reading.nextButton.click()
    margins = 40  # of the panel around its sections
    assert reading.button.minimumSizeHint().width() <= PANEL_PX - SCROLL_BAR_PX - margins
