from __future__ import annotations

import struct

import numpy as np
import pydicom
import pytest
from makers.dicom import Layout, opt_dataset, write_dicom
from makers.scan import made_scan
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from RetinaTriageLib.readers.dicom_groups import (
    PER_FRAME,
    UnusualEncodingError,
    _Parser,
    frame_groups,
    group_values,
)

LOCATED = Layout(located=True)


def written(tmp_path, syntax=ExplicitVRLittleEndian, change=None):
    path = tmp_path / "a.dcm"
    dataset = opt_dataset(made_scan(), LOCATED)
    dataset.file_meta.TransferSyntaxUID = syntax
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        frame.FrameAnatomySequence = [pydicom.Dataset()]
        frame.FrameAnatomySequence[0].FrameLaterality = "R"
    if change is not None:
        change(dataset)
    dataset.save_as(path, enforce_file_format=True)
    return path


def plain(value):
    if isinstance(value, dict):
        return {keyword: plain(one) for keyword, one in value.items()}
    return [float(one) for one in value] if not isinstance(value, str) else value


def assert_as_pydicom(path):
    ours = frame_groups(pydicom.dcmread(path))
    theirs = [group_values(frame) for frame in pydicom.dcmread(path)[PER_FRAME].value]
    assert ours[0] == len(theirs) == 4
    assert [plain(one) for one in ours[1]] == [plain(one) for one in theirs]
    assert len(ours[1][0]) == 4


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_values_are_those_of_pydicom(syntax, tmp_path):
    assert_as_pydicom(written(tmp_path, syntax))


def test_values_are_those_of_pydicom_where_lengths_are_undefined(tmp_path):
    def change(dataset):
        dataset["PerFrameFunctionalGroupsSequence"].is_undefined_length = True

    assert_as_pydicom(written(tmp_path, change=change))


def test_values_are_those_of_pydicom_where_inner_lengths_are_undefined(tmp_path):
    def change(dataset):
        frame = dataset.PerFrameFunctionalGroupsSequence[2]
        frame["PlanePositionSequence"].is_undefined_length = True

    assert_as_pydicom(written(tmp_path, change=change))


def test_only_the_first_items_are_converted_where_that_is_enough(tmp_path):
    count, values = frame_groups(pydicom.dcmread(written(tmp_path)), most=1)
    assert (count, len(values)) == (4, 1)


def test_other_representations_are_left_to_pydicom():
    value = struct.pack("<HH2sHd", 0x0018, 0x0088, b"FD", 8, 0.1)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(value)) + value
    with pytest.raises(UnusualEncodingError):
        _Parser(item, implicit=False).items(None)


def test_length_beyond_the_end_is_left_to_pydicom():
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 100)
    with pytest.raises(UnusualEncodingError):
        _Parser(item, implicit=False).items(None)


def test_data_set_without_functional_groups_has_none(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", made_scan(), Layout(grouped=False))
    assert frame_groups(pydicom.dcmread(path)) is None


def test_positions_are_finite_numbers(tmp_path):
    values = frame_groups(pydicom.dcmread(written(tmp_path)))[1]
    positions = [frame["PlanePositionSequence"]["ImagePositionPatient"] for frame in values]
    assert np.diff(np.array(positions)[:, 2]) == pytest.approx(0.12)
