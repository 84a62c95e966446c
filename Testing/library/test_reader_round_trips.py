"""What a maker wrote is what its reader returns: voxels, spacing, eye and orientation."""

from __future__ import annotations

import numpy as np
import pytest
from example_eye import SMALL
from makers.dicom import (
    JPEG_2000,
    JPEG_LS,
    Layout,
    write_dicom,
    write_single_frames,
)
from makers.heidelberg import write_e2e, write_heidelberg_xml, write_vol
from makers.optovue import write_optovue
from makers.scan import made_scan
from makers.topcon import write_fda, write_fds
from makers.zeiss import img_name, write_img

from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.volume import Laterality, VoxelSpacing

WRITERS = {
    "vol": lambda folder, scan: write_vol(folder / "a.vol", scan),
    "xml": lambda folder, scan: write_heidelberg_xml(folder / "a", scan),
    "e2e": lambda folder, scan: write_e2e(folder / "a.E2E", scan),
    "fda": lambda folder, scan: write_fda(folder / "a.fda", scan),
    "fds": lambda folder, scan: write_fds(folder / "a.fds", scan),
    "oct": lambda folder, scan: write_optovue(folder / "a.OCT", scan),
    "dicom": lambda folder, scan: write_dicom(folder / "a.dcm", scan),
    "dicom without name": lambda folder, scan: write_dicom(folder / "IM0001", scan),
    "dicom on localizer": lambda folder, scan: write_dicom(
        folder / "a.dcm", scan, Layout(positioned=False, located=True)
    ),
    "dicom jpeg 2000": lambda folder, scan: write_dicom(folder / "a.dcm", scan, JPEG_2000),
    "dicom jpeg-ls": lambda folder, scan: write_dicom(folder / "a.dcm", scan, JPEG_LS),
    "dicom single frames": lambda folder, scan: write_single_frames(folder / "a", scan),
}
WITHOUT_SPACING = ("e2e", "oct")
WITHOUT_ORDER = ("oct",)
SUPERIOR_FIRST = ("fda", "fds")  # the only order that these formats have
WITH_LOCALIZER = ("vol", "xml")
SCALED = {"fds": 257}


def assert_same_voxels(volume, scan, made):
    expected = scan.voxels.astype(volume.voxels.dtype) * SCALED.get(made, 1)
    assert np.array_equal(volume.voxels, expected)


@pytest.fixture(params=WRITERS)
def made(request):
    return request.param


@pytest.mark.parametrize("eye", Laterality)
@pytest.mark.parametrize("superior_first", [False, True])
def test_scan_survives_writing_and_reading(made, eye, superior_first, tmp_path):
    if made in SUPERIOR_FIRST and not superior_first:
        pytest.skip("the format has one order of B-scans")
    scan = made_scan(laterality=eye, superior_first=superior_first)
    volume = read_volume(WRITERS[made](tmp_path, scan))
    assert_same_voxels(volume, scan, made)
    assert volume.laterality is eye
    assert volume.voxels.flags.c_contiguous
    if made not in WITHOUT_ORDER:
        assert volume.directions == pytest.approx(scan.directions, abs=1e-5)
    if made in WITHOUT_SPACING:
        assert volume.spacing is None
        assert any("Spacing is unknown" in sentence for sentence in volume.assumed)
    else:
        expected = scan.require_spacing()
        spacing = volume.require_spacing()
        assert spacing.bscan_mm == pytest.approx(expected.bscan_mm, rel=1e-5)
        assert spacing.depth_mm == pytest.approx(expected.depth_mm, rel=1e-5)
        assert spacing.width_mm == pytest.approx(expected.width_mm, rel=1e-5)


@pytest.mark.parametrize("made_with_origin", ["vol", "xml", "dicom", "dicom single frames"])
def test_first_voxel_lies_where_it_was(made_with_origin, tmp_path):
    scan = made_scan()
    volume = read_volume(WRITERS[made_with_origin](tmp_path, scan))
    assert volume.origin_mm == pytest.approx(scan.origin_mm, abs=1e-4)


def test_cirrus_cube_survives(tmp_path):
    spacing = VoxelSpacing(6 / 20, 2 / 1024, 6 / 120)
    scan = made_scan((20, 1024, 120), spacing, Laterality.OS)
    volume = read_volume(write_img(tmp_path / img_name(scan), scan))
    assert np.array_equal(volume.voxels, scan.voxels)
    assert volume.require_spacing() == spacing
    assert volume.laterality is Laterality.OS
    assert volume.directions == pytest.approx(scan.directions)


@pytest.fixture(scope="module")
def phantom():
    return make_phantom(7, SMALL, bscans=(0, 1, 2)).volume


def test_phantom_survives_every_format(made, phantom, tmp_path):
    volume = read_volume(WRITERS[made](tmp_path, phantom))
    assert_same_voxels(volume, phantom, made)
