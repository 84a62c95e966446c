"""Occlusion test with bundles of either kind, and what the command writes."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from example_bundle import example_bundle
from example_image_bundle import example_image_bundle
from PIL import Image

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.bundle_networks import classifier_grid
from RetinaTriageLib.cli.main import main
from RetinaTriageLib.decision import decide
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.explain.bundle_occlusion import find_score, occlude_bscan
from RetinaTriageLib.explain.local_maps import LocalMaps, width_reach
from RetinaTriageLib.explain.lone_bscan import lone_bscan, picture_of, with_picture
from RetinaTriageLib.explain.occlusion_map import OcclusionBox, OcclusionMode
from RetinaTriageLib.explain.picture_occlusion import OcclusionPlan
from RetinaTriageLib.explain.tissue_map_judge import TissueMapJudge
from RetinaTriageLib.inference.bscan_stream import bscan_stream
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.inference.ensemble import judge_grids
from RetinaTriageLib.networks.classifier_input import GridAccumulator
from RetinaTriageLib.networks.segmentation import SegmentationConfig, SegmentationNetwork
from RetinaTriageLib.outcomes import OUTCOME_HEADS, REFERRAL
from RetinaTriageLib.pipeline import TriageOptions, triage
from RetinaTriageLib.volume import DeviceFamily, OCTVolume, ScanPattern, VoxelSpacing

SPACING = VoxelSpacing.from_um(120, 4, 12)


def volume(bscans: int = 3) -> OCTVolume:
    voxels = np.random.default_rng(3).integers(0, 255, (bscans, 30, 22), dtype=np.uint8)
    return OCTVolume(voxels, SPACING, device=DeviceFamily.CIRRUS, name="eye")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "bscan.png"
    Image.fromarray(volume().voxels[0]).save(path)
    return path


def test_lone_bscan_stays_where_it_was():
    whole = volume()
    bscan = lone_bscan(whole, 2)
    assert bscan.pattern is ScanPattern.LINE
    assert bscan.name == "eye B-scan 3"
    here = bscan.ijk_to_ras() @ [5, 7, 0, 1]
    assert here == pytest.approx(whole.ijk_to_ras() @ [5, 7, 2, 1])


def test_gray_of_a_lone_bscan_is_that_of_its_volume():
    values = np.arange(2 * 40 * 40, dtype=np.float32).reshape(2, 40, 40)
    dark, bright = (lone_bscan(OCTVolume(values, None), index).voxels for index in (0, 1))
    assert dark.max() <= bright.min() + 1
    assert bright.max() == 255


def test_bscan_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="Found B-scan 4; expected 1 to 3"):
        lone_bscan(volume(), 3)


def test_picture_returns_to_the_scan():
    bscan = lone_bscan(volume(), 1)
    assert np.array_equal(with_picture(bscan, picture_of(bscan)).voxels, bscan.voxels)


def scores_of_a_full_scan(bscan: OCTVolume, bundle: Bundle) -> Any:
    """Referral where the maps of a line scan fill every row of the classifier's grid."""
    result = triage(bscan, bundle, TriageOptions(compute="cpu"))
    grid = classifier_grid(bundle.manifest)
    hypotheses = []
    for one in result.hypotheses:
        whole = GridAccumulator(bscan.shape, bscan.spacing, grid, bundle.vocabulary.tissues)
        whole.add_labels(one.tissue_map)
        row = whole.finish()[:, grid.shape[0] // 2, None]
        (own,) = judge_grids(
            [np.repeat(row, grid.shape[0], axis=1)], bundle, compute=choose_compute("cpu")
        )
        hypotheses.append(replace(one, opinions=own))
    return decide(tuple(hypotheses), bundle.vocabulary, bundle.calibration).scores["referral"]


def test_tissue_map_judge_scores_a_bscan_as_a_scan_of_its_like(tmp_path: Path):
    bundle = example_bundle(tmp_path / "bundle", segmenters=2, classifiers=2)
    bscan = lone_bscan(volume(), 1)
    judge = TissueMapJudge(bscan, bundle, REFERRAL, compute=choose_compute("cpu"))
    expected = scores_of_a_full_scan(bscan, bundle)
    assert judge(picture_of(bscan)[None])[0] == pytest.approx(expected, abs=1e-6)


def test_maps_around_a_box_are_those_of_the_whole_bscan():
    torch.manual_seed(0)
    shape = SegmentationConfig(channels=(2, 4), slice_levels=(1,), branches=("spectralis",))
    network = SegmentationNetwork(shape).eval()
    voxels = np.random.default_rng(3).integers(0, 255, (1, 30, 150), dtype=np.uint8)
    bscan = OCTVolume(voxels, SPACING, pattern=ScanPattern.LINE)
    assert 2 * width_reach(network.config) < 60
    stream = bscan_stream(network, "spectralis", bscan, choose_compute("cpu"))
    local = LocalMaps(bscan, [stream], [network.config])
    boxed = picture_of(bscan).copy()
    boxed[10:20, 70:75] = 0.5
    (found,) = local.of(boxed)
    (expected,) = LocalMaps(with_picture(bscan, boxed), [stream], [network.config]).whole
    assert np.array_equal(found, expected)
    assert not np.array_equal(found, local.whole[0])


def test_tissue_map_pipeline_sees_the_box(tmp_path: Path):
    bundle = example_bundle(tmp_path / "bundle")
    bscan, compute = lone_bscan(volume(), 1), choose_compute("cpu")
    found = occlude_bscan(bscan, bundle, "urgent", compute=compute)
    depth, width = np.unravel_index(np.abs(found.drop).argmax(), found.drop.shape)
    boxed = picture_of(bscan).copy()
    boxed[OcclusionBox().around(int(depth), int(width))] = 0
    after = scores_of_a_full_scan(with_picture(bscan, boxed), bundle)[0]
    assert found.drop[depth, width] == pytest.approx(found.probability - after, abs=1e-5)


def test_image_bundle_is_tested_everywhere(tmp_path: Path):
    bundle = example_image_bundle(tmp_path / "bundle")
    plan = OcclusionPlan(OcclusionMode.EXHAUSTIVE, OcclusionBox(6, 6), batch=64)
    found = occlude_bscan(
        lone_bscan(volume(), 0), bundle, "CNV", plan, compute=choose_compute("cpu")
    )
    assert found.judged == 30 * 22
    assert np.abs(found.drop).max() > 0


@pytest.mark.parametrize("score", ["routine", "referral.routine"])
def test_score_is_found_by_its_outcome_or_with_its_head(score: str):
    assert find_score(OUTCOME_HEADS, score) == (REFERRAL, 2)


def test_unknown_scores_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"Found 0 scores 'blue'.*referral\.urgent"):
        find_score(OUTCOME_HEADS, "blue")
    bundle = example_image_bundle(tmp_path / "bundle")
    with pytest.raises(InputError, match=r"no class 'DME'.*CNV, DRUSEN, NORMAL"):
        occlude_bscan(lone_bscan(volume(), 0), bundle, "DME", compute=choose_compute("cpu"))


def test_command_writes_overlay_drops_and_region(tmp_path: Path, picture: Path):
    example_image_bundle(tmp_path / "bundle")
    out = tmp_path / "out"
    words = ["explain", "occlusion", picture, "--bundle", tmp_path / "bundle", "--class", "DRUSEN"]
    words += ["--out", out, "--spacing-um", 120, 4, 12, "--box", 8]
    assert main([str(word) for word in words]) == 0
    facts = json.loads((out / "region.json").read_text())
    with (out / "region.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["score"] == facts["score"] == "DRUSEN"
    assert np.load(out / "drop.npy").shape == (30, 22)
    assert {path.name for path in out.iterdir()} == {
        "overlay.png", "drop.npy", "drop.nrrd", "region.csv", "region.json"
    }  # fmt: skip


def test_command_asks_for_a_bscan_of_a_volume(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    example_image_bundle(tmp_path / "bundle")
    pages = [Image.fromarray(bscan) for bscan in volume().voxels]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    words = ["explain", "occlusion", tmp_path / "scan.tif", "--bundle", tmp_path / "bundle"]
    words += ["--class", "CNV", "--out", tmp_path / "out"]
    assert main([str(word) for word in words]) == 3
    assert "choose one with --bscan N" in capsys.readouterr().err


def test_no_boxes_beside_tissue_where_that_is_asked(tmp_path: Path):
    voxels = np.zeros((1, 60, 60), np.uint8)
    voxels[:, 20:24] = voxels[:, 40:44] = 200  # what lies between is dark, as fluid is
    bscan = OCTVolume(voxels, SPACING, pattern=ScanPattern.LINE)
    bundle, compute = example_image_bundle(tmp_path / "bundle"), choose_compute("cpu")
    plan = OcclusionPlan(box=OcclusionBox(6, 6, 0.5))
    found = occlude_bscan(bscan, bundle, "CNV", plan, compute=compute, tissue_only=True)
    touched = np.flatnonzero((found.drop != 0).any(axis=1))
    assert 15 < touched.min() < touched.max() < 49
    assert (found.drop[28:36] != 0).any()
