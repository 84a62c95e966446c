"""Size of a picture that a compressed stream states, read without decoding it.

Decoders take the size from the stream and reserve memory for it, whatever the file around it says.

References
----------
JPEG: ITU-T T.81 B.2.2; JPEG-LS: T.87 C.2.2; JPEG 2000: T.800 A.5.1 and I.5.3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

JP2_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
BOX_HEADER_BYTES = 8
J2K_START = b"\xff\x4f\xff\x51"  # start of codestream, then the size segment
JPEG_START = b"\xff\xd8"
# Start of frame of every JPEG process and of JPEG-LS; the gaps are other segments.
FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
MOST_SEGMENTS = 200


@dataclass(frozen=True)
class StreamSize:
    """Size of a picture and how many values each pixel has."""

    rows: int
    columns: int
    values: int


def stream_size(stream: bytes) -> StreamSize | None:
    """Size that a JPEG, JPEG-LS or JPEG 2000 stream states; None where it is none of them."""
    if stream.startswith(JP2_SIGNATURE):
        start = _first_codestream(stream)
        return None if start is None else _jpeg_2000_size(stream, start)
    if stream.startswith(J2K_START):
        return _jpeg_2000_size(stream, 0)
    return _jpeg_size(stream) if stream.startswith(JPEG_START) else None


def _first_codestream(stream: bytes) -> int | None:
    """Place of the codestream among the boxes of a JP2 file; None where they are damaged.

    Boxes without a length are refused: pydicom would step over them forever.
    """
    place = len(JP2_SIGNATURE)
    while len(stream) >= place + BOX_HEADER_BYTES:
        size, kind = struct.unpack_from(">I4s", stream, place)
        if kind == b"jp2c":
            start = place + BOX_HEADER_BYTES
            return start if stream.startswith(J2K_START, start) else None
        if size < BOX_HEADER_BYTES:
            return None
        place += size
    return None


def _jpeg_2000_size(stream: bytes, start: int) -> StreamSize | None:
    if len(stream) < start + 42:
        return None
    right, bottom, left, top = struct.unpack_from(">4I", stream, start + 8)
    (values,) = struct.unpack_from(">H", stream, start + 40)
    return StreamSize(bottom - top, right - left, values)


def _jpeg_size(stream: bytes) -> StreamSize | None:
    place = 2
    for _ in range(MOST_SEGMENTS):
        if len(stream) < place + 10 or stream[place] != 0xFF:
            return None
        marker = stream[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        (length,) = struct.unpack_from(">H", stream, place + 2)
        if marker in FRAME_MARKERS:
            rows, columns, values = struct.unpack_from(">HHB", stream, place + 5)
            return StreamSize(rows, columns, values)
        place += 2 + length
    return None
