"""Voxels of a DICOM data set: native, RLE, JPEG, JPEG-LS and JPEG 2000.

Sizes are compared before anything is decoded, as decoders believe the stream. JPEG 2000 is decoded
by Pillow, JPEG-LS by pyjpegls, both through pydicom.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError, MissingPackageError
from RetinaTriageLib.readers.codestream import StreamSize, stream_size
from RetinaTriageLib.readers.dicom_file import INSTALL
from RetinaTriageLib.readers.gray import lossless_gray, single_channel
from RetinaTriageLib.readers.sizes import require_sides, require_unpackable

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

RLE = "1.2.840.10008.1.2.5"
JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
PHOTOMETRIC = {"MONOCHROME2": 1, "RGB": 3, "YBR_RCT": 3, "YBR_ICT": 3}


def dicom_voxels(dataset: FileDataset, name: str) -> npt.NDArray[Any]:
    """Gray array (frame, row, column).

    Raises
    ------
    InputError
        If the pixels are missing, obfuscated, of another size than stated, not gray, or of a
        compression that cannot be decoded here.
    """
    frames = frame_count(dataset)
    sides = (frames, int(dataset.get("Rows", 0)), int(dataset.get("Columns", 0)))
    require_sides(sides, name)
    values = _values(dataset, name)
    bits = int(dataset.get("BitsAllocated", 0))
    data = dataset.get("PixelData")
    if bits not in (8, 16) or not isinstance(data, bytes):
        found = "no pixel data" if data is None else f"{bits} bits a pixel"
        msg = f"{name} holds {found}; expected gray pixels of 8 or 16 bits. Export the scan again."
        raise InputError(msg)
    bytes_each = values * bits // 8
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated:
        require_unpackable(sides, bytes_each, len(data), name)
        _require_decoder(dataset, name)
        if syntax != RLE:
            _require_streams(data, sides, values, name)
    elif len(data) < sides[0] * sides[1] * sides[2] * bytes_each:
        msg = f"{name} states {sides} voxels and holds {len(data)} bytes; it is truncated."
        raise InputError(msg)
    pixels: npt.NDArray[Any] = dataset.pixel_array
    if values == 3:
        pixels = single_channel(pixels)
    return lossless_gray(pixels.reshape(sides))


def frame_count(dataset: FileDataset) -> int:
    """Return the number of frames that a data set states; 1 where it states none."""
    return int(dataset.get("NumberOfFrames") or 1)


def _values(dataset: FileDataset, name: str) -> int:
    photometric = str(dataset.get("PhotometricInterpretation", "none"))
    values = int(dataset.get("SamplesPerPixel", 1))
    if PHOTOMETRIC.get(photometric) != values:
        msg = (
            f"{name} is {photometric} with {values} values a pixel; expected gray B-scans "
            "(MONOCHROME2). Export them in gray, without drawn lines."
        )
        raise InputError(msg)
    return values


def _require_decoder(dataset: FileDataset, name: str) -> None:
    from pydicom.pixels.decoders.base import get_decoder

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        msg = f"{name} is compressed as {syntax.name}; expected JPEG, JPEG-LS, JPEG 2000 or RLE."
        raise InputError(msg) from error
    if decoder.is_available:
        return
    if syntax not in JPEG_LS:
        msg = (
            f"{name} is compressed as {syntax.name}, which nothing here decodes; export it "
            "uncompressed, or as JPEG 2000 or JPEG-LS."
        )
        raise InputError(msg)
    if find_spec("jpeg_ls") is None:
        msg = f"{name} is compressed as {syntax.name}, and no decoder for it is here; {INSTALL}"
        raise MissingPackageError(msg, "pyjpegls>=1.4")
    # It was installed after pydicom had looked for it.
    plugin = importlib.reload(importlib.import_module("pydicom.pixels.decoders.pyjpegls"))
    decoder.remove_plugin("pyjpegls")
    decoder.add_plugin("pyjpegls", (plugin.__name__, "_decode_frame"))


def _require_streams(data: bytes, sides: tuple[int, int, int], values: int, name: str) -> None:
    from pydicom.encaps import generate_frames

    expected = StreamSize(sides[1], sides[2], values)
    count = 0
    for stream in generate_frames(data, number_of_frames=sides[0]):
        found = stream_size(bytes(stream))
        if found is None:
            msg = (
                f"Frame {count} of {name} holds no JPEG stream. Zeiss obfuscates its own DICOM "
                "exports so; export unprocessed DICOM for other software, or .img."
            )
            raise InputError(msg)
        if found != expected:
            msg = (
                f"Frame {count} of {name} holds {found.rows} x {found.columns} pixels; expected "
                f"{sides[1]} x {sides[2]}. The file is damaged, export it again."
            )
            raise InputError(msg)
        count += 1
    if count != sides[0]:
        msg = f"{name} states {sides[0]} frames and holds {count}; it is truncated, export again."
        raise InputError(msg)


def picture_pixels(dataset: FileDataset, name: str) -> npt.NDArray[Any] | None:
    """Pixels (row, column) of a photograph such as a localizer; None where it is in color."""
    if frame_count(dataset) != 1 or int(dataset.get("SamplesPerPixel", 1)) != 1:
        return None
    return np.ascontiguousarray(dicom_voxels(dataset, name)[0])
