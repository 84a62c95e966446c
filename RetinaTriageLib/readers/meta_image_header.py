"""Whether the header of a MetaImage file is sound, before ITK reads it.

ITK's reader ends the whole process on headers that state a field twice, or lists whose length does
not fit the number of dimensions.

References
----------
https://itk.org/Wiki/ITK/MetaIO/Documentation, reference of tags.
"""

from __future__ import annotations

import re
from pathlib import Path

from RetinaTriageLib.errors import InputError

SUFFIXES = (".mha", ".mhd")
MOST_HEADER_BYTES = 2**16
DIMENSIONS = (b"2", b"3", b"4")
FIELD = re.compile(rb"\s*([A-Za-z][A-Za-z0-9_]*)\s*[=:]\s*(.*?)\s*")
LAST = b"elementdatafile"
SIDES = b"dimsize"
SPACINGS = (b"elementspacing", b"elementsize")
PLACES = (b"offset", b"position", b"origin", b"centerofrotation", b"center")
MATRICES = (b"transformmatrix", b"rotation", b"orientation")


def require_sound_header(path: Path) -> None:
    """Refuse a header that is no list of different fields whose lengths fit one another.

    Raises
    ------
    InputError
        If a field is damaged, stated twice, missing, or of another length than ``NDims`` says.
    """
    with path.open("rb") as file:
        fields = _fields(file.read(MOST_HEADER_BYTES), path.name)
    stated = fields.get(b"ndims", b"")
    if stated not in DIMENSIONS:
        raise _damaged(path.name, f"NDims {_shown(stated)}, expected 2 to 4")
    count = int(stated)
    lengths = {
        SIDES: count,
        **dict.fromkeys(SPACINGS + PLACES, count),
        **dict.fromkeys(MATRICES, count**2),
    }
    for name, length in lengths.items():
        values = fields.get(name, b"").split()
        if len(values) != length and (values or name == SIDES):
            raise _damaged(path.name, f"{len(values)} values of {name.decode()} for NDims {count}")


def _fields(content: bytes, name: str) -> dict[bytes, bytes]:
    """Fields of a header by their names in lower case, up to the one that is always the last."""
    fields: dict[bytes, bytes] = {}
    for line in content.split(b"\n"):
        field = FIELD.fullmatch(line)
        if field is None:
            if line.strip():
                raise _damaged(name, f"the line {_shown(line)}")
            continue
        key = field[1].lower()
        if key in fields:
            raise _damaged(name, f"{key.decode()} twice")
        fields[key] = field[2]
        if key == LAST:
            return fields
    raise _damaged(name, "no ElementDataFile")


def _shown(value: bytes) -> str:
    return repr(value[:40].decode("ascii", "replace"))


def _damaged(name: str, found: str) -> InputError:
    return InputError(f"{name} cannot be read: its header holds {found}; copy or save it again.")
