from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
import scan_files
import SimpleITK

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.readers.regular_grid import read_regular_grid
from RetinaTriageLib.volume import STANDARD_DIRECTIONS, ScanPattern, VoxelSpacing, with_geometry

# Direction cosines of SimpleITK (LPS), columns are the axes from the fastest to the slowest.
DEPTH_UP = (1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0)


@pytest.mark.parametrize("suffix", [".nrrd", ".nii.gz", ".nii", ".mha", ".mhd"])
def test_volume_is_read_with_its_geometry(tmp_path, suffix):
    voxels = scan_files.speckle()
    volume = read_regular_grid(scan_files.write_grid(tmp_path / f"eye.one{suffix}", voxels))
    assert volume.name == "eye.one"
    assert np.array_equal(volume.voxels, voxels)
    spacing = volume.require_spacing()
    assert (spacing.bscan_mm, spacing.depth_mm, spacing.width_mm) == pytest.approx(
        (0.12, 0.0039, 0.012)
    )
    assert volume.directions == pytest.approx(STANDARD_DIRECTIONS)
    assert volume.origin_mm == pytest.approx((-1, -2, 3))
    assert volume.assumed == ()


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0)])
def test_axes_are_told_by_their_spacing_in_any_stored_order(tmp_path, order):
    voxels, spacing_mm = scan_files.speckle(), np.array([0.12, 0.0039, 0.012])
    lps = np.array([[0, 0, 1.0], [0, 1.0, 0], [1.0, 0, 0]])  # rows: B-scan, depth, width
    fastest_first = list(reversed(order))
    stored = scan_files.write_grid(
        tmp_path / "a.nrrd",
        np.ascontiguousarray(voxels.transpose(order)),
        tuple(spacing_mm[fastest_first]),
        tuple(lps[fastest_first].T.ravel()),
    )
    volume = read_regular_grid(stored)
    assert np.array_equal(volume.voxels, voxels)
    assert volume.directions == pytest.approx(STANDARD_DIRECTIONS)
    assert volume.assumed == ()


def test_stated_bscan_axis_wins(tmp_path):
    path = scan_files.write_grid(
        tmp_path / "a.nrrd", scan_files.speckle((20, 16, 18)), (0.03, 0.004, 0.03)
    )
    assert read_regular_grid(path, bscan_axis=2).shape == (18, 16, 20)
    with pytest.raises(InputError, match="bscan-axis 3"):
        read_regular_grid(path, bscan_axis=3)


def test_cube_of_equal_steps_follows_the_stored_order_and_says_so(tmp_path):
    voxels = scan_files.speckle((20, 18, 16)).transpose(1, 0, 2)  # depth last but stored first
    path = scan_files.write_grid(tmp_path / "a.nrrd", voxels, (0.03, 0.03, 0.002))
    volume = read_regular_grid(path)
    assert volume.shape == (20, 18, 16)
    assert "(depth, B-scan, width)" in volume.assumed[0]


def test_unit_spacing_is_unknown_never_one_millimeter(tmp_path):
    volume = read_regular_grid(
        scan_files.write_grid(tmp_path / "a.nrrd", scan_files.speckle(), (1, 1, 1))
    )
    assert volume.spacing is None
    assert "never taken as 1 mm" in volume.assumed[0]
    with pytest.raises(GeometryError, match="--spacing-um"):
        volume.require_spacing()


def test_impossible_spacing_is_quoted_and_can_be_stated(tmp_path):
    volume = read_regular_grid(
        scan_files.write_grid(tmp_path / "a.nrrd", scan_files.speckle(), (12, 3.9, 120))
    )
    assert volume.spacing is None
    assert "120000 µm between B-scans" in volume.assumed[0]
    stated = with_geometry(volume, spacing=VoxelSpacing.from_um(120, 3.9, 12))
    assert stated.require_spacing().bscan_mm == 0.12
    assert not any("unknown" in sentence for sentence in stated.assumed)


def test_depth_towards_anterior_is_reversed_in_place(tmp_path):
    voxels = scan_files.speckle()
    path = scan_files.write_grid(
        tmp_path / "a.nrrd", np.ascontiguousarray(voxels[:, ::-1]), direction=DEPTH_UP
    )
    volume = read_regular_grid(path)
    assert np.array_equal(volume.voxels, voxels)
    assert volume.directions == pytest.approx(STANDARD_DIRECTIONS)
    image = SimpleITK.ReadImage(str(path))
    last = np.array(image.TransformIndexToPhysicalPoint((0, 15, 0))) * (-1, -1, 1)
    assert volume.origin_mm == pytest.approx(last)
    assert "reversed" in volume.assumed[0]


def test_mirrored_width_is_kept_as_the_file_states_it(tmp_path):
    mirrored = (-1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
    path = scan_files.write_grid(tmp_path / "a.nrrd", scan_files.speckle(), direction=mirrored)
    volume = read_regular_grid(path)
    assert volume.directions[0, 0] == 1
    assert volume.origin_mm == pytest.approx((-1, -2, 3))


def test_axes_that_fit_no_eye_are_replaced_and_said(tmp_path):
    path = scan_files.write_grid(
        tmp_path / "a.nrrd", scan_files.speckle((16, 3, 20)), (0.012, 0.12, 0.0039)
    )
    volume = read_regular_grid(path)
    assert volume.shape == (3, 16, 20)
    assert volume.directions == pytest.approx(STANDARD_DIRECTIONS)
    assert "do not fit an eye" in volume.assumed[0]


def test_nrrd_without_a_space_has_no_orientation(tmp_path):
    header = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 20 16 3\nencoding: raw\n"
    header += "spacings: 0.012 0.0039 0.12\n\n"
    path = tmp_path / "a.nrrd"
    path.write_bytes(header.encode() + scan_files.speckle().tobytes())
    volume = read_regular_grid(path)
    assert volume.require_spacing().bscan_mm == 0.12
    assert "the file states none" in volume.assumed[0]


def test_single_slice_and_flat_picture_are_one_bscan(tmp_path):
    voxels = scan_files.speckle((1, 16, 20))
    slab = read_regular_grid(scan_files.write_grid(tmp_path / "a.nrrd", voxels))
    flat = read_regular_grid(scan_files.write_grid(tmp_path / "b.mha", voxels[0], (0.012, 0.0039)))
    for volume in (slab, flat):
        assert (volume.shape, volume.pattern) == ((1, 16, 20), ScanPattern.LINE)
        assert volume.require_spacing().bscan_mm is None


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (np.int16, np.uint16),
        (np.int32, np.uint16),
        (np.float64, np.float32),
        (np.uint16, np.uint16),
    ],
)
def test_types_are_converted_where_nothing_is_lost(tmp_path, stored, expected):
    voxels = scan_files.speckle()
    path = scan_files.write_grid(tmp_path / "a.nrrd", voxels.astype(stored))
    volume = read_regular_grid(path)
    assert volume.voxels.dtype == expected
    assert np.array_equal(volume.voxels, voxels)


def test_negative_gray_is_refused_with_a_remedy(tmp_path):
    voxels = scan_files.speckle().astype(np.int16) - 100
    with pytest.raises(InputError, match="16 bit without sign"):
        read_regular_grid(scan_files.write_grid(tmp_path / "a.nrrd", voxels))


def test_equal_channels_are_gray_and_different_ones_are_refused(tmp_path):
    gray = np.repeat(scan_files.speckle()[..., np.newaxis], 3, axis=-1)
    path = scan_files.write_grid(tmp_path / "a.nrrd", gray, channels=True)
    assert read_regular_grid(path).shape == (3, 16, 20)
    gray[0, 0, 0, 0] += 1
    with pytest.raises(InputError, match="colors"):
        read_regular_grid(scan_files.write_grid(tmp_path / "b.nrrd", gray, channels=True))


def test_segmentation_and_label_map_are_refused(tmp_path):
    labels = scan_files.speckle() // 64
    segmentation = scan_files.write_segmentation(tmp_path / "a.seg.nrrd", labels)
    with pytest.raises(InputError, match="is a segmentation"):
        read_regular_grid(segmentation)
    with pytest.raises(InputError, match="label map"):
        read_regular_grid(scan_files.write_grid(tmp_path / "b.nii.gz", labels))


@pytest.mark.parametrize("suffix", [".nrrd", ".nii", ".nii.gz", ".mha"])
def test_truncated_file_is_refused(tmp_path, suffix):
    path = scan_files.write_grid(tmp_path / f"a{suffix}", scan_files.speckle((9, 64, 64)))
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(InputError, match="cannot be read"):
        read_regular_grid(path)


@pytest.mark.parametrize("content", [b"", b"nonsense" * 80])
@pytest.mark.parametrize("suffix", [".nrrd", ".nii", ".nii.gz", ".mha"])
def test_damaged_file_is_refused(tmp_path, suffix, content):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read"):
        read_regular_grid(path)


def test_packed_file_beside_the_unpacked_one_is_refused(tmp_path):
    for suffix in (".nii", ".nii.gz"):
        image = scan_files.write_grid(tmp_path / f"a{suffix}", scan_files.speckle())
    with pytest.raises(InputError, match=r"beside a\.nii, which SimpleITK would read"):
        read_regular_grid(image)


def test_changed_byte_in_a_packed_file_is_refused(tmp_path):
    path = scan_files.write_grid(tmp_path / "a.nii.gz", scan_files.speckle())
    content = bytearray(path.read_bytes())
    content[-7] ^= 1  # in the checksum
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read"):
        read_regular_grid(path)


def test_scaled_packed_file_is_read_as_simple_itk_scales_it(tmp_path):
    path = scan_files.write_grid(tmp_path / "a.nii.gz", scan_files.speckle())
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[112:120] = struct.pack("<ff", 2.0, 1.0)
    path.write_bytes(gzip.compress(content))
    assert np.array_equal(read_regular_grid(path).voxels, 2.0 * scan_files.speckle() + 1)


def test_packed_file_of_several_streams_is_one_file(tmp_path):
    path = scan_files.write_grid(tmp_path / "a.nii.gz", scan_files.speckle())
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content[:700]) + gzip.compress(content[700:]) + bytes(5))
    assert np.array_equal(read_regular_grid(path).voxels, scan_files.speckle())


def test_packed_file_without_its_last_bytes_is_refused(tmp_path):
    path = scan_files.write_grid(tmp_path / "a.nii.gz", scan_files.speckle((8, 128, 128)))
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(InputError, match="end is missing"):
        read_regular_grid(path)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (b"NDims = 3\n", b"NDims = 3\nNDims = -13\n", "ndims twice"),
        (b"NDims = 3\n", b"NDims = -13\n", "NDims '-13'"),
        (b"NDims = 3\n", b"ND\x01\x00s = 3\n", "the line"),
        (b"DimSize = 20 16 3", b"DimSize = 20 16", "2 values of dimsize for NDims 3"),
        (b"Offset = 1 2 3", b"Offset = 1 2 3 4", "4 values of offset"),
        (b"ElementDataFile", b"ElementDatafiles", "the line|no ElementDataFile"),
    ],
)
def test_damaged_header_never_reaches_itk(tmp_path, old, new, found):
    path = scan_files.write_grid(tmp_path / "a.mha", scan_files.speckle())
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    with pytest.raises(InputError, match=found):
        read_regular_grid(path)
