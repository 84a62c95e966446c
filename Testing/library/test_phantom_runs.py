from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_bundle import example_bundle

from RetinaTriageLib.cli import evaluate
from RetinaTriageLib.errors import InputError, OutputError
from RetinaTriageLib.evaluation import phantom_runs
from RetinaTriageLib.evaluation.case_result import evaluate_case
from RetinaTriageLib.evaluation.case_result_json import read_case_result, write_case_result
from RetinaTriageLib.evaluation.ensemble_runs import EnsembleRuns
from RetinaTriageLib.evaluation.phantom_report import (
    phantom_evaluation,
    phantom_text,
    write_phantom_evaluation,
)
from RetinaTriageLib.evaluation.phantom_runs import PhantomPlan, run_phantoms
from RetinaTriageLib.evaluation.report import replace_evaluation
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.phantoms.devices import CIRRUS, SPECTRALIS, DeviceProfile
from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.volume import VoxelSpacing

SMALL = VoxelSpacing.from_um(480, 14, 60)
SCANNERS = {
    "spectralis": replace(SPECTRALIS, shape=(6, 96, 96), spacing=SMALL),
    "cirrus": replace(CIRRUS, shape=(6, 96, 96), spacing=SMALL),
}
PLAN = PhantomPlan(("spectralis", "cirrus"), first_seed=7, count=2)


@pytest.fixture(autouse=True)
def small_scanners(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, DeviceProfile]:
    monkeypatch.setattr(phantom_runs, "SCANNERS", SCANNERS)
    return SCANNERS


def runs(folder: Path) -> EnsembleRuns:
    return EnsembleRuns(example_bundle(folder, 2, 1), choose_compute("cpu"))


def test_every_scanner_gets_eyes_of_its_own() -> None:
    assert [eye.name for eye in PLAN.eyes()] == [
        "spectralis_000007",
        "cirrus_000008",
        "spectralis_000009",
        "cirrus_000010",
    ]
    longer = replace(PLAN, count=3)
    assert list(longer.eyes())[:4] == list(PLAN.eyes())


def test_scanner_named_twice_is_refused() -> None:
    with pytest.raises(InputError, match="different scanners"):
        PhantomPlan(("cirrus", "cirrus"), 0, 1)


def test_result_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    of = runs(tmp_path / "bundle")
    profile = PLAN.profile("spectralis")
    case = phantom_runs.phantom_case(make_phantom(7, profile), profile)
    result = evaluate_case(of, case)
    write_case_result(result, {"seed": 7}, tmp_path / "case.json")
    again = read_case_result(tmp_path / "case.json", {"seed": 7})
    write_case_result(again, {"seed": 7}, tmp_path / "again.json")
    for end in (".json", ".png", "_tissues.png"):
        first, second = tmp_path / f"case{end}", tmp_path / f"again{end}"
        assert first.read_bytes() == second.read_bytes()
    np.testing.assert_array_equal(again.maps[-1].counts, result.maps[-1].counts)
    assert again.judged.answers == result.judged.answers


def test_stopped_run_goes_on_without_working_a_case_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, folder = runs(tmp_path / "bundle"), tmp_path / "out"
    first = run_phantoms(of, replace(PLAN, count=1), folder)
    worked = []
    monkeypatch.setattr(
        phantom_runs,
        "evaluate_case",
        lambda of, case, _progress: worked.append(case.name) or evaluate_case(of, case),
    )
    results = run_phantoms(of, PLAN, folder)
    assert worked == ["spectralis_000009", "cirrus_000010"]
    assert [case.name for case in results["cirrus"]] == ["cirrus_000008", "cirrus_000010"]
    np.testing.assert_equal(
        results["spectralis"][0].maps[-1].counts, first["spectralis"][0].maps[-1].counts
    )


def test_time_limit_leaves_one_eye_of_each_scanner(tmp_path: Path) -> None:
    results = run_phantoms(runs(tmp_path / "bundle"), PLAN, tmp_path / "out", limit_s=0)
    assert {scanner: len(cases) for scanner, cases in results.items()} == {
        "spectralis": 1,
        "cirrus": 1,
    }


def test_results_of_another_bundle_are_not_mixed_in(tmp_path: Path) -> None:
    plan = PhantomPlan(("spectralis",), 7, 1)
    run_phantoms(runs(tmp_path / "bundle"), plan, tmp_path / "out")
    other = EnsembleRuns(example_bundle(tmp_path / "other", 1, 1), choose_compute("cpu"))
    with pytest.raises(InputError, match="another bundle"):
        run_phantoms(other, plan, tmp_path / "out")


def test_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="no evaluation of phantoms"):
        run_phantoms(runs(tmp_path / "bundle"), PLAN, tmp_path / "out")


def test_report_holds_every_scanner_and_all_together(tmp_path: Path) -> None:
    of, folder = runs(tmp_path / "bundle"), tmp_path / "out"
    plan = replace(PLAN, count=1)
    evaluation = phantom_evaluation(of, plan, run_phantoms(of, plan, folder), intervals=False)
    write_phantom_evaluation(evaluation, folder)
    facts = json.loads((folder / "phantoms.json").read_text(encoding="utf-8"))
    assert list(facts["sets"]) == ["all", "spectralis", "cirrus"]
    assert len(facts["sets"]["all"]["cases"]) == 2
    assert facts["seeds"] == [7, 8]
    assert {gain["measure"] for gain in facts["sets"]["all"]["gains"]} == {
        "mean Dice, pooled",
        "referral error",
        "referral mean penalty",
        "mean AUC of conditions",
    }
    assert (folder / "cirrus" / "evaluation.html").exists()
    page = (folder / "phantoms.html").read_text(encoding="utf-8")
    assert "http" not in page.replace("http-equiv", "")
    assert "best of 2 members" in phantom_text(evaluation)


def test_longer_run_writes_the_report_again(tmp_path: Path) -> None:
    (tmp_path / "cirrus").mkdir()
    (tmp_path / "cirrus" / "old.txt").write_text("of a shorter run")
    of, plan = runs(tmp_path / "bundle"), PhantomPlan(("cirrus",), 7, 1)
    results = {"cirrus": run_phantoms(of, plan, tmp_path / "out")["cirrus"]}
    evaluation = phantom_evaluation(of, plan, results, intervals=False)
    replace_evaluation(evaluation.scanners["cirrus"], tmp_path / "cirrus")
    assert not (tmp_path / "cirrus" / "old.txt").exists()


def test_command_asks_for_seeds_and_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    parsed = parser.parse_args(["phantoms", "--seeds", "7", "1", "--out", "folder"])
    assert parsed.scanner == ["spectralis", "cirrus", "topcon"]
    with pytest.raises(SystemExit):
        parser.parse_args(["phantoms", "--out", "folder"])
    assert "--seeds" in capsys.readouterr().err
