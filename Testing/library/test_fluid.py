from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_bundle import example_bundle
from PIL import Image

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.ensemble_runs import EnsembleRuns
from RetinaTriageLib.evaluation.fluid import (
    FluidEvaluation,
    FluidFolder,
    FluidScore,
    evaluate_fluid,
    fluid_scans,
)
from RetinaTriageLib.evaluation.fluid_report import fluid_json, fluid_text, patient_interval
from RetinaTriageLib.evaluation.segmentation_scores import Overlap
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.labels.label_sets import NOT_FLUID, SOME_FLUID, UNKNOWN
from RetinaTriageLib.volume import VoxelSpacing

SPACING = VoxelSpacing.from_um(120, 4, 10)


def write_set(folder: Path, names: tuple[str, ...] = ("S08_z1", "S08_z2")) -> FluidFolder:
    """B-scans of which every other one has 3 x 5 pixels of fluid."""
    rng = np.random.default_rng(0)
    for name in ("images", "grader"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        mask = np.zeros((32, 40), np.uint8)
        if number % 2 == 0:
            mask[10:13, 5:10] = 7  # the number of a fluid pocket
        picture = rng.integers(256, size=mask.shape, dtype=np.uint8)
        Image.fromarray(picture).save(folder / "images" / f"{name}.png")
        Image.fromarray(mask).save(folder / "grader" / f"{name}.png")
    return FluidFolder(folder, "grader", SPACING)


def score(hits: int, misses: int, false_alarms: int) -> FluidScore:
    return FluidScore("scan", Overlap("fluid", hits, misses, false_alarms), pixel_nl=0.5)


def test_masks_become_fluid_and_not_fluid(tmp_path: Path) -> None:
    first, second = fluid_scans(write_set(tmp_path))
    assert (first.codes == SOME_FLUID).sum() == 15
    assert (first.codes == NOT_FLUID).sum() == 32 * 40 - 15
    assert (second.codes == NOT_FLUID).all()
    assert first.volume.name == "S08_z1"


def test_pattern_chooses_patients(tmp_path: Path) -> None:
    folder = write_set(tmp_path, ("S01_z1", "S08_z1", "S09_z1"))
    chosen = FluidFolder(folder.path, folder.masks, SPACING, pattern="S0[89]_*")
    assert [scan.volume.name for scan in fluid_scans(chosen)] == ["S08_z1", "S09_z1"]


def test_figures_of_a_worked_example() -> None:
    evaluation = FluidEvaluation((score(8, 2, 2), score(4, 0, 4), score(0, 0, 6)), ())
    assert evaluation.pooled_dice == pytest.approx(24 / (24 + 2 + 12))
    assert evaluation.mean_dice == pytest.approx((16 / 20 + 8 / 12) / 2)
    assert evaluation.false_fluid_nl == (3.0,)
    truth, predicted = [5, 2, 0], [5, 4, 3]
    assert evaluation.volume_correlation == pytest.approx(np.corrcoef(truth, predicted)[0, 1])
    assert "worst 3.00 nl" in fluid_text(evaluation)


def test_figures_that_the_set_does_not_give_are_nan() -> None:
    evaluation = FluidEvaluation((score(0, 0, 0),), ())
    assert np.isnan([evaluation.pooled_dice, evaluation.mean_dice]).all()
    assert np.isnan(evaluation.volume_correlation)
    assert evaluation.false_fluid_nl == (0.0,)


def test_bundle_is_run_on_every_bscan(tmp_path: Path) -> None:
    scans = fluid_scans(write_set(tmp_path / "set"))
    runs = EnsembleRuns(example_bundle(tmp_path / "bundle"), choose_compute("cpu"))
    progress = []
    evaluation = evaluate_fluid(runs, scans, progress.append)
    assert [scan.truth_nl for scan in evaluation.scans] == pytest.approx([15 * 4.8e-3, 0])
    found = runs.run(scans[0].volume).consensus
    assert evaluation.scans[0].overlap.predicted_voxels == np.isin(found, (4, 5)).sum()
    assert (progress[-1].done, progress[-1].total) == (2, 2)
    assert len(evaluation.tiles[0].pictures) == 3


def test_missing_mask_is_refused(tmp_path: Path) -> None:
    folder = write_set(tmp_path)
    (tmp_path / "grader" / "S08_z2.png").unlink()
    with pytest.raises(InputError, match=r"Found no S08_z2\.png in grader"):
        fluid_scans(folder)


def test_folder_without_masks_is_refused(tmp_path: Path) -> None:
    folder = write_set(tmp_path)
    with pytest.raises(InputError, match="with --masks"):
        fluid_scans(FluidFolder(folder.path, "fluid", SPACING))


def test_width_that_the_grader_did_not_look_at_counts_nowhere(tmp_path: Path) -> None:
    folder = replace(write_set(tmp_path), columns=(4, 20))
    first, _ = fluid_scans(folder)
    assert (first.codes[..., :4] == UNKNOWN).all()
    assert (first.codes[..., 21:] == UNKNOWN).all()
    assert (first.codes[..., 4:21] != UNKNOWN).all()


def test_interval_needs_five_patients() -> None:
    scans = tuple(replace(score(8, 2, n), patient=f"S{n}") for n in range(5))
    interval = patient_interval(FluidEvaluation(scans, ()), lambda e: e.pooled_dice, draws=50)
    assert interval is not None
    assert 16 / 22 < interval.low < interval.high < 16 / 18
    assert patient_interval(FluidEvaluation(scans[:4], ()), lambda e: e.pooled_dice) is None
    assert "too few" in fluid_text(FluidEvaluation(scans[:4], ()))


def test_each_patient_has_figures_of_its_own() -> None:
    first, second = replace(score(8, 2, 2), patient="A"), replace(score(0, 0, 6), patient="B")
    facts = fluid_json(FluidEvaluation((first, second), ()))
    assert facts["patients"]["A"]["pooled_dice"] == pytest.approx(0.8)
    assert facts["patients"]["B"]["mean_false_fluid_nl"] == pytest.approx(3.0)
