"""Heidelberg ``.E2E`` files, which may hold several scans.

B-scans lie in degrees in this format. Degrees become mm only with the size of the eye, which the
format does not hold, so the spacing stays unknown. The en-face picture is left out, and this is
said: no field is known that states how many degrees it covers, and its pixels do not tell (768
cover 30° in the high-speed mode, 15° in the high-resolution one).

References
----------
Fields: see ``e2e_directory``. The mantissa of a pixel is read in its natural order, as LibOctData
does; eyepy 0.21 and OCT-Converter 0.7 read its bits backwards, which scatters gray values. Lines
are the last bytes of their item; readers that take them from byte 16 shift them. Picture sizes:
SPECTRALIS Accessories Hardware Manual, 8.1, as quoted in eyepy's issue 66.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.binary import open_content, part, record
from RetinaTriageLib.readers.e2e_directory import E2EFile, ScanKey, read_directory, scan_keys
from RetinaTriageLib.readers.heidelberg import INVALID, LATERALITY, Placement, place
from RetinaTriageLib.readers.heidelberg_vol import LINES, PATTERNS
from RetinaTriageLib.readers.series import SeriesEntry, choose_series
from RetinaTriageLib.readers.sizes import require_sides
from RetinaTriageLib.volume import (
    STANDARD_DIRECTIONS,
    DeviceFamily,
    DeviceRecord,
    FloatArray,
    Laterality,
    OCTVolume,
    ScanPattern,
)

LATERALITY_TYPE, BSCAN_TYPE, LINE_TYPE, IMAGE_TYPE = 11, 10004, 10019, 1073741824
LATERALITY_BYTE = 14
IMAGE = np.dtype(
    [("size", "<u4"), ("kind", "<u4"), ("count", "<u4"), ("depths", "<u4"), ("widths", "<u4")]
)
BSCAN_KIND, PICTURE_KIND = 0x20, 0x01  # third byte of an image's kind: 16 bit, 8 bit en face
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
LINE = np.dtype([("unknown", "<u4"), ("line", "<u4"), ("unknown2", "<u4"), ("widths", "<u4")])

EMPTY = 1.99  # A-scans without data hold the largest value, 1.999
# What LibOctData (0.2933) and eyepy (0.2896) take; for the hint to the user only.
MEDIUM_EYE_MM_PER_DEGREE = 0.2896
ASSUMED = (
    "B-scans are as scanned: the file keeps the device's alignment of their depths apart, and it "
    "is not applied.",
)


@dataclass(frozen=True)
class _Scan:
    key: ScanKey
    images: tuple[np.void, ...]  # directory items of the B-scans, in their order
    headers: tuple[np.void, ...]
    laterality: Laterality | None

    @property
    def stated_pattern(self) -> ScanPattern | None:
        return PATTERNS.get(int(self.headers[0]["pattern"]))


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
    scans = _scans(file)
    scan = scans[choose_series(_entries(scans), series, path.name)]
    voxels = _voxels(file, scan)
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
        assumed=(_spacing_hint(scan, placement), *ASSUMED, *_picture_left_out(file, scan.key)),
        record=DeviceRecord(lines=_lines(file, scan, voxels.shape[2])),
    )


def list_heidelberg_e2e(path: Path) -> tuple[SeriesEntry, ...]:
    """List the scans of a file."""
    return _entries(_scans(read_directory(open_content(path), path.name)))


def _entries(scans: list[_Scan]) -> tuple[SeriesEntry, ...]:
    entries = []
    for number, scan in enumerate(scans, 1):
        eye = scan.laterality.value if scan.laterality else "eye unknown"
        pattern = scan.stated_pattern.value if scan.stated_pattern else "pattern unknown"
        header = scan.headers[0]
        size = f"{len(scan.images)} B-scans of {int(header['depths'])} x {int(header['widths'])}"
        entries.append(SeriesEntry(number, f"{eye}, {pattern}, {size}"))
    return tuple(entries)


def _scans(file: E2EFile) -> list[_Scan]:
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
            _Scan(
                key,
                tuple(entry[2] for entry in found),
                tuple(entry[3] for entry in found),
                _laterality(file, key),
            )
        )
    return scans


def _laterality(file: E2EFile, key: ScanKey) -> Laterality | None:
    for item in file.of(key, LATERALITY_TYPE):
        payload = file.payload(item)
        if len(payload) > LATERALITY_BYTE:
            return LATERALITY.get(chr(payload[LATERALITY_BYTE]))
    return None


def _voxels(file: E2EFile, scan: _Scan) -> npt.NDArray[np.uint8]:
    first = scan.headers[0]
    depths, widths = int(first["depths"]), int(first["widths"])
    require_sides((len(scan.images), depths, widths), file.name)
    # Items may lie anywhere, and a damaged directory could name one B-scan a million times.
    if len(scan.images) * depths * widths * 2 > len(file.content):
        msg = (
            f"{file.name} states {len(scan.images)} B-scans of {depths} x {widths} in "
            f"{len(file.content)} bytes; it is damaged, copy or export it again."
        )
        raise InputError(msg)
    voxels = np.empty((len(scan.images), depths, widths), np.uint8)
    for number, item in enumerate(scan.images):
        what = f"B-scan {number} of {file.name}"
        payload = file.payload(item)
        image = record(payload, 0, IMAGE, what)
        found = (int(image["depths"]), int(image["widths"]))
        if found != (depths, widths) or int(image["kind"]) >> 16 & 0xFF != BSCAN_KIND:
            msg = (
                f"{what} is an image of kind {int(image['kind']):#x} and {found} pixels; expected "
                f"a 16 bit B-scan of {(depths, widths)}. Export the scan again."
            )
            raise InputError(msg)
        stored = part(payload, IMAGE.itemsize, depths * widths * 2, what)
        pixels = np.frombuffer(stored.tobytes(), "<u2").reshape(depths, widths)
        np.take(_gray_table(), pixels, out=voxels[number])
    return voxels


@cache
def _gray_table() -> npt.NDArray[np.uint8]:
    """Gray value of each 16 bit pixel: 6 bits of exponent, 10 of mantissa, no sign."""
    stored = np.arange(2**16)
    exponent, mantissa = stored >> 10, stored & 1023
    reflectivity = np.ldexp(1 + mantissa / 1024, exponent - 63)
    reflectivity[(exponent == 0) | (reflectivity > EMPTY)] = 0
    gray: npt.NDArray[np.uint8] = np.rint(255 * reflectivity.clip(0, 1) ** 0.25).astype(np.uint8)
    return gray


def _placement(scan: _Scan, widths: int) -> Placement:
    """How the B-scans lie, lengths in degrees in place of mm."""
    starts = np.array([header["start_degrees"] for header in scan.headers], np.float64)
    ends = np.array([header["end_degrees"] for header in scan.headers], np.float64)
    if scan.stated_pattern is ScanPattern.CIRCLE:
        ends = np.array([header["center_degrees"] for header in scan.headers], np.float64)
    return place(starts, ends, widths, scan.stated_pattern)


def _spacing_hint(scan: _Scan, placement: Placement) -> str:
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


def _picture_left_out(file: E2EFile, key: ScanKey) -> tuple[str, ...]:
    """Sentence on the en-face picture, where there is one."""
    for item in file.of(key, IMAGE_TYPE):
        if item["index"]:
            continue
        image = record(file.payload(item), 0, IMAGE, f"En-face picture of {file.name}")
        if int(image["kind"]) >> 16 & 0xFF == PICTURE_KIND:
            return (
                f"The en-face picture of {int(image['depths'])} x {int(image['widths'])} pixels "
                "is left out: the file does not say how many degrees it covers, so B-scans have "
                "no place on it; export .vol or XML for it.",
            )
    return ()


def _lines(file: E2EFile, scan: _Scan, widths: int) -> MappingProxyType[str, FloatArray]:
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
