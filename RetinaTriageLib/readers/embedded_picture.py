"""Pictures inside other files: JPEG and JPEG 2000, decoded with Pillow."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.codestream import stream_size

# Whatever a decoder raises on a damaged stream; all of it means the same to the user.
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    Image.DecompressionBombError,
)


def decode_picture(
    stream: bytes, shape: tuple[int, int], what: str, *, values: int = 1
) -> npt.NDArray[Any]:
    """Pixels (row, column), or (row, column, value) where a pixel has several.

    Parameters
    ----------
    shape : number of rows and columns that the file around the stream states
    values : of each pixel, 1 or 3

    Raises
    ------
    InputError
        If the stream is damaged, or another size or number of values than stated.
    """
    size = stream_size(stream)
    if size is None or (size.rows, size.columns, size.values) != (*shape, values):
        found = "no JPEG stream" if size is None else f"{size.rows} x {size.columns} pixels"
        msg = f"{what} holds {found}; expected {shape[0]} x {shape[1]} gray pixels. Export again."
        raise InputError(msg)
    try:
        with Image.open(io.BytesIO(stream), formats=("JPEG", "JPEG2000")) as picture:
            pixels = np.asarray(picture)
    except DECODER_ERRORS as error:
        msg = f"{what} cannot be decoded ({error}); copy or export the file again."
        raise InputError(msg) from error
    if pixels.shape[:2] != shape or pixels.ndim != (2 if values == 1 else 3):
        msg = f"{what} decodes to {pixels.shape}; expected {shape}. Export the file again."
        raise InputError(msg)
    return pixels
