from dataclasses import replace

import numpy as np
import pytest
import SimpleITK
from example_case import SPACING, example_case, example_tissue_map

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.tissues import TISSUES, Code
from RetinaTriageLib.volume import LabelArray, OCTVolume
from RetinaTriageLib.writers.segmentation import (
    segmentation_fields,
    terminology_entry,
    write_segmentation,
)


def example_volume() -> OCTVolume:
    """Scan of a turned grid away from the origin, so that no axis can hide another."""
    directions = np.array([[0.0, 0.6, 0.8], [0.0, -0.8, 0.6], [1.0, 0.0, 0.0]])
    return replace(example_case().volume, directions=directions, origin_mm=(3.0, -5.0, 7.0))


def written(path, tissue_map: LabelArray | None = None) -> SimpleITK.Image:
    tissue_map = example_tissue_map() if tissue_map is None else tissue_map
    write_segmentation(tissue_map, example_volume(), TISSUES, path / "map.seg.nrrd")
    return SimpleITK.ReadImage(str(path / "map.seg.nrrd"))


def test_labels_survive_writing_and_reading(tmp_path):
    labels = SimpleITK.GetArrayFromImage(written(tmp_path))
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, example_tissue_map())


@pytest.mark.parametrize("index", [(0, 0, 0), (8, 6, 1), (15, 0, 1)])
def test_voxels_lie_where_the_volume_has_them(tmp_path, index):
    lps = written(tmp_path).TransformIndexToPhysicalPoint(index)
    ras = example_volume().ijk_to_ras() @ [*index, 1]
    np.testing.assert_allclose(lps, ras[:3] * [-1, -1, 1], atol=1e-9)


def test_spacing_is_that_of_the_volume(tmp_path):
    spacing_mm = written(tmp_path).GetSpacing()
    expected = (SPACING.width_mm, SPACING.depth_mm, SPACING.bscan_mm)
    assert spacing_mm == pytest.approx(expected)


def test_header_fields_survive_writing_and_reading(tmp_path):
    image = written(tmp_path)
    for key, value in segmentation_fields(TISSUES, (2, 16, 16)).items():
        assert image.GetMetaData(key) == value


def test_header_says_that_it_is_compressed_and_in_patient_space(tmp_path):
    written(tmp_path)
    header = (tmp_path / "map.seg.nrrd").read_bytes().split(b"\n\n")[0].decode()
    assert "encoding: gzip" in header
    assert "space: left-posterior-superior" in header


def test_every_tissue_but_the_background_has_a_segment():
    fields = segmentation_fields(TISSUES, (2, 16, 16))
    ids = [value for key, value in fields.items() if key.endswith("_ID")]
    assert ids == [tissue.name for tissue in TISSUES[1:]]


def test_segment_values_are_tissue_labels():
    fields = segmentation_fields(TISSUES, (2, 16, 16))
    assert fields["Segment3_Name"] == "Intraretinal fluid"
    assert fields["Segment3_LabelValue"] == "4"
    assert fields["Segment3_Color"] == "1 1 0.180392"  # (255, 255, 46) / 255
    assert fields["Segment3_Extent"] == "0 15 0 15 0 1"


def test_terminology_entry_has_seven_parts_of_three():
    for tissue in TISSUES:
        context, *codes = terminology_entry(tissue).split("~")
        triples = [part for at, part in enumerate(codes) if at != 3]  # 3 names the second context
        assert "RetinaTriage" in context
        assert len(codes) == 6
        assert all(part.count("^") == 2 for part in triples)


def test_code_that_breaks_the_entry_is_refused():
    tissue = replace(TISSUES[1], code=Code("SCT", "1", "a~b"))
    with pytest.raises(InputError, match="separate codes"):
        terminology_entry(tissue)


def test_unknown_spacing_is_refused(tmp_path):
    volume = replace(example_volume(), spacing=None)
    with pytest.raises(GeometryError, match="Spacing of paper is unknown"):
        write_segmentation(example_tissue_map(), volume, TISSUES, tmp_path / "map.seg.nrrd")


@pytest.mark.parametrize(
    ("tissue_map", "why"),
    [
        (np.zeros((2, 16, 15), np.uint8), "shape of its volume"),
        (np.zeros((2, 16, 16), np.int16), "expected uint8"),
        (np.full((2, 16, 16), 15, np.uint8), "label 15; expected 0 to 14"),
    ],
)
def test_map_that_does_not_fit_is_refused(tmp_path, tissue_map, why):
    with pytest.raises(InputError, match=why):
        written(tmp_path, tissue_map)


def test_unwritable_file_is_a_system_error(tmp_path):
    with pytest.raises(OSError, match="could not be written"):
        written(tmp_path / "missing")
