from __future__ import annotations

import sys

import numpy as np
import pytest
from makers.dicom import (
    JPEG_2000,
    JPEG_LS,
    OLDER,
    Layout,
    opt_dataset,
    write_dicom,
    write_photograph,
    write_single_frames,
)
from makers.scan import NAMES, made_scan
from pydicom.pixels.decoders import JPEGLSLosslessDecoder
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGLosslessSV1

from RetinaTriageLib.errors import GeometryError, InputError, MissingPackageError
from RetinaTriageLib.readers import dicom_pixels
from RetinaTriageLib.readers.dicom import RAW_DATA, list_dicom, read_dicom
from RetinaTriageLib.volume import DeviceFamily, ScanPattern

LOCATED = Layout(located=True)


def read(tmp_path, change=None, layout=LOCATED, scan=None):
    return read_dicom(write_dicom(tmp_path / "a.dcm", scan or made_scan(), layout, change))


@pytest.mark.parametrize(
    ("maker", "model", "device"),
    [
        ("Heidelberg Engineering", "Spectralis", DeviceFamily.SPECTRALIS),
        ("Carl Zeiss Meditec", "CIRRUS HD-OCT 5000", DeviceFamily.CIRRUS),
        ("Carl Zeiss Meditec", "PLEX Elite", None),
        ("Topcon", "3D OCT-2000", DeviceFamily.TOPCON),
        ("Optovue", "RTVue XR", DeviceFamily.OPTOVUE),
        ("NIDEK", "RS-3000", None),
    ],
)
def test_maker_and_model_name_the_adaptation_branch(maker, model, device, tmp_path):
    assert read(tmp_path, layout=Layout(maker=maker, model=model)).device is device


def test_older_layout_takes_the_stated_distance_but_no_orientation(tmp_path):
    volume = read(tmp_path, layout=OLDER)
    assert volume.require_spacing().bscan_mm == pytest.approx(0.12)
    assert any(sentence.startswith("Orientation is assumed") for sentence in volume.assumed)


def test_slice_thickness_is_never_the_distance(tmp_path):
    volume = read(tmp_path, layout=Layout(positioned=False))
    assert volume.spacing is None
    assert "Slice Thickness is not it" in volume.assumed[0]


def test_positions_of_a_file_without_volumetric_properties_are_not_believed(tmp_path):
    def change(dataset):
        dataset.OphthalmicVolumetricPropertiesFlag = "NO"

    assert read(tmp_path, change, Layout()).spacing is None


def test_placeholders_of_oct_converter_are_refused(tmp_path):
    def change(dataset):
        measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        measures.PixelSpacing, measures.SliceThickness = [0.002, 0.002], 0.004

    volume = read(tmp_path, change)
    assert volume.spacing is None
    assert "OCT-Converter" in volume.assumed[0]


def test_unequal_distances_are_refused(tmp_path):
    def change(dataset):
        frame = dataset.PerFrameFunctionalGroupsSequence[-1]
        frame.PlanePositionSequence[0].ImagePositionPatient = [1.0, 0.0, -3.0]

    with pytest.raises(GeometryError, match=r"unequal distances.*120\.0 to"):
        read(tmp_path, change, Layout())


def test_radial_scan_is_told_by_its_axes(tmp_path):
    def change(dataset):
        for number, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
            angle = np.pi * number / 4
            along = np.array([np.cos(angle), 0, np.sin(angle)])
            position = -along * 0.012 * 19 / 2
            frame.PlanePositionSequence[0].ImagePositionPatient = list(position)
            axes = [*along, 0, 1, 0]
            frame.PlaneOrientationSequence[0].ImageOrientationPatient = list(axes)

    assert read(tmp_path, change, Layout()).pattern is ScanPattern.RADIAL


def test_circle_is_told_by_its_closed_track(tmp_path):
    def change(dataset):
        location = dataset.PerFrameFunctionalGroupsSequence[0].OphthalmicFrameLocationSequence[0]
        turns = np.linspace(0, 2 * np.pi, 21)
        track = np.column_stack([15 + 9 * np.sin(turns), 15 + 9 * np.cos(turns)])
        location.ReferenceCoordinates = list(track.ravel())

    volume = read(tmp_path, change, scan=made_scan((1, 16, 20)))
    assert volume.pattern is ScanPattern.CIRCLE


def test_both_eyes_in_one_scan_are_refused(tmp_path):
    def change(dataset):
        dataset.Laterality = "L"

    with pytest.raises(GeometryError, match="both eyes"):
        read(tmp_path, change)


def test_bscans_lie_on_the_photograph_beside_them(tmp_path):
    scan = made_scan()
    dataset = opt_dataset(scan, LOCATED)
    dataset.save_as(tmp_path / "opt.dcm", enforce_file_format=True)
    write_photograph(tmp_path / "photo.dcm", dataset)
    localizer = read_dicom(tmp_path).record.localizer
    assert localizer.pixels.shape == (30, 40)
    assert localizer.spacing_mm == pytest.approx((0.1, 0.1), rel=1e-5)
    assert localizer.bscan_ends_mm[2] == pytest.approx(np.array([[1.0, 3.26], [1.228, 3.26]]))


def test_single_frames_of_a_series_are_one_scan(tmp_path):
    folder = write_single_frames(tmp_path / "a", made_scan())
    assert [str(entry) for entry in list_dicom(folder)] == ["1: OD, 4 B-scans of 16 x 20"]


def test_one_of_several_scans_is_chosen_by_number(tmp_path):
    for number, bscans in enumerate((3, 5)):
        write_dicom(tmp_path / f"{number}.dcm", made_scan((bscans, 16, 20)))
    with pytest.raises(InputError, match=r"2 scans; choose one with --series: 1: .*; 2: "):
        read_dicom(tmp_path)
    assert {read_dicom(tmp_path, number).shape[0] for number in (1, 2)} == {3, 5}


def test_raw_data_are_refused_with_the_reason(tmp_path):
    def change(dataset):
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = RAW_DATA

    with pytest.raises(InputError, match="private form"):
        read(tmp_path, change)


def test_photographs_are_no_oct_scan(tmp_path):
    dataset = opt_dataset(made_scan(), LOCATED)
    with pytest.raises(InputError, match="no Ophthalmic Tomography Image"):
        read_dicom(write_photograph(tmp_path / "photo.dcm", dataset))


def test_obfuscated_frames_are_refused(tmp_path):
    def change(dataset):
        scrambled = bytearray(dataset.PixelData)
        first = scrambled.find(b"jP  ")
        scrambled[first : first + 4] = b"****"
        dataset.PixelData = bytes(scrambled)

    with pytest.raises(InputError, match="obfuscates"):
        read(tmp_path, change, JPEG_2000)


def test_stream_larger_than_stated_is_refused_before_decoding(tmp_path):
    def change(dataset):
        data = bytearray(dataset.PixelData)
        size = data.find(b"\xff\x4f\xff\x51") + 8
        data[size : size + 8] = b"\x00\x00\xff\xff" * 2
        dataset.PixelData = bytes(data)

    with pytest.raises(InputError, match="65535 x 65535 pixels"):
        read(tmp_path, change, JPEG_2000)


def test_truncated_pixels_are_refused(tmp_path):
    def change(dataset):
        dataset.PixelData = dataset.PixelData[:100]

    with pytest.raises(InputError, match="truncated"):
        read(tmp_path, change)


def test_deflated_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="deflated as a whole"):
        read(tmp_path, layout=Layout(syntax=DeflatedExplicitVRLittleEndian))


def test_missing_pydicom_is_answered_with_the_command(tmp_path, monkeypatch):
    path = write_dicom(tmp_path / "a.dcm", made_scan())
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(InputError, match=r"pip install 'retina-triage\[formats\]'"):
        read_dicom(path)


def test_nothing_of_the_patient_is_kept(tmp_path):
    said = repr(read(tmp_path))
    assert not any(name in said for name in NAMES)


def test_jpeg_2000_box_without_length_is_refused(tmp_path):
    def change(dataset):
        boxed = bytearray(dataset.PixelData)
        header = boxed.find(b"jp2h") - 4
        boxed[header : header + 4] = bytes(4)
        dataset.PixelData = bytes(boxed)

    with pytest.raises(InputError, match="no JPEG stream"):
        read(tmp_path, change, JPEG_2000)


def test_missing_decoder_is_named_as_pip_names_it(tmp_path, monkeypatch):
    path = write_dicom(tmp_path / "a.dcm", made_scan(), JPEG_LS)
    monkeypatch.setattr(JPEGLSLosslessDecoder, "_available", {})
    monkeypatch.setattr(dicom_pixels, "find_spec", lambda _name: None)
    with pytest.raises(MissingPackageError, match="no decoder") as caught:
        read_dicom(path)
    assert caught.value.requirements == ("pyjpegls>=1.4",)


def test_decoder_that_was_installed_meanwhile_is_found(tmp_path, monkeypatch):
    path = write_dicom(tmp_path / "a.dcm", made_scan(), JPEG_LS)
    monkeypatch.setattr(JPEGLSLosslessDecoder, "_available", {})
    monkeypatch.setattr(JPEGLSLosslessDecoder, "_unavailable", {"pyjpegls": ("pyjpegls",)})
    assert np.array_equal(read_dicom(path).voxels, made_scan().voxels)


def test_compression_that_nothing_decodes_is_refused_with_the_ones_to_choose(tmp_path):
    def change(dataset):
        dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1

    with pytest.raises(InputError, match="uncompressed, or as JPEG 2000 or JPEG-LS"):
        read(tmp_path, change, JPEG_2000)
