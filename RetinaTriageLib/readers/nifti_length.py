"""Whether a NIfTI file holds all voxels that its header announces.

SimpleITK fills the missing part of a truncated NIfTI file with zeros, without an error.

References
----------
Header fields: ``nifti1.h`` and ``nifti2.h``, https://nifti.nimh.nih.gov.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from RetinaTriageLib.errors import InputError

CHUNK_BYTES = 2**22
# Size of the header to where and how it stores the sides, the bits a voxel and the first voxel.
LAYOUTS = {348: ((40, "8h"), (72, "h"), (108, "f")), 540: ((16, "8q"), (14, "h"), (168, "q"))}


def require_complete_nifti(path: Path) -> None:
    """Refuse a truncated ``.nii`` or ``.nii.gz``.

    Raises
    ------
    InputError
        If the file ends before its last voxel.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            header = file.read(max(LAYOUTS))
            expected = _announced_bytes(header)
            found = _count(file, len(header), expected)
    except (EOFError, zlib.error, OSError, struct.error, ValueError, OverflowError) as error:
        msg = f"{path.name} cannot be read ({error}); copy or export it again."
        raise InputError(msg) from error
    if found < expected:
        msg = (
            f"{path.name} cannot be read: its header announces {expected} bytes, it ends after "
            f"{found}. Copy or export it again."
        )
        raise InputError(msg)


def _announced_bytes(header: bytes) -> int:
    order = next((o for o in "<>" if struct.unpack_from(f"{o}i", header)[0] in LAYOUTS), None)
    if order is None:
        msg = "it has no NIfTI header"
        raise struct.error(msg)
    layout = LAYOUTS[struct.unpack_from(f"{order}i", header)[0]]
    sides, (bits,), (first,) = (
        struct.unpack_from(order + fields, header, offset) for offset, fields in layout
    )
    voxels = 1
    for side in sides[1 : 1 + max(0, min(sides[0], 7))]:
        voxels *= max(1, side)
    return int(first + voxels * bits // 8)


def _count(file: BinaryIO | gzip.GzipFile, start: int, most: int) -> int:
    """Bytes up to the end of the file, or to where enough has been seen."""
    while start < most:
        chunk = file.read(min(CHUNK_BYTES, most - start))
        if not chunk:
            break
        start += len(chunk)
    return start
