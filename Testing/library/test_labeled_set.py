from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from example_case import example_case, example_tissue_map

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.labeled_set import (
    folder_set,
    load_case,
    phantom_case,
    phantom_set,
    with_spacing,
)
from RetinaTriageLib.labels.case_truth import read_truth, stated_answers
from RetinaTriageLib.labels.label_sets import NOT_FLUID, SOME_FLUID, UNKNOWN
from RetinaTriageLib.labels.slicer_pairs import segment_code
from RetinaTriageLib.outcomes import CONDITIONS, REFERRAL
from RetinaTriageLib.phantoms.description import describe_phantom
from RetinaTriageLib.phantoms.devices import SPECTRALIS
from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.volume import DeviceFamily, Laterality, VoxelSpacing
from RetinaTriageLib.writers.segmentation import write_segmentation

SPACING = VoxelSpacing(0.12, 0.004, 0.012)


def gray(shape: tuple[int, ...] = (2, 16, 20)) -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)


def write_stack(path: Path, **facts: object) -> Path:
    image = gray()
    codes = np.full_like(image, 3)
    np.savez(path, image=image, codes=codes, **facts)
    return path


def write_scan(path: Path, depth_step: float = 1.0) -> np.ndarray:
    """An NRRD scan in patient space; depth points to posterior, or to anterior where -1."""
    voxels = gray()
    image = SimpleITK.GetImageFromArray(voxels)
    image.SetSpacing((SPACING.width_mm, SPACING.depth_mm, SPACING.bscan_mm))
    image.SetDirection((1, 0, 0, 0, depth_step, 0, 0, 0, 1))
    SimpleITK.WriteImage(image, str(path))
    return voxels


def write_segments(path: Path, labels: np.ndarray, names: dict[int, str], scan: Path) -> None:
    image = SimpleITK.GetImageFromArray(labels)
    image.CopyInformation(SimpleITK.ReadImage(str(scan)))
    for number, (value, name) in enumerate(names.items()):
        image.SetMetaData(f"Segment{number}_ID", f"Segment_{number + 1}")
        image.SetMetaData(f"Segment{number}_Name", name)
        image.SetMetaData(f"Segment{number}_LabelValue", str(value))
        image.SetMetaData(f"Segment{number}_Layer", "0")
    SimpleITK.WriteImage(image, str(path))


def drawn() -> np.ndarray:
    labels = np.zeros((2, 16, 20), np.uint8)
    labels[0, 3:5, 4:9] = 1
    labels[1, 10:, 2:4] = 7
    return labels


def test_stack_brings_spacing_eye_and_answers(tmp_path: Path) -> None:
    conditions = np.zeros(len(CONDITIONS.outcomes), np.int8)
    conditions[[1, 2]] = 1, -1
    path = write_stack(
        tmp_path / "a.npz",
        spacing_mm=[0.12, 0.004, 0.012],
        laterality="OS",
        device="cirrus",
        referral=2,
        conditions=conditions,
    )
    case = load_case(path)
    assert case.volume.spacing == SPACING
    assert (case.volume.laterality, case.volume.device) == (Laterality.OS, DeviceFamily.CIRRUS)
    assert case.answers["referral"] == stated_answers(REFERRAL, "routine")
    assert case.answers["conditions"]["cnv"]
    assert "macular_retinal_edema" not in case.answers["conditions"]


def test_stack_without_facts_knows_nothing_but_its_labels(tmp_path: Path) -> None:
    case = load_case(write_stack(tmp_path / "a.npz"))
    assert (case.volume.spacing, case.volume.laterality, case.fovea) == (None, None, None)
    assert case.answers == {}
    assert case.patient == "a"


def test_answer_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found conditions"):
        load_case(write_stack(tmp_path / "a.npz", conditions=[1, 0]))


def test_stated_spacing_fills_what_is_unknown_and_is_marked(tmp_path: Path) -> None:
    write_stack(tmp_path / "a.npz")
    write_stack(tmp_path / "b.npz", spacing_mm=[0.24, 0.004, 0.012])
    first, second = with_spacing(folder_set(tmp_path), SPACING)
    assert first.volume.spacing == SPACING
    assert first.volume.sources["spacing"] == "user"
    assert second.volume.require_spacing().bscan_mm == 0.24


@pytest.mark.parametrize("depth_step", [1.0, -1.0])
def test_segments_of_slicer_become_codes_where_they_were_drawn(
    tmp_path: Path, depth_step: float
) -> None:
    scan = tmp_path / "a.nrrd"
    voxels = write_scan(scan, depth_step)
    names = {1: "Intraretinal Fluid", 7: "not_fluid"}
    write_segments(tmp_path / "a.seg.nrrd", drawn(), names, scan)
    case = load_case(scan)
    assert case.codes is not None
    assert case.volume.voxels[case.codes == 4].tolist() == pytest.approx(
        voxels[drawn() == 1][::1].tolist()
        if depth_step > 0
        else voxels[:, ::-1][drawn()[:, ::-1] == 1].tolist()
    )
    assert (case.codes == NOT_FLUID).sum() == (drawn() == 7).sum()
    assert (case.codes == UNKNOWN).sum() == (drawn() == 0).sum()


def test_cropped_segmentation_is_put_in_its_place(tmp_path: Path) -> None:
    scan = tmp_path / "a.nrrd"
    write_scan(scan)
    write_segments(tmp_path / "a.seg.nrrd", drawn(), {1: "fluid", 7: "retina"}, scan)
    whole = load_case(scan).codes
    labels = SimpleITK.ReadImage(str(tmp_path / "a.seg.nrrd"))
    part = labels[2:9, 3:16, :]
    for key in labels.GetMetaDataKeys():
        part.SetMetaData(key, labels.GetMetaData(key))
    SimpleITK.WriteImage(part, str(tmp_path / "a.seg.nrrd"))
    cropped = load_case(scan).codes
    assert whole is not None
    assert (whole == SOME_FLUID).sum() == 10
    np.testing.assert_array_equal(cropped, whole)


def test_map_that_we_wrote_is_read_as_it_was(tmp_path: Path) -> None:
    tissue_map, volume = example_tissue_map(), example_case().volume
    scan = SimpleITK.GetImageFromArray(gray(tissue_map.shape))
    write_segmentation(tissue_map, volume, TISSUES, tmp_path / "a.seg.nrrd")
    scan.CopyInformation(SimpleITK.ReadImage(str(tmp_path / "a.seg.nrrd")))
    SimpleITK.WriteImage(scan, str(tmp_path / "a.nrrd"))
    np.testing.assert_array_equal(load_case(tmp_path / "a.nrrd").codes, tissue_map)


def test_background_can_be_stated(tmp_path: Path) -> None:
    scan = tmp_path / "a.nrrd"
    write_scan(scan)
    write_segments(tmp_path / "a.seg.nrrd", drawn(), {1: "fluid"}, scan)
    (tmp_path / "a.json").write_text(json.dumps({"background": "not fluid"}))
    codes = load_case(scan).codes
    assert codes is not None
    assert set(np.unique(codes)) == {SOME_FLUID, NOT_FLUID}


def test_segment_of_unknown_name_is_refused(tmp_path: Path) -> None:
    scan = tmp_path / "a.nrrd"
    write_scan(scan)
    write_segments(tmp_path / "a.seg.nrrd", drawn(), {1: "Lens"}, scan)
    with pytest.raises(InputError, match="found segments \\['Lens'\\]"):
        load_case(scan)


def test_segment_names_are_read_leniently() -> None:
    assert segment_code(("Segment_1", "DRUSENOID ped")) == 8
    assert segment_code(("rpe",)) == 7
    assert segment_code(("Segment_1",)) is None


def test_truth_of_a_phantom_file_is_read(tmp_path: Path) -> None:
    profile = replace(SPECTRALIS, shape=(3, 96, 64), spacing=VoxelSpacing.from_um(240, 11.6, 60))
    phantom = make_phantom(5, profile)
    facts = describe_phantom(phantom, 5, profile)
    (tmp_path / "a.json").write_text(json.dumps(facts))
    truth = read_truth(tmp_path / "a.json")
    assert truth.answers == phantom_case(phantom, profile).answers
    assert truth.laterality == phantom.placement.laterality


def test_scan_with_a_verdict_alone_is_a_case(tmp_path: Path) -> None:
    write_scan(tmp_path / "a.nrrd")
    write_scan(tmp_path / "unlabeled.nrrd")
    facts = {"referral": "urgent", "laterality": "OD", "patient": 17}
    (tmp_path / "a.json").write_text(json.dumps(facts))
    (case,) = folder_set(tmp_path)
    assert case.codes is None
    assert case.answers["referral"]["urgent"]
    assert (case.patient, case.volume.laterality) == ("17", Laterality.OD)


def test_folder_without_labeled_scans_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Found no labeled scan"):
        folder_set(tmp_path)


def test_list_of_conditions_is_complete_and_an_object_is_not() -> None:
    complete = stated_answers(CONDITIONS, ["drusen"])
    assert len(complete) == len(CONDITIONS.outcomes)
    assert sum(complete.values()) == 1
    assert stated_answers(CONDITIONS, {"drusen": False}) == {"drusen": False}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", "no JSON"),
        ('{"refferal": "urgent"}', "expected an object with some of"),
        ('{"referral": "asap"}', "expected some of urgent"),
        ('{"referral": ["urgent", "routine"]}', "expected one name"),
        ('{"laterality": "left"}', "not a valid Laterality"),
        ('{"spacing_um": [1, 2]}', "expected \\[B-scan, depth, width\\]"),
    ],
)
def test_unusable_truth_is_refused(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=found):
        read_truth(tmp_path / "a.json")


def test_phantoms_bring_all_answers_and_their_fovea() -> None:
    profile = replace(SPECTRALIS, shape=(5, 96, 64), spacing=VoxelSpacing.from_um(480, 11.6, 60))
    case = phantom_set(profile, 1, 7).load(0)
    assert case.codes is not None
    assert case.codes.shape == case.volume.shape == (5, 96, 64)
    assert set(case.answers) == {"referral", "conditions", "progression", "treatment"}
    assert sum(case.answers["referral"].values()) == 1
    assert case.fovea is not None
    assert 0 < case.fovea.width < 64
