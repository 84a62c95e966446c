"""Header files that name the file of their voxels: NRRD (``.nhdr``) and MetaImage (``.mhd``).

The name could lead anywhere, and the voxels read from there would end in a report; only a plain
file beside the header is allowed.

References
----------
https://teem.sourceforge.net/nrrd/format.html, detached headers; MetaIO, ElementDataFile.
"""

from __future__ import annotations

import re
from pathlib import Path

from RetinaTriageLib.errors import InputError

MOST_HEADER_BYTES = 2**20
DATA_FILE = re.compile(rb"^(?:data ?file\s*:|ElementDataFile\s*=)\s*(.*?)\s*$", re.I | re.M)
INSIDE = b"LOCAL"  # MetaImage: voxels follow the header in the same file


def data_file(path: Path) -> Path:
    """File that holds the voxels of a NRRD or MetaImage file, which may be the file itself.

    Raises
    ------
    InputError
        If the header names a list of files, a file elsewhere, or one that does not exist.
    """
    with path.open("rb") as file:
        header = file.read(MOST_HEADER_BYTES)
    nrrd = header.startswith(b"NRRD")
    if nrrd:
        header = re.split(rb"\r?\n\r?\n", header, maxsplit=1)[0]
    found = DATA_FILE.search(header)
    if found is None or found[1].upper() == INSIDE:
        return path
    written = found[1].decode("utf-8", "replace")
    beside = path.parent / written
    plain = written == Path(written).name and not re.search(r"[\\/:%]", written)
    if not plain or written.split(" ")[0].upper() == "LIST":
        msg = (
            f"{path.name} names {written[:60]!r} as the file of its voxels; expected one plain "
            "file name beside it. Save the scan as one .nrrd or .mha file."
        )
        raise InputError(msg)
    if not beside.is_file() or beside.is_symlink():
        msg = f"Found no {written!r} beside {path.name}; copy both files."
        raise InputError(msg)
    return beside
