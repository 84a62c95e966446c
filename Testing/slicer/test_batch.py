"""Batches of nodes and files through the logic, with a worker that pretends."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
import slicer
from panel_steps import scan
from RetinaTriageSlicer.run_settings import RunSettings

from RetinaTriageLib.errors import InputError


def scan_file(path: Path, seed: int = 0) -> Path:
    """File of a small scan."""
    voxels = np.random.default_rng(seed).integers(0, 255, (3, 32, 24), dtype=np.uint8)
    image = SimpleITK.GetImageFromArray(voxels)
    image.SetSpacing((0.012, 0.004, 0.12))
    path.parent.mkdir(exist_ok=True)
    SimpleITK.WriteImage(image, str(path))
    return path


def work() -> RunSettings:
    return RunSettings(bundle=Path("work"))


def summary(folder: Path) -> list[dict[str, str]]:
    with (folder / "summary.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Folder of two good scans and a bad one."""
    folder = tmp_path / "scans"
    scan_file(folder / "a.nrrd", 1)
    (folder / "bad.nrrd").write_text("not a scan")
    scan_file(folder / "c.nrrd", 2)
    return folder


def test_each_case_is_saved_and_a_bad_one_is_named(logic: Any, scans: Path, tmp_path: Path):
    out = tmp_path / "out"
    cases = logic.processBatch(scans, out, work())
    assert [(case.name, case.state) for case in cases] == [
        ("a", "done"),
        ("bad", "failed"),
        ("c", "done"),
    ]
    assert (out / "a" / "result.json").is_file()
    assert (out / "c" / "report.html").is_file()
    assert "bad.nrrd" in cases[1].reason
    assert not (out / "bad").exists()


def test_summary_names_every_case_with_its_figures(logic: Any, scans: Path, tmp_path: Path):
    logic.processBatch(scans, tmp_path / "out", work())
    good, bad, _other = summary(tmp_path / "out")
    assert float(good["referral_urgent"]) >= 0
    assert good["bundle"]
    assert float(good["intraretinal_fluid_nl"]) >= 0
    assert bad["reason"]
    assert bad["referral"] == ""


def test_second_call_keeps_what_is_done(logic: Any, scans: Path, tmp_path: Path):
    out = tmp_path / "out"
    logic.processBatch(scans, out, work())
    first = summary(out)
    scan_file(scans / "bad.nrrd")
    states = [case.state for case in logic.processBatch(scans, out, work())]
    assert states == ["kept", "done", "kept"]
    assert summary(out)[0] == first[0] | {"state": "kept"}


def test_batch_that_was_broken_off_goes_on(logic: Any, scans: Path, tmp_path: Path):
    def stop(_case: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        logic.processBatch(scans, tmp_path / "out", work(), onCase=stop)
    assert len(summary(tmp_path / "out")) == 1
    states = [case.state for case in logic.processBatch(scans, tmp_path / "out", work())]
    assert states == ["kept", "failed", "done"]


def test_overwrite_works_all_again(logic: Any, scans: Path, tmp_path: Path):
    for _ in range(2):
        cases = logic.processBatch(scans, tmp_path / "out", work(), overwrite=True)
    assert [case.state for case in cases] == ["done", "failed", "done"]


def test_other_scan_of_the_same_name_is_not_taken_for_done(logic: Any, tmp_path: Path):
    first, second = scan_file(tmp_path / "x" / "a.nrrd"), scan_file(tmp_path / "y" / "a.nrrd")
    logic.processBatch([first], tmp_path / "out", work())
    (case,) = logic.processBatch([second], tmp_path / "out", work())
    assert case.state == "failed"
    assert "holds files already" in case.reason


def test_nodes_are_worked_without_changing_the_scene(logic: Any, tmp_path: Path):
    nodes = [scan(), scan()]
    before = slicer.mrmlScene.GetNumberOfNodes()
    cases = logic.processBatch(nodes, tmp_path / "out", work())
    assert [case.state for case in cases] == ["done", "done"]
    assert len({case.folder for case in cases}) == 2
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_failing_worker_fails_its_case_only(logic: Any, scans: Path, tmp_path: Path):
    cases = logic.processBatch(scans, tmp_path / "out", RunSettings(bundle=Path("crash")))
    assert [case.state for case in cases] == ["failed"] * 3
    assert "exit code 7" in cases[2].reason


@pytest.mark.parametrize(("cases", "match"), [([], "no cases"), ("/nowhere", "does not exist")])
def test_nothing_to_work_is_an_error(logic: Any, tmp_path: Path, cases: Any, match: str):
    with pytest.raises(InputError, match=match):
        logic.processBatch(cases, tmp_path / "out", work())


def test_folder_without_scans_is_an_error(logic: Any, tmp_path: Path):
    with pytest.raises(InputError, match="holds no scan"):
        logic.processBatch(tmp_path, tmp_path / "out", work())
