"""Heidelberg ``.vol`` raw exports.

A file header of 2048 bytes, the localizer, then for each B-scan a header with the device's lines
and the reflectivity of every pixel as 32 bit float, row after row. All numbers are little-endian.
Bytes 104 to 2047 of the file header hold identifiers, dates and the place of a thickness grid;
they are not read.

References
----------
Field order and pattern codes: eyepy ``io/he/vol_reader.py`` (MIT), checked against four files from
a Spectralis (HSF-OCT-103).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.binary import open_content
from RetinaTriageLib.readers.heidelberg import INVALID, LATERALITY, Placement, place
from RetinaTriageLib.readers.sizes import LARGEST_SIDE
from RetinaTriageLib.readers.spacing import checked_spacing
from RetinaTriageLib.volume import (
    DeviceFamily,
    DeviceRecord,
    FloatArray,
    Localizer,
    OCTVolume,
    ScanPattern,
)

MAGIC = b"HSF-OCT-"
EYEPY_MAGIC = b"ep-v"  # files written by eyepy hold its version in place of Heidelberg's

FILE_HEADER_BYTES = 2048
FILE_HEADER = np.dtype(
    [
        ("version", "S12"),
        ("widths", "<i4"),
        ("bscans", "<i4"),
        ("depths", "<i4"),
        ("width_mm", "<f8"),
        ("bscan_mm", "<f8"),
        ("depth_mm", "<f8"),
        ("localizer_columns", "<i4"),
        ("localizer_rows", "<i4"),
        ("localizer_column_mm", "<f8"),
        ("localizer_row_mm", "<f8"),
        ("localizer_field_degrees", "<i4"),
        ("focus_diopters", "<f8"),
        ("eye", "S4"),
        ("exam_time", "<u8"),
        ("pattern", "<i4"),
        ("bscan_header_bytes", "<i4"),
    ]
)
BSCAN_HEADER = np.dtype(
    [
        ("version", "S12"),
        ("header_bytes", "<i4"),
        ("start_mm", "<f8", 2),
        ("end_mm", "<f8", 2),
        ("lines", "<i4"),
        ("lines_offset", "<i4"),
        ("quality", "<f4"),
        ("shift", "<i4"),
    ]
)
PATTERNS = {
    1: ScanPattern.LINE,
    2: ScanPattern.CIRCLE,
    3: ScanPattern.RASTER,
    4: ScanPattern.RASTER,
    5: ScanPattern.RADIAL,
}
# Names of the lines in the order of the file, as eyepy lists them.
# fmt: off
LINES = (
    "ILM", "BM", "RNFL", "GCL", "IPL", "INL", "OPL", "ONL", "ELM", "IOS", "OPT", "CHO", "VIT",
    "ANT", "PR1", "PR2", "RPE",
)
# fmt: on


@dataclass(frozen=True)
class _BScan:
    start_mm: FloatArray
    end_mm: FloatArray
    lines: FloatArray  # (line, width)
    reflectivity: npt.NDArray[np.float32]  # (depth, width)


def read_heidelberg_vol(path: Path) -> OCTVolume:
    """Volume, device lines and localizer of a ``.vol`` file.

    Gray values are the fourth root of the reflectivity, scaled to 8 bit, as HEYEX shows them.

    Raises
    ------
    InputError
        If the file is not a ``.vol`` file, is truncated or contradicts itself.
    """
    content = open_content(path)
    header = _file_header(content, path.name)
    localizer_bytes = int(header["localizer_columns"]) * int(header["localizer_rows"])
    bscans = list(_bscans(content, header, FILE_HEADER_BYTES + localizer_bytes, path.name))
    voxels, gray_source, gray_assumed = _gray(bscans, path.name)
    placement = place(
        np.array([bscan.start_mm for bscan in bscans]),
        np.array([bscan.end_mm for bscan in bscans]),
        int(header["widths"]),
        PATTERNS.get(int(header["pattern"])),
    )
    spacing, spacing_assumed = checked_spacing(
        placement.bscan_mm,
        float(header["depth_mm"]),
        float(header["width_mm"]),
        placement.length_mm / int(header["widths"]),
    )
    laterality = LATERALITY.get(header["eye"].decode("ascii", "replace").strip("\0 "))
    facts = {"spacing": spacing, "laterality": laterality, "directions": placement.raster}
    sources = {fact: "HEYEX .vol header" for fact, value in facts.items() if value is not None}
    pixels = content[FILE_HEADER_BYTES : FILE_HEADER_BYTES + localizer_bytes]
    return OCTVolume(
        voxels,
        spacing,
        laterality,
        DeviceFamily.SPECTRALIS,
        placement.pattern,
        placement.directions,
        placement.origin_mm,
        name=path.stem,
        sources=MappingProxyType({**sources, "device": ".vol format", "gray": gray_source}),
        assumed=(*spacing_assumed, *gray_assumed),
        record=DeviceRecord(_localizer(pixels, header, placement), _named_lines(bscans)),
    )


def _file_header(content: npt.NDArray[np.uint8], name: str) -> np.void:
    magic = content[: len(MAGIC)].tobytes()
    if not magic.startswith((MAGIC, EYEPY_MAGIC)) or len(content) < FILE_HEADER_BYTES:
        msg = f"{name} does not start with {MAGIC.decode()}; expected a Heidelberg .vol export."
        raise InputError(msg)
    header: np.void = np.frombuffer(content[: FILE_HEADER.itemsize].tobytes(), FILE_HEADER)[0]
    sides = [int(header[side]) for side in ("widths", "bscans", "depths")]
    pictures = [int(header[side]) for side in ("localizer_columns", "localizer_rows")]
    if not all(0 < side <= LARGEST_SIDE for side in sides):
        msg = (
            f"{name} states {sides} A-scans, B-scans and depths; the file is damaged, export again."
        )
        raise InputError(msg)
    if not all(0 <= side <= LARGEST_SIDE for side in pictures):
        msg = f"{name} states a localizer of {pictures} pixels; the file is damaged, export again."
        raise InputError(msg)
    lengths = [float(header[length]) for length in ("width_mm", "depth_mm")]
    if not all(np.isfinite(length) and length > 0 for length in lengths):
        msg = f"{name} states pixels of {lengths} mm; the file is damaged, export again."
        raise InputError(msg)
    return header


def _bscans(
    content: npt.NDArray[np.uint8], header: np.void, start: int, name: str
) -> Iterator[_BScan]:
    depths, widths = int(header["depths"]), int(header["widths"])
    for number in range(int(header["bscans"])):
        fields = _slice(content, start, BSCAN_HEADER.itemsize, name, number)
        bscan = np.frombuffer(fields, BSCAN_HEADER)[0]
        # The size in the file header is the same in Heidelberg's files, but not in eyepy's.
        header_bytes, count = int(bscan["header_bytes"]), int(bscan["lines"])
        lines_bytes = count * widths * 4
        if not (0 <= count <= len(LINES) and 0 <= bscan["lines_offset"] <= header_bytes):
            msg = f"B-scan {number} of {name} states {count} lines; the file is damaged."
            raise InputError(msg)
        lines = _slice(content, start + int(bscan["lines_offset"]), lines_bytes, name, number)
        pixels = _slice(content, start + header_bytes, depths * widths * 4, name, number)
        yield _BScan(
            bscan["start_mm"].astype(np.float64),
            bscan["end_mm"].astype(np.float64),
            np.frombuffer(lines, "<f4").reshape(count, widths),
            np.frombuffer(pixels, "<f4").reshape(depths, widths),
        )
        start += header_bytes + depths * widths * 4


def _slice(content: npt.NDArray[np.uint8], start: int, count: int, name: str, number: int) -> bytes:
    part = content[start : start + count]
    if len(part) < count:
        msg = (
            f"{name} ends within B-scan {number} at byte {len(content)}; the file is truncated, "
            "copy or export it again."
        )
        raise InputError(msg)
    return part.tobytes()


def _gray(bscans: list[_BScan], name: str) -> tuple[npt.NDArray[np.uint8], str, tuple[str, ...]]:
    raw = np.stack([bscan.reflectivity for bscan in bscans])
    valid = np.isfinite(raw) & (raw < INVALID)
    # Pixels without data, left by the registration of B-scans, are black as in HEYEX's pictures.
    raw = np.where(valid, raw, 0).clip(0)
    if raw.max() <= 1:
        return np.rint(255 * raw**0.25).astype(np.uint8), "fourth root of the reflectivity", ()
    if raw.max() <= 255:
        sentence = "Gray values are taken as they are: the file holds 0 to 255, not reflectivity."
        return np.rint(raw).astype(np.uint8), "file", (sentence,)
    msg = f"{name} holds reflectivities up to {raw.max():g}; expected 0 to 1. Export it again."
    raise InputError(msg)


def _localizer(
    pixels: npt.NDArray[np.uint8], header: np.void, placement: Placement
) -> Localizer | None:
    if not len(pixels):
        return None
    picture = np.array(pixels).reshape(int(header["localizer_rows"]), -1)
    spacing_mm = float(header["localizer_row_mm"]), float(header["localizer_column_mm"])
    return Localizer(picture, spacing_mm, placement.ends_mm)


def _named_lines(bscans: list[_BScan]) -> MappingProxyType[str, FloatArray]:
    count = min(len(bscan.lines) for bscan in bscans)
    lines: dict[str, FloatArray] = {}
    for number, line_name in enumerate(LINES[:count]):
        line: npt.NDArray[Any] = np.stack([bscan.lines[number] for bscan in bscans])
        line = np.where(np.isfinite(line) & (np.abs(line) < INVALID), line, np.nan)
        if np.isfinite(line).any():
            lines[line_name] = line
    return MappingProxyType(lines)
