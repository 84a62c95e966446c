"""What SimpleITK does not do with NIfTI files: notice that one ends early, unpack it only once.

SimpleITK fills the missing part of a truncated file with zeros, without an error, and reads
``a.nii`` when asked for ``a.nii.gz`` where both are there.

References
----------
Header fields: ``nifti1.h`` and ``nifti2.h``, https://nifti.nimh.nih.gov.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.sizes import LARGEST_RATIO, MOST_BYTES

CHUNK_BYTES = 2**22
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


def require_complete_nifti(path: Path) -> None:
    """Refuse a truncated ``.nii``, and a ``.nii.gz`` that SimpleITK would take for another file.

    Raises
    ------
    InputError
        If a ``.nii`` ends before its last voxel, or lies beside the ``.nii.gz`` of its name.
    """
    if path.suffix.lower() != ".gz":
        try:
            with path.open("rb") as file:
                end = _header(file.read(max(LAYOUTS))).end
        except DAMAGE as error:
            raise _damaged(path, error) from error
        _require_end(path, end, path.stat().st_size)
    elif path.with_suffix("").exists():
        msg = (
            f"{path.name} lies beside {path.stem}, which SimpleITK would read in its place; move "
            "one of them to another folder."
        )
        raise InputError(msg)


def unpacked_voxels(path: Path) -> npt.NDArray[Any] | None:
    """Voxels of a ``.nii.gz``, slowest axis first; None for scaled or colored ones.

    Raises
    ------
    InputError
        If the file is damaged, ends before its last voxel or unpacks to more than 2 GiB.
    """
    try:
        with gzip.open(path) as file:
            header = _header(file.read(max(LAYOUTS)))
            if not 0 < header.end <= min(MOST_BYTES, LARGEST_RATIO * path.stat().st_size):
                msg = f"its header announces {header.end} bytes"
                raise ValueError(msg)
            file.seek(0)
            content = bytearray(header.end)
            found = _fill(content, file)
            file.read(1)  # at the end the checksum is compared
    except DAMAGE as error:
        raise _damaged(path, error) from error
    _require_end(path, header.end, found)
    if header.voxels is None:
        return None
    count = math.prod(header.shape)
    return np.frombuffer(content, header.voxels, count, header.first).reshape(header.shape)


def _fill(content: bytearray, file: gzip.GzipFile) -> int:
    """Read as many bytes as there is place for; returns how many there were."""
    place, view = 0, memoryview(content)
    while place < len(content):
        count = file.readinto(view[place : place + CHUNK_BYTES])
        if not count:
            break
        place += count
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


def _require_end(path: Path, expected: int, found: int) -> None:
    if found < expected:
        msg = (
            f"{path.name} cannot be read: its header announces {expected} bytes, it ends after "
            f"{found}. Copy or export it again."
        )
        raise InputError(msg)


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path.name} cannot be read ({error}); copy or export it again.")
