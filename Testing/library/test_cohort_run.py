from __future__ import annotations

import csv
import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cohort_scans import (
    ROOT,
    command,
    plant_bad_files,
    run_cohort_command,
    tables,
    write_scans,
)
from example_bundle import example_bundle
from example_image_bundle import example_image_bundle
from makers.heidelberg import write_e2e
from makers.scan import made_scan

from RetinaTriageLib.cli.main import main
from RetinaTriageLib.cohort.store import CohortStore
from RetinaTriageLib.cohort.table import Column, Kind
from RetinaTriageLib.cohort.units import Failure
from RetinaTriageLib.errors import OutputError
from RetinaTriageLib.volume import Laterality

LONGEST_S = 300


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    example_bundle(folder, segmenters=2)
    return folder


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scans(tmp_path_factory.mktemp("scans") / "scans", 4)


@pytest.fixture(scope="module")
def whole(scans: Path, bundle: Path) -> Path:
    """A run with bad files among the scans."""
    plant_bad_files(scans)
    out = scans.parent / "out"
    run_cohort_command(command(scans, out, bundle))
    return out


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_good_scan_has_a_row_and_every_bad_file_its_reason(whole: Path, scans: Path) -> None:
    found = {row["file"]: row["reason"] for row in rows(whole / "failures.csv")}
    # The first of equal files is the one that counts, by name.
    expected = plant_bad_files(scans)
    expected["eye_00.nrrd"] = expected.pop("duplicate.nrrd")
    assert set(found) == set(expected)
    assert all(words in found[name] for name, words in expected.items())
    worked = [row["file"] for row in rows(whole / "cohort.csv")]
    assert worked == ["duplicate.nrrd", "eye_01.nrrd", "eye_02.nrrd", "eye_03.nrrd"]


def test_every_row_has_its_case_with_report_and_thumbnail(whole: Path) -> None:
    for row in rows(whole / "cohort.csv"):
        case = whole / "cases" / row["case_id"]
        assert {"report.html", "result.json", "row.json", "thumbnail.png"} <= {
            path.name for path in case.iterdir()
        }
        assert json.loads((case / "result.json").read_text())["volume"]["name"] == row["case_id"]


def test_finished_cohort_is_not_worked_again(whole: Path, scans: Path, bundle: Path) -> None:
    before = tables(whole)
    changed = {path: path.stat().st_mtime_ns for path in (whole / "cases").rglob("*")}
    said = run_cohort_command(command(scans, whole, bundle))
    assert " s each" not in said
    assert tables(whole) == before
    assert {path: path.stat().st_mtime_ns for path in (whole / "cases").rglob("*")} == changed


def heeding_interrupts() -> None:
    """What a shell starts in the background ignores interrupts, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_stopped_run_goes_on_to_the_same_tables(
    sent: signal.Signals, code: int, whole: Path, scans: Path, bundle: Path
) -> None:
    for attempt in range(5):  # a fast run may end before the signal comes
        out = scans.parent / f"{sent.name}_{attempt}"
        with subprocess.Popen(
            command(scans, out, bundle),
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
            preexec_fn=heeding_interrupts,
        ) as run:
            end = time.monotonic() + LONGEST_S
            while not list(out.glob("cases/*/row.json")) and run.poll() is None:
                assert time.monotonic() < end
                time.sleep(0.02)
            run.send_signal(sent)
        if run.returncode != 0:
            break
    assert run.returncode == code
    run_cohort_command(command(scans, out, bundle))
    assert tables(out) == tables(whole)
    assert not list((out / "cases").glob(".*"))


def test_cohort_of_other_settings_is_refused(
    whole: Path, scans: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = command(scans, whole, bundle, "--operating-point", "high-sensitivity")[3:]
    assert main(words) == 6
    assert "operating_point 'balanced'" in capsys.readouterr().err


def test_file_that_fails_now_has_no_row_of_an_earlier_run(tmp_path: Path) -> None:
    store = CohortStore(tmp_path)
    store.begin({})
    for name in ("a", "b"):
        (store.cases / name).mkdir()
        row = {"row": {"case_id": name, "file": f"{name}.nrrd", "series": None}}
        (store.cases / name / "row.json").write_text(json.dumps(row), encoding="utf-8")
    columns = [Column("case_id", Kind.TEXT)]
    assert store.write_tables(columns, [Failure("a.nrrd", None, "It is damaged.", "Copy it.")]) == 1
    assert (tmp_path / "cohort.csv").read_text() == "case_id\nb\n"


def test_two_runs_on_one_folder_are_refused(tmp_path: Path) -> None:
    with (
        CohortStore(tmp_path).locked(),
        pytest.raises(OutputError, match="Another run"),
        CohortStore(tmp_path).locked(),
    ):
        pass


def test_folder_of_something_else_is_refused(
    scans: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(bundle.iterdir())
    assert main(command(scans, bundle, bundle)[3:]) == 6
    assert "no folder of a cohort" in capsys.readouterr().err
    assert sorted(bundle.iterdir()) == before


def test_scans_of_one_file_are_cases_of_their_own_and_corrected_files_are_tried_again(
    tmp_path: Path, bundle: Path
) -> None:
    left = made_scan((3, 32, 24), laterality=Laterality.OS, seed=2)
    (tmp_path / "scans").mkdir()
    write_e2e(tmp_path / "scans" / "both.e2e", made_scan((3, 32, 24)), left)
    late = tmp_path / "scans" / "late.e2e"
    late.write_bytes(b"still being copied")
    words = command(tmp_path / "scans", tmp_path / "out", bundle, "--save", "tables")
    run_cohort_command(words)
    assert [row["file"] for row in rows(tmp_path / "out" / "failures.csv")] == ["late.e2e"]
    write_e2e(late, made_scan((3, 32, 24), seed=3))
    run_cohort_command(words)
    found = [
        (row["file"], row["series"], row["laterality"])
        for row in rows(tmp_path / "out" / "cohort.csv")
    ]
    assert found == [("both.e2e", "1", "OD"), ("both.e2e", "2", "OS"), ("late.e2e", "1", "OD")]
    assert rows(tmp_path / "out" / "failures.csv") == []
    assert not list(tmp_path.rglob("*.seg.nrrd"))


def test_stopped_cohort_with_two_bundles_ends_with_the_same_tables(
    tmp_path: Path, bundle: Path
) -> None:
    scans = write_scans(tmp_path / "scans", 2)
    example_image_bundle(tmp_path / "images")
    beside = ("--bscan-bundle", str(tmp_path / "images"), "--save", "tables")
    run_cohort_command(command(scans, tmp_path / "whole", bundle, *beside))
    later = write_scans(tmp_path / "later", 1)
    run_cohort_command(command(later, tmp_path / "parts", bundle, *beside))
    (scans / "eye_01.nrrd").rename(later / "eye_01.nrrd")
    run_cohort_command(command(later, tmp_path / "parts", bundle, *beside))
    assert tables(tmp_path / "parts") == tables(tmp_path / "whole")
    assert {row["bscan_bundle"] for row in rows(tmp_path / "whole" / "cohort.csv")} == {
        "example_images 1.0"
    }
    assert main(command(later, tmp_path / "parts", bundle)[3:]) == 6  # without it: other columns
