"""What SimpleITK does not do with NIfTI files: notice that one ends early, unpack it only once.

SimpleITK fills the missing part of a truncated file with zeros, without an error, and reads
``a.nii`` when asked for ``a.nii.gz`` where both are there.

References
----------
Header fields: ``nifti1.h`` and ``nifti2.h``, https://nifti.nimh.nih.gov.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.sizes import LARGEST_RATIO, MOST_BYTES

GZIP, GZIP_MAGIC = 31, b"\x1f\x8b"  # 31 asks zlib for the format of gzip
CHUNK_BYTES = 2**22
PACKED_START_BYTES = 2**16
# Size of the header to where and how it stores sides, type, bits a voxel, first voxel, scale.
LAYOUTS = {
    348: ((40, "8h"), (70, "h"), (72, "h"), (108, "f"), (112, "ff")),
    540: ((16, "8q"), (12, "h"), (14, "h"), (168, "q"), (176, "dd")),
}
TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4"}
"""Data type of the header to that of an array, for gray values."""
UNSCALED = ((0.0, 0.0), (1.0, 0.0))
DAMAGE = (EOFError, zlib.error, OSError, struct.error, ValueError, OverflowError, MemoryError)


@dataclass(frozen=True)
class _Header:
    """``shape`` has the slowest axis first; ``voxels`` is the type of an unscaled gray one."""

    shape: tuple[int, ...]
    voxels: np.dtype[Any] | None
    first: int
    end: int


def nifti_voxels(path: Path) -> npt.NDArray[Any] | None:
    """Voxels of a ``.nii`` or ``.nii.gz``, slowest axis first; None for scaled or colored ones.

    Raises
    ------
    InputError
        If the file is damaged, ends before its last voxel, holds more than 2 GiB, or is a
        ``.nii.gz`` that lies beside the ``.nii`` of its name.
    """
    if path.suffix.lower() == ".gz" and path.with_suffix("").exists():
        msg = (
            f"{path.name} lies beside {path.stem}, which SimpleITK would read in its place; move "
            "one of them to another folder."
        )
        raise InputError(msg)
    try:
        with path.open("rb") as file:
            packed = file.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC)
            header = _header(_start(file, packed=packed))
            found = path.stat().st_size
            if not 0 < header.end <= min(MOST_BYTES, LARGEST_RATIO * found):
                msg = f"its header announces {header.end} bytes"
                raise ValueError(msg)
            content = bytearray(header.end if packed else min(header.end, found))
            found = _unpack(file, content) if packed else file.readinto(content)
    except DAMAGE as error:
        msg = f"{path.name} cannot be read ({error}); copy or export it again."
        raise InputError(msg) from error
    if found < header.end:
        msg = (
            f"{path.name} cannot be read: its header announces {header.end} bytes, it ends after "
            f"{found}. Copy or export it again."
        )
        raise InputError(msg)
    if header.voxels is None:
        return None
    count = math.prod(header.shape)
    return np.frombuffer(content, header.voxels, count, header.first).reshape(header.shape)


def _start(file: BufferedReader, *, packed: bool) -> bytes:
    """First bytes, unpacked; the file is at its start again."""
    start = file.read(PACKED_START_BYTES if packed else max(LAYOUTS))
    file.seek(0)
    return zlib.decompressobj(GZIP).decompress(start, max(LAYOUTS)) if packed else start


def _unpack(file: BufferedReader, content: bytearray) -> int:
    """Unpack as many bytes as there is place for; returns how many there were.

    zlib compares length and checksum where a stream ends; several may follow one another.
    """
    place, ended = 0, False
    view, unpacker = memoryview(content), zlib.decompressobj(GZIP)
    while chunk := file.read(CHUNK_BYTES):
        while chunk:
            # One byte beyond the place shows whether the stream ends there, as it should.
            unpacked = unpacker.decompress(chunk, len(content) - place + 1)
            kept = min(len(unpacked), len(content) - place)
            view[place : place + kept] = unpacked[:kept]
            place += kept
            if len(unpacked) > kept:
                return place
            ended = unpacker.eof
            chunk = unpacker.unconsumed_tail
            if ended:
                chunk = unpacker.unused_data.lstrip(b"\0")  # some programs fill up blocks
                unpacker = zlib.decompressobj(GZIP)
    if not ended:
        msg = "its end is missing"
        raise EOFError(msg)
    return place


def _header(content: bytes) -> _Header:
    orders: tuple[Literal["<", ">"], ...] = ("<", ">")
    order = next((o for o in orders if struct.unpack_from(f"{o}i", content)[0] in LAYOUTS), None)
    if order is None:
        msg = "it has no NIfTI header"
        raise ValueError(msg)
    layout = LAYOUTS[struct.unpack_from(f"{order}i", content)[0]]
    sides, (kind,), (bits,), (first,), scale = (
        struct.unpack_from(order + fields, content, offset) for offset, fields in layout
    )
    shape = tuple(max(1, side) for side in sides[1 : 1 + max(0, min(sides[0], 7))])
    voxels = np.dtype(TYPES[kind]).newbyteorder(order) if kind in TYPES else None
    if voxels is not None and (scale not in UNSCALED or voxels.itemsize * 8 != bits):
        voxels = None
    return _Header(shape[::-1], voxels, int(first), int(first + math.prod(shape) * bits // 8))
