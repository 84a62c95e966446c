"""The queue: its order, what counts as read, what comes next; as a command too."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_cohort import example_row, write_cohort

from RetinaTriageLib.cli.main import main
from RetinaTriageLib.cohort.cohort_rows import read_cohort
from RetinaTriageLib.cohort.reading_list import (
    QueueEntry,
    QueueFilter,
    filtered,
    next_unread,
    reading_list,
)
from RetinaTriageLib.cohort.readings import Reading, record_reading


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        example_row("calm", "observation", disagreement="0.9"),
        example_row("sure", "urgent", disagreement="0.1"),
        example_row("unknown", "urgent", disagreement=""),
        example_row("doubtful", "urgent", disagreement="0.4", condition_cnv="0.8"),
        example_row("usual", "routine"),
    ]
    return write_cohort(tmp_path, rows)


def read(folder: Path, case: str, reader: str = "AB") -> None:
    record_reading(folder, read_cohort(folder), Reading(case, reader, "routine"))


def names(entries: tuple[QueueEntry, ...]) -> list[str]:
    return [entry.row.case_id for entry in entries]


def test_most_urgent_comes_first_and_ties_go_by_disagreement(folder: Path):
    expected = ["doubtful", "sure", "unknown", "usual", "calm"]
    assert names(reading_list(folder).entries) == expected


def test_blind_order_tells_nothing_of_the_answer(folder: Path):
    expected = ["calm", "doubtful", "sure", "unknown", "usual"]
    assert names(reading_list(folder, blind=True).entries) == expected


def test_each_reader_has_cases_of_their_own_to_read(folder: Path):
    read(folder, "doubtful", "AB")
    assert reading_list(folder, "AB").unread == 4
    assert reading_list(folder, "CD").unread == 5
    assert reading_list(folder).entries[0].read_by == ("AB",)


def test_filters_narrow_the_queue(folder: Path):
    read(folder, "sure")
    entries = reading_list(folder, "AB").entries
    unread = QueueFilter(referral="urgent", read=False)
    assert names(filtered(entries, unread)) == ["doubtful", "unknown"]
    assert names(filtered(entries, QueueFilter(condition="cnv"))) == ["doubtful"]


def test_next_case_is_the_unread_one_behind(folder: Path):
    read(folder, "unknown")
    entries = reading_list(folder, "AB").entries
    following = next_unread(entries, "sure")
    assert following is not None
    assert following.row.case_id == "usual"


def test_queue_starts_again_at_its_end_until_all_is_read(folder: Path):
    for case in ("sure", "unknown", "usual", "calm"):
        read(folder, case)
    last = next_unread(reading_list(folder, "AB").entries, "calm")
    assert last is not None
    assert last.row.case_id == "doubtful"
    read(folder, "doubtful")
    assert next_unread(reading_list(folder, "AB").entries, "calm") is None


def test_command_prints_the_queue(folder: Path, capsys: pytest.CaptureFixture[str]):
    read(folder, "doubtful")
    assert main(["reading-list", str(folder), "--unread", "--limit", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[1:3]] == ["sure", "unknown"]
    assert lines[-1] == "4 of 5 cases unread"


def test_command_makes_a_table(folder: Path, capsys: pytest.CaptureFixture[str]):
    main(["reading-list", str(folder), "--csv"])
    assert capsys.readouterr().out.splitlines()[1].startswith("1,doubtful,urgent,0.70,0.400,cnv,")


def test_terminal_is_not_steered_by_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    main(["reading-list", str(write_cohort(tmp_path, [example_row("a\x1b[2Jb")]))])
    assert "\x1b" not in capsys.readouterr().out
