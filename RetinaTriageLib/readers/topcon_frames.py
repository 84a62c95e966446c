"""B-scans of Topcon files: JPEG 2000 pictures in ``.fda``, raw 16 bit pixels in ``.fds``."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.binary import Content, part, record
from RetinaTriageLib.readers.embedded_picture import decode_picture
from RetinaTriageLib.readers.gray import lossless_gray
from RetinaTriageLib.readers.sizes import require_sides, require_unpackable
from RetinaTriageLib.readers.topcon_chunks import Chunks

PACKED = "@IMG_JPEG"
RAW = "@IMG_SCAN_03"

PACKED_HEADER = np.dtype(
    [
        ("mode", "u1"),
        ("brightness", "V8"),
        ("widths", "<u4"),
        ("depths", "<u4"),
        ("bscans", "<u4"),
        ("coding", "V4"),
    ]
)
RAW_HEADER = np.dtype(
    [
        ("mode", "u1"),
        ("widths", "<u4"),
        ("depths", "<u4"),
        ("bits", "<u4"),
        ("bscans", "<u4"),
        ("format", "u1"),
        ("size", "<u4"),
    ]
)
RAW_BITS = {8: "u1", 16: "<u2"}


def read_frames(chunks: Chunks, name: str) -> tuple[npt.NDArray[Any], int]:
    """Voxels (B-scan, depth, width) and the scan mode.

    Raises
    ------
    InputError
        If the file holds no B-scans, or damaged ones.
    """
    if PACKED in chunks:
        return _packed(chunks[PACKED][0], name)
    if RAW in chunks:
        return _raw(chunks[RAW][0], name)
    found = ", ".join(chunks) or "no chunk"
    msg = (
        f"{name} holds {found}, none with B-scans ({PACKED}, {RAW}); export the OCT "
        "scan, not a photograph or report."
    )
    raise InputError(msg)


def _packed(chunk: Content, name: str) -> tuple[npt.NDArray[Any], int]:
    header = record(chunk, 0, PACKED_HEADER, f"{PACKED} of {name}")
    sides = tuple(int(header[side]) for side in ("bscans", "depths", "widths"))
    require_sides(sides, name)
    require_unpackable(sides, 1, len(chunk), name)
    voxels: npt.NDArray[Any] | None = None
    place = PACKED_HEADER.itemsize
    for number in range(sides[0]):
        what = f"B-scan {number} of {name}"
        size = int.from_bytes(part(chunk, place, 4, what).tobytes(), "little")
        stream = part(chunk, place + 4, size, what).tobytes()
        pixels = decode_picture(stream, (sides[1], sides[2]), what)
        if voxels is None:
            voxels = np.empty(sides, pixels.dtype)
        if pixels.dtype != voxels.dtype:
            msg = f"{what} is {pixels.dtype}, the first is {voxels.dtype}; export the scan again."
            raise InputError(msg)
        voxels[number] = pixels
        place += 4 + size
    assert voxels is not None  # require_sides lets no scan without B-scans through
    return lossless_gray(voxels), int(header["mode"])


def _raw(chunk: Content, name: str) -> tuple[npt.NDArray[Any], int]:
    header = record(chunk, 0, RAW_HEADER, f"B-scans of {name}")
    sides = tuple(int(header[side]) for side in ("bscans", "depths", "widths"))
    require_sides(sides, name)
    bits = int(header["bits"])
    if bits not in RAW_BITS:
        msg = f"{name} states {bits} bits a pixel; expected 8 or 16. Export the scan again."
        raise InputError(msg)
    count = sides[0] * sides[1] * sides[2] * bits // 8
    stored = part(chunk, RAW_HEADER.itemsize, count, f"B-scans of {name}")
    # The copy sets the volume free from the mapped file.
    voxels = stored.copy().view(RAW_BITS[bits]).reshape(sides)
    return lossless_gray(voxels), int(header["mode"])
