"""Heidelberg ``.E2E`` files, which may hold several scans.

B-scans lie in degrees in this format. Degrees become mm only with the size of the eye, which the
format does not hold, so the spacing stays unknown.

References
----------
Fields: see ``e2e_directory``. Lines are the last bytes of their item; readers that take them from
byte 16 shift them.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import numpy as np

from RetinaTriageLib.readers.binary import open_content, part, record
from RetinaTriageLib.readers.e2e_directory import E2EFile, read_directory
from RetinaTriageLib.readers.e2e_images import bscan_voxels, picture_left_out
from RetinaTriageLib.readers.e2e_scans import E2EScan, find_scans, series_entries
from RetinaTriageLib.readers.heidelberg import INVALID, Placement, place
from RetinaTriageLib.readers.heidelberg_vol import LINES
from RetinaTriageLib.readers.series import SeriesEntry, choose_series
from RetinaTriageLib.volume import (
    STANDARD_DIRECTIONS,
    DeviceFamily,
    DeviceRecord,
    FloatArray,
    OCTVolume,
    ScanPattern,
)

LINE_TYPE = 10019
LINE = np.dtype([("unknown", "<u4"), ("line", "<u4"), ("unknown2", "<u4"), ("widths", "<u4")])

# What LibOctData (0.2933) and eyepy (0.2896) take; for the hint to the user only.
MEDIUM_EYE_MM_PER_DEGREE = 0.2896
ASSUMED = (
    "B-scans are as scanned: the file keeps the device's alignment of their depths apart, and it "
    "is not applied.",
)


def read_heidelberg_e2e(path: Path, series: int | None = None) -> OCTVolume:
    """One scan of a file, with the device's lines.

    Gray values are the fourth root of the reflectivity, scaled to 8 bit, as in ``.vol`` files.

    Raises
    ------
    InputError
        If the file is damaged, or holds several scans and none was chosen.
    GeometryError
        If the B-scans of a raster are not at equal distances.
    """
    file = read_directory(open_content(path), path.name)
    scans = find_scans(file)
    scan = scans[choose_series(series_entries(scans), series, path.name)]
    header = scan.headers[0]
    voxels = bscan_voxels(file, scan.images, int(header["depths"]), int(header["widths"]))
    placement = _placement(scan, voxels.shape[2])
    facts = {"laterality": ".E2E item", "device": ".E2E format"}
    if scan.laterality is None:
        del facts["laterality"]
    if placement.raster is not None:
        facts["directions"] = ".E2E B-scan positions, degrees"
    return OCTVolume(
        voxels,
        None,
        scan.laterality,
        DeviceFamily.SPECTRALIS,
        placement.pattern,
        STANDARD_DIRECTIONS.copy() if placement.raster is None else placement.directions,
        name=path.stem,
        sources=MappingProxyType({**facts, "gray": "fourth root of the reflectivity"}),
        assumed=(_spacing_hint(scan, placement), *ASSUMED, *picture_left_out(file, scan.key)),
        record=DeviceRecord(lines=_lines(file, scan, voxels.shape[2])),
    )


def list_heidelberg_e2e(path: Path) -> tuple[SeriesEntry, ...]:
    """List the scans of a file."""
    return series_entries(find_scans(read_directory(open_content(path), path.name)))


def _placement(scan: E2EScan, widths: int) -> Placement:
    """How the B-scans lie, lengths in degrees in place of mm."""
    starts = np.array([header["start_degrees"] for header in scan.headers], np.float64)
    ends = np.array([header["end_degrees"] for header in scan.headers], np.float64)
    if scan.stated_pattern is ScanPattern.CIRCLE:
        ends = np.array([header["center_degrees"] for header in scan.headers], np.float64)
    return place(starts, ends, widths, scan.stated_pattern)


def _spacing_hint(scan: E2EScan, placement: Placement) -> str:
    header = scan.headers[0]
    um = 1000 * MEDIUM_EYE_MM_PER_DEGREE
    scanned = int(header["scanned_widths"])
    widths = scanned if 0 < scanned <= int(header["widths"]) else int(header["widths"])
    numbers = [
        f"{1000 * float(header['depth_mm']):.5g}",
        f"{um * placement.length_mm / widths:.4g}",
    ]
    if placement.bscan_mm is not None:
        numbers.insert(0, f"{um * placement.bscan_mm:.5g}")
    return (
        "Spacing is unknown: an .E2E file places B-scans in degrees, which become mm only with the "
        "size of the eye. State it from HEYEX, or export .vol or XML; for a medium eye, 0.2896 mm "
        f"a degree, it would be --spacing-um {' '.join(numbers)}."
    )


def _lines(file: E2EFile, scan: E2EScan, widths: int) -> MappingProxyType[str, FloatArray]:
    rows = {int(item["slice"]): row for row, item in enumerate(scan.images)}
    lines: dict[str, FloatArray] = {}
    for item in file.of(scan.key, LINE_TYPE):
        payload = file.payload(item)
        header = record(payload, 0, LINE, f"Device line of {file.name}")
        row, line = rows.get(int(item["slice"])), int(header["line"])
        if row is None or line >= len(LINES) or int(header["widths"]) != widths:
            continue
        what = f"Device line of {file.name}"
        stored = part(payload, len(payload) - 4 * widths, 4 * widths, what)
        depths = np.frombuffer(stored.tobytes(), "<f4")
        if LINES[line] not in lines:
            lines[LINES[line]] = np.full((len(scan.images), widths), np.nan, np.float32)
        valid = np.isfinite(depths) & (depths > 0) & (depths < INVALID)
        lines[LINES[line]][row] = np.where(valid, depths, np.nan)
    return MappingProxyType({name: rows for name, rows in lines.items() if np.isfinite(rows).any()})
