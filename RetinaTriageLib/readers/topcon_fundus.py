"""The gray fundus picture of a Topcon file."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.binary import part, record
from RetinaTriageLib.readers.embedded_picture import decode_picture
from RetinaTriageLib.readers.sizes import LARGEST_SIDE, require_unpackable
from RetinaTriageLib.readers.topcon_chunks import Chunks

TITLE = "@IMG_TRC_02"
HEADER = np.dtype(
    [
        ("columns", "<u4"),
        ("rows", "<u4"),
        ("bits", "<u4"),
        ("pictures", "<u4"),
        ("format", "u1"),
        ("size", "<u4"),
    ]
)


def read_gray_fundus(chunks: Chunks, name: str) -> npt.NDArray[Any] | None:
    """Pixels (row, column) of the first gray fundus picture; None where there is none.

    It is stored with 24 bits a pixel, three equal values.

    Raises
    ------
    InputError
        If the picture is damaged.
    """
    if TITLE not in chunks:
        return None
    chunk, what = chunks[TITLE][0], f"Fundus picture of {name}"
    header = record(chunk, 0, HEADER, what)
    rows, columns = int(header["rows"]), int(header["columns"])
    values = {8: 1, 24: 3}.get(int(header["bits"]))
    if values is None or not (0 < rows <= LARGEST_SIDE and 0 < columns <= LARGEST_SIDE):
        msg = (
            f"{what} states {rows} x {columns} pixels of {int(header['bits'])} bits; it is damaged."
        )
        raise InputError(msg)
    require_unpackable((rows, columns), values, len(chunk), what)
    stream = part(chunk, HEADER.itemsize, int(header["size"]), what).tobytes()
    pixels = decode_picture(stream, (rows, columns), what, values=values)
    return pixels if values == 1 else np.ascontiguousarray(pixels[..., 0])
