"""The network of fluid learns from straightened retinas whose fluid is known, at least in part."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from example_bands import DEPTHS, ILM, OUTER, SPACING, WIDTHS, banded_bscans, banded_codes
from example_bundle import example_bundle

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.labels.label_sets import NOT_FLUID, RETINA, SOME_FLUID, UNKNOWN
from RetinaTriageLib.networks.flat_view import BRUCH_ROW, ROWS
from RetinaTriageLib.networks.fluid_finding import FLUID
from RetinaTriageLib.networks.fluid_network import VIEW_VERSION, FluidConfig, FluidNetwork
from RetinaTriageLib.progress import ignore_progress
from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.training.answered_cases import AnsweredCase, AnsweredScan
from RetinaTriageLib.training.checkpoints import load_weights, read_tensors
from RetinaTriageLib.training.cli import add_train_commands
from RetinaTriageLib.training.fluid_batches import FluidAugmentation, FluidSource, changed_bscan
from RetinaTriageLib.training.fluid_loop import FluidPlan, fluid_loss, folder_dice, train_fluid
from RetinaTriageLib.training.fluid_views import (
    FLUID_CODES,
    KNOWN_CODES,
    ViewSample,
    read_view,
    view_sample,
    write_views,
)
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.volume import LabelArray, OCTVolume

COLUMNS = 64
SMALL = FluidPlan(
    network=FluidConfig(channels=(8, 16)), batch_bscans=8, columns=COLUMNS, half_precision=False
)
UNCOLORED = FluidAugmentation(
    contrast=(1.0, 1.0), brightness=0.0, noise_chance=0.0, cloud_chance=0.0, margin_chance=0.0
)


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_train_commands(parser.add_subparsers(required=True))
    options = parser.parse_args(words)
    return int(options.command(options))


def cystic_view(seed: int, bscans: int = 4) -> ViewSample:
    """Gray retina between row 40 and Bruch's membrane with one dark cyst, in speckle."""
    rng = np.random.default_rng(seed)
    row, column = np.ogrid[:ROWS, :COLUMNS]
    middle = rng.uniform((65, 15), (90, 50))
    cyst = ((row - middle[0]) / 12) ** 2 + ((column - middle[1]) / 8) ** 2 < 1
    gray = np.where((row > 40) & ~cyst, 110, 25) + rng.normal(0, 8, (bscans, ROWS, COLUMNS))
    fluid = np.broadcast_to(cyst, gray.shape).astype(np.uint8) * np.uint8(255)
    shown = gray.clip(0, 255).astype(np.uint8)
    known = np.full(gray.shape, 255, np.uint8)
    return ViewSample(shown, fluid, known, np.full((bscans, COLUMNS), 40.5, np.float32))


def write_sample(path: Path, sample: ViewSample, **changes: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    arrays: dict[str, np.ndarray] = {
        "gray": sample.gray,
        "fluid": sample.fluid,
        "known": sample.known,
        "ilm_rows": sample.ilm_rows,
        "version": np.array(VIEW_VERSION),
        "patient_id": np.array(path.stem),
        **changes,
    }
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's stub takes bools too


def folder_of(path: Path, seeds: range) -> Path:
    for seed in seeds:
        write_sample(path / f"eye_{seed}.npz", cystic_view(seed))
    return path


def no_maps(_volume: OCTVolume) -> list[LabelArray]:
    pytest.fail("no automatic map is needed where every tissue is known")


def test_network_learns_to_find_cysts_of_other_eyes(tmp_path: Path) -> None:
    known, others = (
        folder_of(tmp_path / "known", range(12)),
        folder_of(tmp_path / "others", range(50, 54)),
    )
    optimization = replace(
        SMALL.optimization,
        iterations=100,
        learning_rate=8e-3,
        warm_up_iterations=5,
        average_decay=0.9,
        validate_iterations=50,
    )
    plan = replace(SMALL, optimization=optimization)
    state = train_fluid(plan, [Folder(known)], tmp_path / "run", held_out=[others])
    assert state.best_score > 0.7
    network = FluidNetwork(plan.network).eval()
    load_weights(tmp_path / "run" / "best.safetensors", network)
    found = folder_dice(network, sorted(others.glob("*.npz")), "cpu")
    assert found == pytest.approx(state.best_score, abs=1e-6)
    assert (tmp_path / "run" / "log.csv").read_text().startswith("iteration,")


def test_batch_follows_from_seed_and_iteration(tmp_path: Path) -> None:
    folders = (Folder(folder_of(tmp_path / "known", range(3))),)
    one, same, other = (
        FluidSource(folders, 4, COLUMNS, FluidAugmentation(), seed).batch(7) for seed in (0, 0, 1)
    )
    torch.testing.assert_close(one.gray, same.gray)
    torch.testing.assert_close(one.fluid, same.fluid)
    assert (one.gray != other.gray).any()


def test_fluid_and_ilm_move_with_the_picture() -> None:
    sample = cystic_view(3)
    row = np.arange(ROWS)[:, None]
    shown = np.where(row > 40, 100, 0).astype(np.uint8) + sample.fluid // 2
    sample = replace(sample, gray=shown.astype(np.uint8))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        gray, ilm_rows, fluid, known = changed_bscan(sample, COLUMNS, UNCOLORED, rng)
        bright = (gray[1] > 165) & (known > 0)
        there = (fluid > 0.5) & (known > 0)
        assert (bright ^ there).sum() <= 0.15 * there.sum() + 8
        top = (gray[1] > 50).float().argmax(dim=0)
        np.testing.assert_allclose(top, ilm_rows, atol=1.5)


def test_blank_margin_is_known_to_be_free_of_fluid() -> None:
    plan = replace(UNCOLORED, margin_chance=1.0, margin=(10, 11))
    gray, _, fluid, known = changed_bscan(cystic_view(0), COLUMNS, plan, np.random.default_rng(0))
    blank = (gray == 0).all(dim=1).all(dim=0)
    assert blank.sum() == 10
    assert not fluid[:, blank].any()
    assert known[:, blank].all()


def test_view_narrower_than_a_batch_is_unknown_beside() -> None:
    sample = cystic_view(0)
    plan = replace(UNCOLORED, zoom_chance=0.0)
    gray, _, _, known = changed_bscan(sample, 2 * COLUMNS, plan, np.random.default_rng(1))
    assert gray.shape == (3, ROWS, 2 * COLUMNS)
    assert known.any(dim=0).sum() == pytest.approx(COLUMNS, abs=1)


def test_loss_counts_what_is_known_alone() -> None:
    scores, fluid = torch.zeros(1, 8, 8), torch.zeros(1, 8, 8)
    fluid[:, :4] = 1
    known = torch.ones(1, 8, 8)
    known[:, 4:] = 0
    wrong = scores.clone()
    wrong[:, 4:] = 50
    assert fluid_loss(scores, fluid, known, 5.0) == fluid_loss(wrong, fluid, known, 5.0)
    better = scores.clone()
    better[:, :4] = 5
    assert fluid_loss(better, fluid, known, 5.0) < fluid_loss(scores, fluid, known, 5.0)


@pytest.mark.parametrize(
    ("code", "fluid", "known"),
    [
        (FLUID, 1, 1),
        (SOME_FLUID, 1, 1),
        (TISSUE_BY_NAME["subretinal_fluid"].label, 0, 1),
        (NOT_FLUID, 0, 1),
        (RETINA, 0, 0),
        (UNKNOWN, 0, 0),
    ],
)
def test_label_codes_say_what_they_say(code: int, fluid: int, known: int) -> None:
    assert (FLUID_CODES[code], KNOWN_CODES[code]) == (fluid, known)


def test_known_tissues_need_no_automatic_map() -> None:
    codes = banded_codes()
    codes[:, ILM + 20 : ILM + 50, 30:60] = FLUID
    scan = AnsweredScan(OCTVolume(banded_bscans(), SPACING), codes, {})
    sample = view_sample(scan, no_maps)
    assert sample is not None
    assert sample.gray.shape[0] == 2
    assert sample.with_fluid.tolist() == [0, 1]
    height = (OUTER - ILM) * SPACING.depth_mm / 0.0078
    np.testing.assert_allclose(sample.ilm_rows, BRUCH_ROW - height, atol=1)


def test_unknown_tissue_is_free_of_fluid_where_no_map_has_any() -> None:
    codes = np.full((2, DEPTHS, WIDTHS), UNKNOWN, np.uint8)
    codes[:, ILM + 20 : ILM + 50, 30:40] = SOME_FLUID
    found = banded_codes()
    found[:, ILM + 20 : ILM + 50, 30:60] = FLUID
    scan = AnsweredScan(OCTVolume(banded_bscans(), SPACING), codes, {})
    sample = view_sample(scan, lambda _volume: [found, banded_codes()])
    assert sample is not None
    assert (sample.fluid > 127).any()
    unknown = sample.known[0, 60:BRUCH_ROW] < 128  # higher up the view leaves the picture
    assert unknown.any()
    doubtful = (found[0] == FLUID) & (codes[0] == UNKNOWN)
    expected = doubtful.sum() * SPACING.depth_mm / 0.0078 * SPACING.width_mm / 0.0234
    assert unknown.sum() == pytest.approx(expected, rel=0.3)


def test_scan_without_a_retina_is_left_out(tmp_path: Path) -> None:
    scan = AnsweredScan(OCTVolume(banded_bscans(), SPACING), banded_codes() * 0, {})
    assert view_sample(scan, no_maps) is None
    case = AnsweredCase("blink", "blink", lambda: scan)
    assert write_views([case], no_maps, tmp_path, ignore_progress) == 0
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="found no segmentation"):
        view_sample(replace(scan, codes=None), no_maps)


def test_commands_write_views_and_learn_from_them(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    words = ("--phantoms", "2", "--bscans", "1", "--bundle", str(tmp_path / "bundle"))
    for folder, first in (("known", "0"), ("others", "2")):
        run("fluid-views", *words, "--first-seed", first, "--out", str(tmp_path / folder))
    options = ("--iterations", "2", "--validate-iterations", "2", "--single-precision")
    out = ("--out", str(tmp_path / "run"), *options, "--held-out")
    assert run("fluid", str(tmp_path / "known"), *out, str(tmp_path / "others")) == 0
    _, header = read_tensors(tmp_path / "run" / "final.safetensors")
    assert header["kind"] == "fluid_network"
    with pytest.raises(InputError, match="both to learn from and held out"):
        run("fluid", str(tmp_path / "known"), *out, str(tmp_path / "known"))


def test_views_of_another_version_or_shape_are_refused(tmp_path: Path) -> None:
    sample = cystic_view(0)
    write_sample(tmp_path / "a" / "old.npz", sample, version=np.array(0))
    with pytest.raises(InputError, match="found version 0; expected views of version 1"):
        read_view(tmp_path / "a" / "old.npz")
    write_sample(tmp_path / "a" / "odd.npz", sample, fluid=sample.fluid[:2])
    with pytest.raises(InputError, match="found arrays of shapes"):
        read_view(tmp_path / "a" / "odd.npz")
    np.savez(tmp_path / "a" / "other.npz", grid=np.zeros(3))
    with pytest.raises(InputError, match="found no fluid, gray"):
        read_view(tmp_path / "a" / "other.npz")
