"""Occlusion tests against marked lesions: hits, chance, and the command."""

import csv
from pathlib import Path

import numpy as np
import pytest
from example_bundle import example_bundle
from example_image_bundle import example_image_bundle
from PIL import Image

from RetinaTriageLib.cli.main import main
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.occlusion_hits import OcclusionHit, occlusion_hit, summarize
from RetinaTriageLib.explain.occlusion_map import BoolArray, FloatArray, OcclusionBox, OcclusionMap
from RetinaTriageLib.explain.picture_occlusion import region_of_interest
from RetinaTriageLib.tissues import TISSUES

SHAPE = (40, 50)


def lesion() -> BoolArray:
    mask = np.zeros(SHAPE, np.bool_)
    mask[10:14, 20:30] = True
    return mask


def found(depth: int, width: int, height: float = 0.4) -> OcclusionMap:
    """Test whose drop is one square of 4 x 4 pixels around a place."""
    drop = np.zeros(SHAPE, np.float32)
    drop[depth - 2 : depth + 2, width - 2 : width + 2] = height
    drop[depth, width] *= 1.1
    return OcclusionMap(0.9, drop, region_of_interest(drop), 7, box=OcclusionBox(6, 6))


def picture() -> FloatArray:
    image = np.zeros(SHAPE, np.float32)
    image[:20] = 0.5
    return image


def hit(depth: int, width: int, height: float = 0.4) -> OcclusionHit:
    return occlusion_hit("one", picture(), lesion(), found(depth, width, height))


def test_box_centered_on_the_lesion_is_a_hit():
    one = hit(12, 25)
    assert one.on_lesion
    assert one.touches
    assert one.region_precision == 1
    assert one.region_recall == pytest.approx(16 / 40)


def test_box_beside_the_lesion_touches_it():
    one = hit(16, 25)
    assert not one.on_lesion
    assert one.touches


def test_box_far_away_is_a_miss():
    one = hit(30, 10)
    assert not one.touches
    assert one.region_precision == 0


def test_no_drop_is_a_miss_wherever_it_lies():
    one = hit(12, 25, height=0.0)
    assert not one.touches
    assert summarize([one]).without_drop == 1


def test_chance_is_the_share_of_boxes_on_tissue():
    one = hit(12, 25)
    tissue_rows = 21.0  # boxes whose center lies above depth 21 are brighter than the picture
    assert one.chance_on == pytest.approx(40 / (tissue_rows * 50), rel=0.1)
    assert one.chance_touches == pytest.approx(9 * 15 / (tissue_rows * 50), rel=0.1)


def test_hits_are_summed_up_beside_chance():
    summary = summarize([hit(12, 25), hit(16, 25), hit(30, 10)])
    assert (summary.on_lesion, summary.touches, summary.bscans) == (1, 2, 3)
    assert summary.chance_touches == pytest.approx(3 * hit(12, 25).chance_touches)


def test_bscan_without_a_lesion_is_refused():
    with pytest.raises(InputError, match="Found 0 marked pixels"):
        occlusion_hit("one", picture(), np.zeros(SHAPE, np.bool_), found(12, 25))


def test_command_tests_the_largest_lesions_and_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    example_image_bundle(tmp_path / "bundle")
    noise = np.random.default_rng(0)
    for folder in ("images", "fluid", "pictures"):
        (tmp_path / folder).mkdir()
    for number in range(3):
        gray = Image.fromarray(noise.integers(0, 255, SHAPE, dtype=np.uint8))
        gray.save(tmp_path / "images" / f"S{number}_z.png")
        mask = np.zeros(SHAPE, np.uint8)
        mask[5:10, : 10 * number] = 1  # the first has none
        Image.fromarray(mask).save(tmp_path / "fluid" / f"S{number}_z.png")
        gray.save(tmp_path / "pictures" / f"picture{number}.png")
    words = ["evaluate", "occlusion", "--lesions", tmp_path, "--largest", 1, "--class", "CNV"]
    words += ["--spacing-um", 120, 4, 12, "--pictures", tmp_path / "pictures"]
    words += ["--bundle", tmp_path / "bundle", "--out", tmp_path / "out"]
    assert main([str(word) for word in words]) == 0
    with (tmp_path / "out" / "hits.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["S2_z"]
    with (tmp_path / "out" / "pictures.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 3
    told = capsys.readouterr().out
    assert "best box touches the lesion" in told
    assert "picture2" in told
    assert len(list((tmp_path / "out").glob("*.png"))) == 4


def test_tissue_maps_mark_what_nobody_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    example_image_bundle(tmp_path / "bundle")
    example_bundle(tmp_path / "maps")
    (tmp_path / "pictures").mkdir()
    noise = np.random.default_rng(0).integers(0, 255, SHAPE, dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "pictures" / "one.png")
    words = ["evaluate", "occlusion", "--pictures", tmp_path / "pictures", "--class", "CNV"]
    words += ["--marks-of", tmp_path / "maps", "--mark", *(tissue.name for tissue in TISSUES)]
    words += ["--bundle", tmp_path / "bundle", "--gray", "auto", "--out", tmp_path / "out"]
    assert main([str(word) for word in words]) == 0
    assert "of 1 (" in capsys.readouterr().out
