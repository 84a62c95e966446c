"""The page of a cohort: what it holds, and that nothing of a file becomes markup."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from example_cohort import drawn_rows, example_row, write_cohort

from RetinaTriageLib.cohort.index_page import write_index
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.result import RESEARCH_USE

HOSTILE = '</script><img src=x onerror=alert(1)>"&\u2028'


def page(folder: Path) -> str:
    return write_index(folder).read_text(encoding="utf-8")


def data(text: str) -> Any:
    found = re.search(r'id="cohort-data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_every_case_is_in_the_data(tmp_path: Path):
    text = page(write_cohort(tmp_path, drawn_rows(30)))
    assert [row["id"] for row in data(text)["rows"]] == [f"case_{at:04d}" for at in range(1, 31)]
    assert text.count(RESEARCH_USE) == 2


def test_links_are_relative_and_only_to_files_that_are_there(tmp_path: Path):
    case = tmp_path / "cases" / "eye #1"
    case.mkdir(parents=True)
    (case / "report.html").touch()
    write_cohort(tmp_path, [example_row("eye #1"), example_row("gone")])
    first, second = data(page(tmp_path))["rows"]
    assert first["report"] == "cases/eye%20%231/report.html"
    assert (first["thumbnail"], second["report"]) == ("", "")


@pytest.mark.parametrize("column", ["case_id", "file", "notes", "device", "patient_id"])
def test_hostile_text_stays_text(tmp_path: Path, column: str):
    row = example_row("eye") | {column: HOSTILE}
    text = page(write_cohort(tmp_path, [row], [{"file": HOSTILE, "reason": HOSTILE}]))
    assert "<img" not in text
    assert HOSTILE[:-1] in json.dumps(data(text), ensure_ascii=False).replace('\\"', '"')


@pytest.mark.parametrize(
    "name", ["../../secret", "..", "a/b", "a\\b", "C:x", "javascript:alert(1)"]
)
def test_case_name_never_leads_elsewhere(tmp_path: Path, name: str):
    (row,) = data(page(write_cohort(tmp_path, [example_row(name)])))["rows"]
    assert (row["report"], row["thumbnail"]) == ("", "")


def test_failures_are_listed_with_their_reason(tmp_path: Path):
    failure = {"file": "bad.vol", "reason": "The file ends too early."}
    text = page(write_cohort(tmp_path, [], [failure]))
    assert "<td>bad.vol</td>" in text
    assert "The file ends too early." in text


def test_page_loads_nothing_from_elsewhere(tmp_path: Path):
    text = page(write_cohort(tmp_path, drawn_rows(3)))
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", text)


def test_normal_gives_way_to_a_condition(tmp_path: Path):
    both = {"condition_normal": "0.9", "condition_cnv": "0.6"}
    rows = [example_row("one", **both), example_row("two", condition_normal="0.9")]
    found = data(page(write_cohort(tmp_path, rows)))
    titles = [[found["conditions"][at] for at, _ in row["conditions"]] for row in found["rows"]]
    assert titles == [["Choroidal neovascularization"], ["Normal"]]


def test_cell_that_is_no_number_is_unknown(tmp_path: Path):
    row = example_row("eye", central_subfield_um="nan", disagreement="none")
    (shown,) = data(page(write_cohort(tmp_path, [row])))["rows"]
    assert (shown["cst"], shown["disagreement"], shown["fluid"]) == (None, None, None)


def test_folder_without_table_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"cohort\.csv cannot be read"):
        write_index(tmp_path)
