"""Named chunks of Topcon ``.fda`` and ``.fds`` files.

"FOCT", three letters and two numbers, then chunks: length of the name, name, length, data.
Little-endian.

References
----------
The uocte wiki's "Topcon File Format", and OCT-Converter's binary structures (MIT). Topcon
publishes no description. Not checked on a real file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.binary import Content, part, record

MAGIC = b"FOCT"
FILE_HEADER_BYTES = 15
MOST_CHUNKS = 1000  # files hold some thirty

Chunks = Mapping[str, Sequence[Content]]

PARAM_SCAN_04 = np.dtype(
    [("unknown", "V12"), ("width_mm", "<f8"), ("height_mm", "<f8"), ("depth_um", "<f8")]
)
PARAM_SCAN_02 = np.dtype(
    [("unknown", "V21"), ("width_mm", "<f8"), ("height_mm", "<f8"), ("depth_um", "<f8")]
)
CAPTURE_INFO = np.dtype([("eye", "u1")])
# A box of minimum column, minimum row, maximum column and maximum row, in pixels.
REGIST_INFO = np.dtype(
    [("unknown", "V9"), ("fundus", "<u4", 4), ("version", "V32"), ("gray_fundus", "<u4", 4)]
)


def read_chunks(content: Content, name: str) -> Chunks:
    """Find the data of every chunk by its name; contours come several times.

    Raises
    ------
    InputError
        If the file is not one of Topcon's, is truncated or damaged.
    """
    if content[: len(MAGIC)].tobytes() != MAGIC:
        msg = f"{name} does not start with {MAGIC.decode()}; expected a Topcon .fda or .fds file."
        raise InputError(msg)
    chunks: dict[str, list[Content]] = {}
    place = FILE_HEADER_BYTES
    for _ in range(MOST_CHUNKS):
        if place >= len(content) or content[place] == 0:
            return MappingProxyType(chunks)
        what = f"Chunk of {name}"
        name_bytes = int(content[place])
        title = part(content, place + 1, name_bytes, what).tobytes().decode("latin-1")
        size_bytes = part(content, place + 1 + name_bytes, 4, what).tobytes()
        size = int.from_bytes(size_bytes, "little")
        first = place + 5 + name_bytes
        chunks.setdefault(title, []).append(part(content, first, size, f"{title} of {name}"))
        place = first + size
    msg = f"{name} holds more than {MOST_CHUNKS} chunks; it is damaged, copy or export it again."
    raise InputError(msg)


def first_record(
    chunks: Chunks, layouts: Mapping[str, np.dtype[np.void]], name: str
) -> np.void | None:
    """Fields of the first of some chunks that the file holds; None where it holds none.

    Parameters
    ----------
    layouts : name of a chunk to its fields, preferred ones first
    """
    for title, layout in layouts.items():
        if title in chunks:
            return record(chunks[title][0], 0, layout, f"{title} of {name}")
    return None
