from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from slicer_scan import SHAPE, write_pair, write_scan, write_segments
from training_job import PLAN

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.labels.label_sets import NOT_FLUID, SOME_FLUID, UNKNOWN
from RetinaTriageLib.labels.slicer_pairs import read_codes
from RetinaTriageLib.networks.segmentation import SegmentationConfig
from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.training.pair_stack import CONTEXT_BSCANS, read_pair
from RetinaTriageLib.training.sample_folder import Folder, stack_files
from RetinaTriageLib.training.segmentation_loop import train_segmentation
from RetinaTriageLib.training.stacks import load_stack


def terminology(code: str) -> dict[str, str]:
    return {"Name": "Segment_1", "Tags": f"TerminologyEntry:List~SCT^1^Any~{code}~^^~~^^~^^|"}


def test_labeled_bscans_and_their_neighbors_are_kept(tmp_path: Path) -> None:
    voxels = write_pair(tmp_path / "a.nrrd")
    pair = read_pair(tmp_path / "a.nrrd")
    window = slice(6 - CONTEXT_BSCANS, 8 + CONTEXT_BSCANS)
    np.testing.assert_array_equal(pair.image, voxels[window])
    assert set(np.unique(pair.codes)) == {3, NOT_FLUID, UNKNOWN}
    assert (pair.codes[CONTEXT_BSCANS, 4:10] == 3).all()


def test_scanner_stands_in_the_json(tmp_path: Path) -> None:
    write_pair(tmp_path / "a.nrrd", scanner="cirrus")
    assert load_stack(tmp_path / "a.nrrd").device == "cirrus"
    write_pair(tmp_path / "b.nrrd")
    assert load_stack(tmp_path / "b.nrrd").device == "spectralis"


def test_folder_may_hold_both_kinds_and_unlabeled_scans(tmp_path: Path) -> None:
    write_pair(tmp_path / "b.nrrd")
    write_scan(tmp_path / "unlabeled.nrrd")
    np.savez(tmp_path / "a.npz", image=np.zeros(SHAPE, np.uint8), codes=np.zeros(SHAPE, np.uint8))
    assert [path.name for path in stack_files(tmp_path)] == ["a.npz", "b.nrrd"]


def test_folder_without_labels_is_refused(tmp_path: Path) -> None:
    write_scan(tmp_path / "a.nrrd")
    with pytest.raises(InputError, match=r"no \.nrrd with its \.seg\.nrrd"):
        stack_files(tmp_path)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("SCT^5665001^Retina", 3),
        ("99RETINATRIAGE^rpe^RPE", 7),
        ("SCT^32457005^Body fluid", SOME_FLUID),
    ],
)
def test_terminology_tells_segments_that_have_no_telling_name(
    tmp_path: Path, code: str, expected: int
) -> None:
    scan = tmp_path / "a.nrrd"
    write_scan(scan)
    labels = np.zeros(SHAPE, np.uint8)
    labels[2, 5:9] = 1
    write_segments(scan, labels, {1: terminology(code)})
    codes = read_codes(read_volume(scan), scan)
    assert set(codes[labels == 1].tolist()) == {expected}


def test_segment_farther_down_in_the_list_wins(tmp_path: Path) -> None:
    scan = tmp_path / "a.nrrd"
    write_scan(scan)
    layers = np.zeros((*SHAPE, 2), np.uint8)
    layers[3, 4:12, :, 1], layers[3, 6:9, 5:9, 0] = 1, 2
    retina, fluid = ({"Name": name} for name in ("Neurosensory retina", "Intraretinal fluid"))
    write_segments(scan, layers, {1: retina | {"Layer": "1"}, 2: fluid | {"Layer": "0"}})
    codes = read_codes(read_volume(scan), scan)
    assert (codes[3, 6:9, 5:9] == 4).all()
    assert (codes == 3).sum() == 8 * 20 - 3 * 4


def test_code_of_several_tissues_is_refused(tmp_path: Path) -> None:
    scan = tmp_path / "a.nrrd"
    write_scan(scan)
    segment = {1: terminology("SCT^52002008^Retinal pigment epithelial detachment")}
    write_segments(scan, np.ones(SHAPE, np.uint8), segment)
    with pytest.raises(InputError, match="found segments"):
        read_pair(scan)


def test_network_learns_from_a_folder_of_slicer(tmp_path: Path) -> None:
    write_pair(tmp_path / "train" / "a.nrrd", patient="1")
    write_pair(tmp_path / "held_out" / "b.nrrd", patient="2")
    network = SegmentationConfig(channels=(4, 8), slice_levels=(1,), branches=("spectralis",))
    state = train_segmentation(
        replace(PLAN, network=network),
        [Folder(tmp_path / "train")],
        tmp_path / "run",
        held_out=[tmp_path / "held_out"],
    )
    assert state.best_score >= 0
    assert (tmp_path / "run" / "best.safetensors").exists()
