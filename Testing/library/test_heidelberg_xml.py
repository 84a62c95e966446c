from __future__ import annotations

import numpy as np
import pytest
import scan_files
from PIL import Image
from scan_files import Export

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.readers.heidelberg_xml import read_heidelberg_xml
from RetinaTriageLib.volume import Laterality, ScanPattern, VoxelSpacing, with_geometry

REAL = scan_files.REAL_DATA / "spectralis_volumes"
SYNTHETIC = scan_files.REAL_DATA / "heyex_synthetic" / "heyex_xml" / "test_volume"


def test_export_is_read_with_its_geometry(tmp_path):
    volume = read_heidelberg_xml(scan_files.write_xml_export(tmp_path / "case", Export()))
    assert (volume.name, volume.shape) == ("case", (3, 16, 20))
    spacing = volume.require_spacing()
    assert (spacing.bscan_mm, spacing.width_mm) == pytest.approx((0.12, 0.012))
    assert volume.laterality is Laterality.OD
    assert (volume.superior_sign, volume.nasal_sign) == (1, 1)
    assert volume.voxels.tolist() == scan_files.speckle().tolist()


def test_rounded_depth_is_replaced_and_the_reason_travels(tmp_path):
    volume = read_heidelberg_xml(scan_files.write_xml_export(tmp_path / "case", Export()))
    assert volume.require_spacing().depth_mm == pytest.approx(0.00387167)
    assert "rounds it to 3.9 µm" in volume.assumed[0]
    stated = with_geometry(volume, spacing=VoxelSpacing.from_um(120, 3.9, 12))
    assert len(stated.assumed) == 1


def test_depth_written_exactly_is_taken(tmp_path):
    exact = {"<ScaleY>0.0039</ScaleY>": "<ScaleY>0.003872</ScaleY>"}
    volume = read_heidelberg_xml(scan_files.write_xml_export(tmp_path / "case", Export(), exact))
    assert volume.require_spacing().depth_mm == 0.003872
    assert volume.assumed == ()


def test_contradicting_pixel_size_leaves_the_spacing_unknown(tmp_path):
    path = scan_files.write_xml_export(tmp_path / "case", Export(width_mm=0.0125))
    volume = read_heidelberg_xml(path)
    assert volume.spacing is None
    assert "contradicts itself" in volume.assumed[0]


def test_downward_raster_is_told_as_such(tmp_path):
    upwards = Export()
    export = Export(upwards.starts_mm[::-1], upwards.ends_mm[::-1])
    volume = read_heidelberg_xml(scan_files.write_xml_export(tmp_path / "case", export))
    assert volume.superior_sign == -1


def test_bscan_from_right_to_left_mirrors_the_width(tmp_path):
    export = Export(Export().ends_mm, Export().starts_mm)
    volume = read_heidelberg_xml(scan_files.write_xml_export(tmp_path / "case", export))
    assert volume.nasal_sign == -1
    assert volume.superior_sign == 1


def test_tilted_raster_keeps_its_tilt_and_distance(tmp_path):
    turn = np.radians(10)
    along = np.array([np.cos(turn), -np.sin(turn)])
    up = np.array([-np.sin(turn), -np.cos(turn)])
    starts = [tuple(np.array([1.0, 3.0]) + step * 0.12 * up) for step in range(3)]
    ends = [tuple(np.array(start) + 0.24 * along) for start in starts]
    export = Export(starts, ends)
    volume = read_heidelberg_xml(scan_files.write_xml_export(tmp_path / "case", export))
    assert volume.require_spacing().bscan_mm == pytest.approx(0.12, abs=0.001)
    expected = (-np.cos(turn), 0, np.sin(turn))
    assert volume.directions[:, 0] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("starts", "ends", "found"),
    [
        ([(1, 3.3), (1, 3.12), (1, 3)], [(1.24, 3.3), (1.24, 3.12), (1.24, 3)], "unequal"),
        ([(1, 3.24), (1, 3.12)], [(1.24, 3.24), (1.24, 3.2)], "different directions"),
        ([(1, 3.24), (1.1, 3.12)], [(1.24, 3.24), (1.34, 3.12)], "shifted along"),
        ([(1, 1), (1.12, 1)], [(1, 1.24), (1.12, 1.24)], "turned by 90"),
        ([(1, 1), (1, 1)], [(1.24, 1), (1.24, 1)], "unequal"),
    ],
)
def test_what_is_no_even_raster_is_refused(tmp_path, starts, ends, found):
    path = scan_files.write_xml_export(tmp_path / "case", Export(starts, ends))
    with pytest.raises(GeometryError, match=found):
        read_heidelberg_xml(path)


def test_thickness_table_has_its_center_on_the_scan(tmp_path):
    table = read_heidelberg_xml(
        scan_files.write_xml_export(tmp_path / "case", Export())
    ).record.thickness_table
    assert table.thickness_um["C0"] == pytest.approx(300)
    assert table.thickness_um["I2"] == pytest.approx(308)
    assert table.total_mm3 == 8.5
    # Localizer pixel (11.2, 31.2) is (1.12, 3.12) mm: B-scan 1, 0.12 mm from its start.
    assert table.center == pytest.approx((1, 10))


def test_grid_of_other_circles_is_not_taken_for_etdrs(tmp_path):
    other = {"<Diameter3>6.00": "<Diameter3>3.45"}
    path = scan_files.write_xml_export(tmp_path / "case", Export(), other)
    assert read_heidelberg_xml(path).record.thickness_table is None


def test_device_lines_are_kept_with_nan_where_invalid(tmp_path):
    line = f"<SegLine><Name>ILM</Name><Array>3e+038 {'9.5 ' * 19}</Array></SegLine>"
    added = {"</ImageData></Image></Series>": f"</ImageData><Segmentation>{line}</Segmentation>"}
    added = {old: new + "</Image></Series>" for old, new in added.items()}
    path = scan_files.write_xml_export(tmp_path / "case", Export(), added)
    inner = read_heidelberg_xml(path).record.lines["ILM"]
    assert np.isnan(inner[:2]).all()
    assert np.isnan(inner[2, 0])
    assert (inner[2, 1:] == 9.5).all()


def test_nothing_of_the_patient_is_kept(tmp_path):
    volume = read_heidelberg_xml(scan_files.write_xml_export(tmp_path / "case", Export()))
    assert not any(name in repr(volume) for name in ("Doe", "John", "Roe"))


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE HEDX [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
        '<!DOCTYPE HEDX SYSTEM "file:///etc/passwd">',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_document_types_are_refused(tmp_path, declaration, encoding):
    folder = scan_files.write_xml_export(tmp_path / "case", Export())
    text = (folder / "export.xml").read_text()
    (folder / "export.xml").write_text(declaration + text, encoding=encoding)
    with pytest.raises(InputError, match="document type"):
        read_heidelberg_xml(folder)


@pytest.mark.parametrize(
    "url", [r"C:\\..\\..\\secret.tif", "../secret.tif", "..", "/etc/secret.tif"]
)
def test_file_outside_the_folder_is_never_opened(tmp_path, url):
    scan_files.write_picture(tmp_path / "secret.tif", scan_files.speckle((16, 20)))
    moved = {"file:///C:\\Export\\2.TIF": url}
    folder = scan_files.write_xml_export(tmp_path / "case", Export(), moved)
    with pytest.raises(InputError, match="beside the XML"):
        read_heidelberg_xml(folder)


def test_tiff_of_another_size_is_refused(tmp_path):
    folder = scan_files.write_xml_export(tmp_path / "case", Export())
    Image.new("L", (20, 17)).save(folder / "2.tif")
    with pytest.raises(InputError, match=r"2.TIF holds pages of \[\(17, 20\)\]"):
        read_heidelberg_xml(folder)


def test_missing_tiff_is_refused(tmp_path):
    folder = scan_files.write_xml_export(tmp_path / "case", Export())
    (folder / "3.tif").unlink()
    with pytest.raises(InputError, match="copy the whole exported folder"):
        read_heidelberg_xml(folder)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("<NumImages>4", "<NumImages>5", "announces 5 images and lists 4"),
        ("<X>1.240</X>", "<X>nan</X>", "expected a number"),
        ("<ScaleX>0.0120", "<ScaleX>0", "more than 0"),
        ("</HEDX>", "", "not valid XML"),
        ("HEDX", "HTML", "holds 1 OCT scans below <HTML>"),
        ("<Width>20</Width>", "", "Found no OphthalmicAcquisitionContext/Width"),
        ("<Width>20</Width>", "<Width>20000000</Width>", "at most 8192"),
    ],
)
def test_damaged_xml_is_refused(tmp_path, old, new, found):
    folder = scan_files.write_xml_export(tmp_path / "case", Export(), {old: new})
    with pytest.raises(InputError, match=found):
        read_heidelberg_xml(folder / "export.xml")


def test_name_in_an_undeclared_encoding_does_no_harm(tmp_path):
    folder = scan_files.write_xml_export(tmp_path / "case", Export())
    path = folder / "export.xml"
    path.write_bytes(path.read_bytes().replace(b"Doe", b"M\xfcller"))
    assert read_heidelberg_xml(folder).shape == (3, 16, 20)


@pytest.mark.skipif(not REAL.exists(), reason="real Spectralis volumes are not on this machine")
@pytest.mark.parametrize(
    ("name", "eye", "bscan_um", "width_um", "central_um", "total_mm3"),
    [
        ("amd_patient1", "OS", 129.44, 12.135, 319, 8.401),
        ("amd_patient2", "OD", 119.71, 11.223, 318, 9.045),
        ("healthy_subject1", "OD", 124.73, 11.693, 300, 9.249),
        ("healthy_subject3", "OS", 124.90, 11.709, 284, 8.786),
    ],
)
def test_real_volumes_are_read(name, eye, bscan_um, width_um, central_um, total_mm3):
    volume = read_heidelberg_xml(REAL / name)
    assert volume.shape == (49, 496, 512)
    assert (volume.laterality.value, volume.pattern) == (eye, ScanPattern.RASTER)
    spacing = volume.require_spacing()
    assert 1000 * spacing.bscan_mm == pytest.approx(bscan_um, abs=0.01)
    assert 1000 * spacing.width_mm == pytest.approx(width_um, abs=0.001)
    table = volume.record.thickness_table
    assert (table.thickness_um["C0"], table.total_mm3) == pytest.approx((central_um, total_mm3))
    assert table.center == pytest.approx((24, 256), abs=0.1)


@pytest.mark.skipif(not REAL.exists(), reason="real Spectralis volumes are not on this machine")
@pytest.mark.parametrize("name", ["healthy_subject1", "healthy_subject3"])
def test_vessels_lie_where_the_localizer_shows_them(name):
    volume = read_heidelberg_xml(REAL / name)
    localizer, spacing = volume.record.localizer, volume.require_spacing()
    enface = volume.voxels.mean(axis=1)
    bscans, widths = np.indices(enface.shape)
    right, _, superior = (
        volume.origin_mm[axis]
        + volume.directions[axis, 0] * spacing.width_mm * widths
        + volume.directions[axis, 2] * spacing.bscan_mm * bscans
        for axis in range(3)
    )
    rows = (-superior / localizer.spacing_mm[0]).astype(int)
    columns = (-right / localizer.spacing_mm[1]).astype(int)
    picture = localizer.pixels[rows, columns].astype(float)
    as_read = _likeness(picture, enface)
    mirrored = [enface[::-1], enface[:, ::-1], enface[::-1, ::-1]]
    assert as_read > 0.1
    assert as_read > 2 * max(_likeness(picture, other) for other in mirrored)


def _likeness(picture, other):
    """Correlation along the B-scans, free of their different brightness and of slow changes."""
    details = []
    for image in (picture, other):
        smooth = [np.convolve(row, np.ones(5) / 5, mode="same") for row in image]
        slow = [np.convolve(row, np.ones(41) / 41, mode="same") for row in image]
        details.append((np.array(smooth) - np.array(slow))[:, 30:-30].ravel())
    return np.corrcoef(*details)[0, 1]


@pytest.mark.skipif(not SYNTHETIC.exists(), reason="synthetic export is not on this machine")
def test_synthetic_export_keeps_its_device_lines():
    volume = read_heidelberg_xml(SYNTHETIC)
    assert len(volume.record.lines) == 11
    assert volume.record.lines["ILM"][0, 2] == pytest.approx(9.6)
    assert volume.spacing is None


def test_volume_of_one_bscan_is_a_line(tmp_path):
    export = Export([(1.0, 3.0)], [(1.24, 3.0)])
    volume = read_heidelberg_xml(scan_files.write_xml_export(tmp_path / "case", export))
    assert volume.pattern is ScanPattern.LINE
    assert volume.require_spacing().bscan_mm is None
