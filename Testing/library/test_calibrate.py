from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from example_bundle import example_bundle

from RetinaTriageLib.bundle import check_bundle, load_bundle
from RetinaTriageLib.cli.main import main
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import REFERRAL
from RetinaTriageLib.stated_rates import stated_rates
from RetinaTriageLib.training import calibrate
from RetinaTriageLib.training.calibrate import calibrated_bundle, cross_fitted_rates
from RetinaTriageLib.training.judged_grids import JudgedScans, judged_scans

RNG_SEED = 5


def write_grid(path: Path, referral: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = rng.integers(0, 255, (15, 4, 16, 16), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, grid=grid, referral=np.array(referral))


def referral_scans(scores: np.ndarray, truth: np.ndarray) -> dict[str, JudgedScans]:
    patients = tuple(f"patient {i}" for i in range(len(truth)))
    return {"referral": JudgedScans(scores, truth, patients)}


def test_maps_of_one_scan_are_judged_together(tmp_path: Path) -> None:
    bundle = example_bundle(tmp_path / "bundle", segmenters=2, classifiers=2)
    for seed, name in enumerate(("a_segmenter0", "a_segmenter1", "b")):
        write_grid(tmp_path / "grids" / f"{name}.npz", referral=1, seed=seed)
    judged = judged_scans(bundle, [tmp_path / "grids"])
    assert set(judged) == {"referral"}
    assert judged["referral"].scores.shape == (2, 4)
    np.testing.assert_allclose(judged["referral"].scores.sum(axis=1), 1, atol=1e-5)


def test_mean_of_two_maps_is_the_mean_of_their_scores(tmp_path: Path) -> None:
    bundle = example_bundle(tmp_path / "bundle", segmenters=2)
    for seed, name in enumerate(("a_segmenter0", "a_segmenter1")):
        write_grid(tmp_path / "both" / f"{name}.npz", referral=1, seed=seed)
        write_grid(tmp_path / name / f"{name}.npz", referral=1, seed=seed)
    both = judged_scans(bundle, [tmp_path / "both"])["referral"].scores[0]
    single = [tmp_path / "a_segmenter0", tmp_path / "a_segmenter1"]
    each = judged_scans(bundle, single)["referral"].scores
    np.testing.assert_allclose(both, each.mean(axis=0), atol=1e-6)


def test_rates_of_perfect_scores_are_one(tmp_path: Path) -> None:
    truth = np.tile(np.arange(4), 15)
    judged = referral_scans(np.eye(4)[truth] * 0.9 + 0.025, truth)
    rates = cross_fitted_rates(judged, example_bundle(tmp_path / "bundle"), "60 scans")
    found = stated_rates(rates, "referral", "urgent", OperatingPoint.BALANCED)
    assert (found.sensitivity, found.specificity) == (1.0, 1.0)
    assert found.data.startswith("60 scans; each decided with factors fitted on other patients")


def test_rates_of_chance_are_not_those_of_the_fit(tmp_path: Path) -> None:
    rng = np.random.default_rng(RNG_SEED)
    truth = rng.integers(0, 4, 200)
    judged = referral_scans(rng.dirichlet(np.ones(4), 200), truth)
    rates = cross_fitted_rates(judged, example_bundle(tmp_path / "bundle"), "200 scans")
    sums = []
    for name in REFERRAL.names:
        found = stated_rates(rates, "referral", name, OperatingPoint.BALANCED)
        sums.append((found.sensitivity or 0) + (found.specificity or 0))
    assert np.mean(sums) == pytest.approx(1, abs=0.1)  # chance is 1


def test_command_writes_a_calibrated_bundle(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    for seed in range(24):
        write_grid(tmp_path / "grids" / f"s{seed}.npz", referral=seed % 4, seed=seed)
    words = ["bundle", "calibrate", str(tmp_path / "bundle"), "--measured-on", "24 scans"]
    words += ["--grids", str(tmp_path / "grids"), "--out", str(tmp_path / "new")]
    assert main(words) == 0
    old, new = (load_bundle(tmp_path / name) for name in ("bundle", "new"))
    assert new.weights == old.weights
    assert new.calibration.measured_on == "24 scans"
    assert set(new.calibration.factors["balanced"]) == {"referral"}
    names = [
        row["name"]
        for row in json.loads((tmp_path / "new" / "bundle.json").read_text())["measured"]
    ]
    assert "Sensitivity, referral: urgent, balanced" in names


def test_line_scans_get_points_of_their_own(tmp_path: Path) -> None:
    truth = np.tile(np.arange(4), 15)
    late = np.eye(4)[truth] * 0.3 + 0.1
    late[:, 3] += 0.5  # observation always wins until it is weighed down
    bundle = example_bundle(tmp_path / "bundle")
    new = calibrated_bundle(
        tmp_path / "new", bundle, referral_scans(late, truth), "60 lines", line_scans=True
    )
    assert new.calibration == bundle.calibration
    assert new.manifest.measured == bundle.manifest.measured
    assert new.calibration_of(2) == new.calibration
    assert new.calibration_of(1).factors["balanced"]["referral"]["observation"] < 1
    found = stated_rates(
        new.manifest.of_scan(1).measured, "referral", "urgent", OperatingPoint.BALANCED
    )
    assert found.sensitivity == 1.0
    assert load_bundle(tmp_path / "new").manifest == new.manifest


def test_command_calibrates_line_scans(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    for seed in range(24):
        write_grid(tmp_path / "grids" / f"s{seed}.npz", referral=seed % 4, seed=seed)
    words = ["bundle", "calibrate", str(tmp_path / "bundle"), "--measured-on", "24 lines"]
    words += ["--line-scans", "--grids", str(tmp_path / "grids"), "--out", str(tmp_path / "new")]
    assert main(words) == 0
    new = load_bundle(tmp_path / "new")
    assert new.calibration_of(1).measured_on == "24 lines"
    checks = {check.what: check.found for check in check_bundle(tmp_path / "new")}
    assert checks["operating points of single B-scans"] == "fitted on 24 lines"
    assert new.calibration == load_bundle(tmp_path / "bundle").calibration


def test_factors_that_decide_no_better_are_left_out(tmp_path: Path) -> None:
    truth = np.tile(np.arange(4), 15)
    certain = referral_scans(np.eye(4)[truth] * 0.9 + 0.025, truth)
    late = np.eye(4)[truth] * 0.3 + 0.1
    late[:, 3] += 0.5  # observation always wins until it is weighed down
    bundle = example_bundle(tmp_path / "bundle")
    kept = [
        calibrated_bundle(tmp_path / name, bundle, judged, "60 scans").calibration
        for name, judged in (("certain", certain), ("late", referral_scans(late, truth)))
    ]
    assert set(kept[0].factors["balanced"]["referral"].values()) == {1.0}
    assert "not clearly better than raw scores" in kept[0].gaps["balanced"]["referral"]
    assert kept[1].factors["balanced"]["referral"]["observation"] < 1
    assert "referral" not in kept[1].gaps["balanced"]


def test_factors_that_mend_a_few_scans_by_chance_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = np.tile(np.arange(4), 15)
    scores = np.eye(4)[truth] * 0.9 + 0.025
    scores[[8, 28]] = [0.4, 0.05, 0.05, 0.5]  # two urgent ones, nearly called so
    bundle = example_bundle(tmp_path / "bundle")
    judged = referral_scans(scores, truth)
    careful = calibrated_bundle(tmp_path / "careful", bundle, judged, "60 scans").calibration
    assert set(careful.factors["balanced"]["referral"].values()) == {1.0}
    monkeypatch.setattr(calibrate, "CLEARLY", 0.0)
    hasty = calibrated_bundle(tmp_path / "hasty", bundle, judged, "60 scans").calibration
    assert set(hasty.factors["balanced"]["referral"].values()) != {1.0}


def test_factors_of_few_scans_are_left_out(tmp_path: Path) -> None:
    truth = np.array([0, 1, 2] * 20 + [3] * 9)
    late = np.eye(4)[truth] * 0.3 + 0.1
    late[:, 3] += 0.5  # observation always wins until it is weighed down
    bundle = example_bundle(tmp_path / "bundle")
    judged = referral_scans(late, truth)
    kept = calibrated_bundle(tmp_path / "new", bundle, judged, "69 scans").calibration
    assert set(kept.factors["balanced"]["referral"].values()) == {1.0}
    assert kept.gaps["balanced"]["referral"].startswith("9 scans")
    assert set(kept.factors["high-sensitivity"]["referral"].values()) != {1.0}


def test_folder_without_answers_is_refused(tmp_path: Path) -> None:
    bundle = example_bundle(tmp_path / "bundle")
    with pytest.raises(InputError, match="no scan with an answer"):
        calibrated_bundle(tmp_path / "new", bundle, {}, "nothing")
