from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from makers.dicom import write_single_frames
from makers.heidelberg import write_heidelberg_xml
from makers.scan import made_scan
from scan_files import speckle, write_grid, write_picture, write_segmentation, write_tiff_stack

from RetinaTriageLib.cohort.discover import find_scans
from RetinaTriageLib.cohort.duplicates import without_duplicates
from RetinaTriageLib.cohort.listing import read_list
from RetinaTriageLib.cohort.run_cohort import find_inputs
from RetinaTriageLib.cohort.units import Facts, Unit, case_id, failure_of
from RetinaTriageLib.errors import InputError

HEADER = "file,series,patient,visit_date,age,sex,laterality,spacing_um,comment\n"


def names(folder: Path) -> list[str]:
    return [unit.name for unit in find_scans(folder, folder / "out").units]


def listed(folder: Path, *rows: str):
    path = folder / "list.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    return read_list(path)


def test_scans_are_found_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b.nrrd", "deep/er/a.nii.gz", "a.vol"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert names(tmp_path) == ["a.vol", "b.nrrd", "deep/er/a.nii.gz"]


def test_results_hidden_files_and_labels_are_no_scans(tmp_path: Path) -> None:
    write_grid(tmp_path / "eye.nrrd", speckle())
    write_segmentation(tmp_path / "eye.seg.nrrd", speckle() // 200)
    for name in ("out/cases/x/maps.nrrd", ".hidden.nrrd", "notes.txt", "other.xml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text", encoding="utf-8")
    found = find_scans(tmp_path, tmp_path / "out")
    assert [unit.name for unit in found.units] == ["eye.nrrd"]
    assert found.left_out == {".nrrd": 1, ".txt": 1, ".xml": 1}


def test_pictures_of_bscans_are_one_scan_and_stacks_are_several(tmp_path: Path) -> None:
    for folder in ("bscans", "stacks"):
        (tmp_path / folder).mkdir()
    for number in range(2):
        write_picture(tmp_path / "bscans" / f"{number}.png", speckle()[0])
        write_tiff_stack(tmp_path / "stacks" / f"{number}.tif", speckle())
    assert names(tmp_path) == ["bscans", "stacks/0.tif", "stacks/1.tif"]


def test_pictures_of_an_export_belong_to_it(tmp_path: Path) -> None:
    write_heidelberg_xml(tmp_path / "export", made_scan())
    assert names(tmp_path) == [
        next((tmp_path / "export").glob("*.xml")).relative_to(tmp_path).as_posix()
    ]


def test_dicom_files_of_a_folder_are_read_together(tmp_path: Path) -> None:
    write_single_frames(tmp_path / "series", made_scan())
    (tmp_path / "series" / "broken.dcm").write_bytes(b"no DICOM")
    assert names(tmp_path) == ["series", "series/broken.dcm"]


def test_folder_without_scans_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Found no scan"):
        find_scans(tmp_path, tmp_path / "out")


def test_list_tells_what_is_known_of_each_eye(tmp_path: Path) -> None:
    found = listed(tmp_path, "eye.nrrd,2,P7,2026-11-21,71,F,left,120 3.9 11.7,fine")
    facts = Facts("P7", "2026-11-21", 71.0, "female", None, "OS", None, (120.0, 3.9, 11.7))
    assert found.units == (Unit("eye.nrrd", tmp_path / "eye.nrrd", 2, facts),)
    assert found.unused == ("comment",)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a.nrrd,,,,old", "Found age 'old'; expected years"),
        ("a.nrrd,,,,200", "Found age 200"),
        ("a.nrrd,,,21.11.2026", "Found visit_date"),
        ("a.nrrd,zero", "Found series"),
        ("a.nrrd,,,,,,both", "Found laterality"),
        ("a.nrrd,,,,,,,1 2", "Found spacing_um"),
    ],
)
def test_row_that_cannot_be_used_is_a_failure_and_the_others_are_kept(
    row: str, reason: str, tmp_path: Path
) -> None:
    found = listed(tmp_path, row, "b.nrrd")
    assert [unit.name for unit in found.units] == ["b.nrrd"]
    assert found.failures[0].reason.startswith(reason)


def test_scan_that_is_listed_twice_is_worked_once(tmp_path: Path) -> None:
    found = listed(tmp_path, "a.nrrd,1", "a.nrrd,2", "a.nrrd,1", "a.nrrd")
    assert [unit.series for unit in found.units] == [1, 2]
    assert all("more than once" in failure.reason for failure in found.failures)


def test_list_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("name\na\n", encoding="utf-8")
    with pytest.raises(InputError, match="expected file"):
        read_list(tmp_path / "list.csv")


def test_equal_content_is_worked_once_whatever_its_name(tmp_path: Path) -> None:
    paths = [write_grid(tmp_path / f"{name}.nrrd", speckle(seed=1)) for name in "ab"]
    paths.append(write_grid(tmp_path / "c.nrrd", speckle(seed=2)))
    kept, failures = without_duplicates([Unit(path.name, path) for path in paths])
    assert [unit.name for unit in kept] == ["a.nrrd", "c.nrrd"]
    assert failures[0].reason == "b.nrrd has the same content as a.nrrd."
    assert failures[0].what_to_do == "Leave one of them out."


def test_equal_folders_are_duplicates_and_series_of_one_file_are_not(tmp_path: Path) -> None:
    write_single_frames(tmp_path / "a", made_scan())
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    a, b = Unit("a", tmp_path / "a", 1), Unit("b", tmp_path / "b", 1)
    kept, failures = without_duplicates([a, replace(a, series=2), b])
    assert [unit.series for unit in kept] == [1, 2]
    assert [failure.file for failure in failures] == ["b"]


def test_missing_file_is_left_to_its_reader(tmp_path: Path) -> None:
    unit = Unit("none.nrrd", tmp_path / "none.nrrd")
    assert without_duplicates([unit]) == ((unit,), ())


def test_stated_facts_fill_in_what_a_list_leaves_open(tmp_path: Path) -> None:
    listed(tmp_path, "a.nrrd,,,,,,OD,10 4 11", "b.nrrd")
    common = Facts(scanner="cirrus", spacing_um=(120.0, 4.0, 11.0))
    first, second = find_inputs(tmp_path / "list.csv", tmp_path / "out", common).units
    assert (first.facts.scanner, first.facts.spacing_um) == ("cirrus", (10.0, 4.0, 11.0))
    assert second.facts == common


def test_case_names_tell_files_of_one_name_apart() -> None:
    here = Path()
    found = {
        case_id(Unit(name, here), series)
        for name in ("a/eye.nrrd", "b/eye.nrrd", "eye.vol")
        for series in (None, 1, 2)
    }
    assert len(found) == 9
    assert all(name.startswith("eye-") for name in found)
    assert case_id(Unit("..", here), None).startswith("case-")


def test_remedy_of_an_error_is_its_last_clause() -> None:
    failure = failure_of(Unit("a", Path("a")), "Found 3; expected 4. Export it again.")
    assert failure.reason == "Found 3; expected 4."
    assert failure.what_to_do == "Export it again."


def test_question_is_no_remedy_and_no_path_of_this_machine_is_told() -> None:
    unit = Unit("deep/a.nrrd", Path("/home/of/somebody/deep/a.nrrd"))
    failure = failure_of(unit, "/home/of/somebody/deep/a.nrrd is odd. Is it damaged?")
    assert failure.reason == "a.nrrd is odd. Is it damaged?"
    assert failure.what_to_do == "Copy or export the file again."


def test_empty_files_are_left_to_their_readers(tmp_path: Path) -> None:
    for name in ("a.nrrd", "b.vol"):
        (tmp_path / name).touch()
    kept, failures = without_duplicates([Unit(n, tmp_path / n) for n in ("a.nrrd", "b.vol")])
    assert (len(kept), failures) == (2, ())
