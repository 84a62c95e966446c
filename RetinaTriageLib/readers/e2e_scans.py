"""Scans of a Heidelberg ``.E2E`` file: their B-scans in order, eye side and pattern.

References
----------
Fields: see ``e2e_directory``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from RetinaTriageLib.readers.binary import record
from RetinaTriageLib.readers.e2e_directory import E2EFile, ScanKey, scan_keys
from RetinaTriageLib.readers.e2e_images import IMAGE_TYPE
from RetinaTriageLib.readers.heidelberg import LATERALITY
from RetinaTriageLib.readers.heidelberg_vol import PATTERNS
from RetinaTriageLib.readers.series import SeriesEntry
from RetinaTriageLib.volume import Laterality, ScanPattern

LATERALITY_TYPE, BSCAN_TYPE = 11, 10004
LATERALITY_BYTE = 14
BSCAN = np.dtype(
    [
        ("unknown", "<u4"),
        ("depths", "<u4"),
        ("widths", "<u4"),
        ("start_degrees", "<f4", 2),
        ("end_degrees", "<f4", 2),
        ("unknown2", "V8"),
        ("depth_mm", "<f4"),
        ("unknown3", "V20"),
        ("scanned_widths", "<u4"),
        ("bscans", "<u4"),
        ("number", "<u4"),
        ("pattern", "<u4"),
        ("center_degrees", "<f4", 2),
    ]
)


@dataclass(frozen=True)
class E2EScan:
    """One scan of a file.

    Attributes
    ----------
    images : directory items of the B-scans, in their order
    headers : of the B-scans, records of `BSCAN`
    laterality : None where it is not stated
    """

    key: ScanKey
    images: tuple[np.void, ...]
    headers: tuple[np.void, ...]
    laterality: Laterality | None

    @property
    def stated_pattern(self) -> ScanPattern | None:
        """How the B-scans lie, as the file states it; None where it does not."""
        return PATTERNS.get(int(self.headers[0]["pattern"]))


def find_scans(file: E2EFile) -> list[E2EScan]:
    """All scans of a file that have B-scans."""
    scans = []
    for key in scan_keys(file, BSCAN_TYPE):
        images = {int(item["slice"]): item for item in file.of(key, IMAGE_TYPE) if item["index"]}
        found = []
        for item in file.of(key, BSCAN_TYPE):
            header = record(file.payload(item), 0, BSCAN, f"B-scan header of {file.name}")
            image = images.get(int(item["slice"]))
            if image is not None:
                found.append((int(header["number"]), int(item["slice"]), image, header))
        if not found:
            continue
        found.sort(key=lambda entry: entry[:2])
        scans.append(
            E2EScan(
                key,
                tuple(entry[2] for entry in found),
                tuple(entry[3] for entry in found),
                _laterality(file, key),
            )
        )
    return scans


def series_entries(scans: Sequence[E2EScan]) -> tuple[SeriesEntry, ...]:
    """List scans, for whoever has to choose one of them."""
    entries = []
    for number, scan in enumerate(scans, 1):
        eye = scan.laterality.value if scan.laterality else "eye unknown"
        pattern = scan.stated_pattern.value if scan.stated_pattern else "pattern unknown"
        header = scan.headers[0]
        size = f"{len(scan.images)} B-scans of {int(header['depths'])} x {int(header['widths'])}"
        entries.append(SeriesEntry(number, f"{eye}, {pattern}, {size}"))
    return tuple(entries)


def _laterality(file: E2EFile, key: ScanKey) -> Laterality | None:
    for item in file.of(key, LATERALITY_TYPE):
        payload = file.payload(item)
        if len(payload) > LATERALITY_BYTE:
            return LATERALITY.get(chr(payload[LATERALITY_BYTE]))
    return None
