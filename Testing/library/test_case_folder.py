import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_case import example_case

from RetinaTriageLib.errors import InputError, OutputError
from RetinaTriageLib.volume import VoxelSpacing
from RetinaTriageLib.writers.case_folder import require_free_folder, write_case


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write_hello(path: Path) -> None:
    path.write_text("hello", encoding="utf-8")


def test_case_has_all_its_files(tmp_path):
    write_case(example_case(), tmp_path / "case", {"report.html": write_hello})
    assert sorted(contents(tmp_path / "case")) == [
        "consensus.seg.nrrd",
        "etdrs.csv",
        "hypothesis_1.seg.nrrd",
        "hypothesis_2.seg.nrrd",
        "maps.npz",
        "opinions.csv",
        "report.html",
        "result.json",
        "scores.csv",
        "tissues.csv",
    ]


def test_paths_lead_to_the_files(tmp_path):
    paths = write_case(example_case(), tmp_path / "case", {"report.html": write_hello})
    files = (
        paths.result_json,
        paths.consensus,
        *paths.hypotheses,
        *paths.tables.values(),
        paths.maps,
        *paths.extras.values(),
    )
    assert {path.name for path in files} == set(contents(paths.folder))
    assert all(path.parent == paths.folder for path in files)


def test_result_lists_the_files(tmp_path):
    paths = write_case(example_case(), tmp_path / "case", {"report.html": write_hello})
    fields = json.loads(paths.result_json.read_text(encoding="utf-8"))
    assert set(fields["files"]) == set(contents(paths.folder))


def test_maps_are_kept_as_arrays(tmp_path):
    case = example_case()
    with np.load(write_case(case, tmp_path / "case").maps) as maps:
        assert sorted(maps) == ["disagreement", "enface", "thickness_um_retina"]
        np.testing.assert_array_equal(
            maps["thickness_um_retina"], case.measurements.thickness_um["retina"]
        )


def test_maps_without_spacing_are_arrays_and_the_result_says_so(tmp_path):
    case = example_case(spacing=None)
    paths = write_case(case, tmp_path / "case")
    np.testing.assert_array_equal(np.load(paths.hypotheses[1]), case.hypotheses[1].tissue_map)
    notes = json.loads(paths.result_json.read_text(encoding="utf-8"))["provenance"]["notes"]
    assert "spacing is unknown" in notes[0]


def test_single_bscan_is_said_to_have_no_thickness(tmp_path):
    paths = write_case(example_case(VoxelSpacing(None, 0.004, 0.011)), tmp_path / "case")
    notes = json.loads(paths.result_json.read_text(encoding="utf-8"))["provenance"]["notes"]
    assert "11.00 µm thick" in notes[0]


def test_unmeasured_grid_has_no_table(tmp_path):
    case = example_case()
    case = replace(case, measurements=replace(case.measurements, etdrs=None))
    assert "etdrs" not in write_case(case, tmp_path / "case").tables


def test_empty_folder_is_used(tmp_path):
    (tmp_path / "case").mkdir()
    assert write_case(example_case(), tmp_path / "case").result_json.is_file()


def test_earlier_case_is_kept_unless_asked(tmp_path):
    write_case(example_case(), tmp_path / "case")
    before = contents(tmp_path / "case")
    with pytest.raises(OutputError, match="holds files already"):
        write_case(example_case(now=0.6), tmp_path / "case")
    assert contents(tmp_path / "case") == before


def test_earlier_case_is_replaced_when_asked(tmp_path):
    write_case(example_case(), tmp_path / "case", {"report.html": write_hello})
    paths = write_case(example_case(now=0.6), tmp_path / "case", overwrite=True)
    fields = json.loads(paths.result_json.read_text(encoding="utf-8"))
    assert fields["verdict"]["raw"]["urgency"]["now"] == 0.6
    assert "report.html" not in contents(tmp_path / "case")


def test_files_of_the_user_are_never_overwritten(tmp_path):
    write_case(example_case(), tmp_path / "case")
    (tmp_path / "case" / "corrected.seg.nrrd").write_text("work of an hour", encoding="utf-8")
    with pytest.raises(OutputError, match=r"corrected\.seg\.nrrd, which overwriting would delete"):
        write_case(example_case(), tmp_path / "case", overwrite=True)


def test_folder_that_is_no_case_is_never_overwritten(tmp_path):
    (tmp_path / "thesis.txt").write_text("years", encoding="utf-8")
    with pytest.raises(OutputError, match=r"thesis\.txt"):
        require_free_folder(tmp_path, overwrite=True)


def test_file_in_place_of_the_folder_is_refused(tmp_path):
    write_hello(tmp_path / "case")
    with pytest.raises(OutputError, match="is a file"):
        require_free_folder(tmp_path / "case", overwrite=True)


def test_failing_report_leaves_no_case(tmp_path):
    def fail(path: Path) -> None:
        write_hello(path)
        raise ValueError("no figure")

    with pytest.raises(ValueError, match="no figure"):
        write_case(example_case(), tmp_path / "case", {"report.html": fail})
    assert list(tmp_path.iterdir()) == []


def test_full_disk_leaves_the_earlier_case(tmp_path):
    def fill_disk(path: Path) -> None:
        write_hello(path)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_case(example_case(), tmp_path / "case")
    before = contents(tmp_path / "case")
    with pytest.raises(OutputError, match="No space left"):
        write_case(
            example_case(now=0.6), tmp_path / "case", {"report.html": fill_disk}, overwrite=True
        )
    assert contents(tmp_path / "case") == before
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


@pytest.mark.parametrize("limit_bytes", [0, 500, 3000])
def test_system_that_refuses_more_bytes_leaves_no_case(tmp_path, limit_bytes):
    resource = pytest.importorskip("resource", reason="needs limits of file size (POSIX)")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        with pytest.raises(OutputError, match="Make room on the disk"):
            write_case(example_case(), tmp_path / "case")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../out.html", "a/b.html", ".hidden", "", "result.json"])
def test_extra_files_need_a_name_of_their_own(tmp_path, name):
    with pytest.raises(InputError, match="plain name"):
        write_case(example_case(), tmp_path / "case", {name: write_hello})
    assert list(tmp_path.iterdir()) == []
