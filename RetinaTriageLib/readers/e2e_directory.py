"""Directory of a Heidelberg ``.E2E`` file: which item of which scan lies where.

A file starts with "CMDb". From a main directory at byte 36, a chain of directories runs backwards
through the file; each lists items, and each item is a header of 60 bytes and its payload. Files of
several patients begin with 64 more bytes, which positions do not count. Little-endian throughout.

References
----------
The uocte wiki's "Heidelberg File Format", LibE2E, and eyepy ``io/he/e2e_format.py`` (MIT);
Heidelberg Engineering publishes no description. Not checked on a real file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.binary import Content, part, record

MAGIC = b"CMDb"
MULTIPLE_MAGIC = b"E2EMultipleVolumeFile"
MULTIPLE_BYTES = 64
FILE_HEADER_BYTES = 36
ITEM_HEADER_BYTES = 60

DIRECTORY = np.dtype(
    [
        ("magic", "S12"),
        ("version", "<u4"),
        ("unknown", "V20"),
        ("entries", "<u4"),
        ("current", "<u4"),
        ("previous", "<u4"),
        ("unknown2", "<u4"),
    ]
)
ENTRY = np.dtype(
    [
        ("position", "<u4"),
        ("start", "<u4"),
        ("size", "<u4"),
        ("unknown", "<u4"),
        ("patient", "<i4"),
        ("study", "<i4"),
        ("series", "<i4"),
        ("slice", "<i4"),
        ("index", "<u2"),
        ("unknown2", "<u2"),
        ("type", "<u4"),
        ("unknown3", "<u4"),
    ]
)


class ScanKey(NamedTuple):
    """What tells one scan of a file from another."""

    patient: int
    study: int
    series: int


@dataclass(frozen=True)
class E2EFile:
    """Content of a file and its items, in the order of the file."""

    content: Content
    skipped: int
    items: npt.NDArray[np.void]
    name: str

    def of(self, key: ScanKey, kind: int) -> npt.NDArray[np.void]:
        """Items of one type in one scan."""
        items = self.items
        chosen = items["type"] == kind
        for level, value in key._asdict().items():
            chosen &= items[level] == value
        found: npt.NDArray[np.void] = items[chosen]
        return found

    def payload(self, item: np.void) -> Content:
        """Bytes of an item."""
        start = self.skipped + int(item["start"]) + ITEM_HEADER_BYTES
        what = f"Item of type {int(item['type'])} in {self.name}"
        return part(self.content, start, int(item["size"]), what)


def read_directory(content: Content, name: str) -> E2EFile:
    """Items of a file.

    Raises
    ------
    InputError
        If it is no ``.E2E`` file, or its directories are damaged or run in a circle.
    """
    several = content[: len(MULTIPLE_MAGIC)].tobytes() == MULTIPLE_MAGIC
    skipped = MULTIPLE_BYTES if several else 0
    if content[skipped : skipped + len(MAGIC)].tobytes() != MAGIC:
        msg = f"{name} does not start with {MAGIC.decode()}; expected a Heidelberg .E2E export."
        raise InputError(msg)
    main = record(content, skipped + FILE_HEADER_BYTES, DIRECTORY, f"Main directory of {name}")
    tables = []
    visited: set[int] = set()
    listed = 0
    position = int(main["current"])
    while position:
        what = f"Directory of {name}"
        directory = record(content, skipped + position, DIRECTORY, what)
        listed += int(directory["entries"]) * ENTRY.itemsize
        # Directories that overlap could list the same items without end.
        if position in visited or listed > len(content):
            msg = f"Directories of {name} run in a circle; the file is damaged, export it again."
            raise InputError(msg)
        visited.add(position)
        first = skipped + position + DIRECTORY.itemsize
        table = part(content, first, int(directory["entries"]) * ENTRY.itemsize, what)
        tables.append(np.frombuffer(table.tobytes(), ENTRY))
        position = int(directory["previous"])
    entries = np.concatenate(tables[::-1]) if tables else np.zeros(0, ENTRY)
    # Unused entries at the end of a directory have no size, or point before themselves.
    used = (entries["size"] > 0) & (entries["start"] > entries["position"])
    return E2EFile(content, skipped, entries[used], name)


def scan_keys(file: E2EFile, kind: int) -> list[ScanKey]:
    """List the scans that hold an item of a type, in the order of the file."""
    items = file.items[file.items["type"] == kind]
    keys = [ScanKey(int(i["patient"]), int(i["study"]), int(i["series"])) for i in items]
    return list(dict.fromkeys(keys))
