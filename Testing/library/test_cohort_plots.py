"""Summary plots: those that the table has something for, and visits of one eye."""

from __future__ import annotations

from pathlib import Path

from example_cohort import drawn_rows, example_row, write_cohort
from PIL import Image

from RetinaTriageLib.cohort.cohort_rows import read_cohort
from RetinaTriageLib.cohort.plots import PLOTS, write_plots
from RetinaTriageLib.cohort.visits import repeated_eyes


def test_full_table_has_every_plot(tmp_path: Path):
    paths = write_plots(write_cohort(tmp_path, drawn_rows(40)))
    assert [path.name for path in paths] == list(PLOTS)
    assert all(Image.open(path).size == (616, 396) for path in paths)


def test_plot_without_values_is_not_left_behind(tmp_path: Path):
    write_plots(write_cohort(tmp_path, drawn_rows(10)))
    write_cohort(tmp_path, [example_row("eye")])
    assert {path.name for path in write_plots(tmp_path)} == {
        "referral_scores.png",
        "disagreement.png",
    }


def test_empty_cohort_has_no_plots(tmp_path: Path):
    assert write_plots(write_cohort(tmp_path, [])) == ()


def test_visits_of_an_eye_are_in_order_of_time(tmp_path: Path):
    known = {"patient_id": "P1", "central_subfield_um": "300"}
    rows = [
        example_row("late", **known, visit_date="2025-03-02"),
        example_row("early", **known, visit_date="2025-03-01"),
        example_row("other eye", **known | {"laterality": "OS"}, visit_date="2025-03-05"),
        example_row("no date", **known),
    ]
    (eye,) = repeated_eyes(read_cohort(write_cohort(tmp_path, rows)).rows)
    assert [row.case_id for row in eye.rows] == ["early", "late"]
    assert eye.days == (0, 1)


def test_scans_of_one_day_are_no_follow_up(tmp_path: Path):
    same = {"patient_id": "P1", "visit_date": "2025-03-01"}
    rows = [example_row("one", **same), example_row("two", **same)]
    assert repeated_eyes(read_cohort(write_cohort(tmp_path, rows)).rows) == ()
