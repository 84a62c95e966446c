"""Topcon ``.fda`` and ``.fds`` files.

References
----------
See ``topcon_chunks``. Scan modes: the uocte wiki; modes 4 and above are refused, as their B-scans
do not form a raster. Sizes in mm: OCT-Converter. The order of B-scans, first one superior, is that
of LibOctData, retimat and uocte.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.readers.binary import open_content
from RetinaTriageLib.readers.raster import fit_raster
from RetinaTriageLib.readers.spacing import believed_spacing
from RetinaTriageLib.readers.topcon_chunks import (
    CAPTURE_INFO,
    PARAM_SCAN_02,
    PARAM_SCAN_04,
    REGIST_INFO,
    Chunks,
    first_record,
    read_chunks,
)
from RetinaTriageLib.readers.topcon_frames import read_frames
from RetinaTriageLib.readers.topcon_fundus import read_gray_fundus
from RetinaTriageLib.volume import (
    STANDARD_DIRECTIONS,
    DeviceFamily,
    DeviceRecord,
    FloatArray,
    Laterality,
    Localizer,
    OCTVolume,
    ScanPattern,
    VoxelSpacing,
)

PATTERNS = {
    0: ScanPattern.LINE,
    1: ScanPattern.CIRCLE,
    2: ScanPattern.RASTER,
    3: ScanPattern.RADIAL,
}
REFUSED_MODES = {
    4: "a cross of lines",
    6: "a raster of vertical B-scans",
    7: "seven separate lines",
    11: "two crossing sets of five lines",
}
EYES = {0: Laterality.OD, 1: Laterality.OS}
ORIENTATION = (
    "Orientation is assumed as other readers of Topcon files take it: vitreous on top, left edge "
    "towards the patient's right, first B-scan superior; the file does not state it."
)


@dataclass(frozen=True)
class _Extent:
    """Size of a scan in mm: width of a B-scan, first to last B-scan, one pixel of depth."""

    width_mm: float
    height_mm: float
    depth_mm: float


def read_topcon(path: Path) -> OCTVolume:
    """Volume of a file, with the gray fundus picture where its place is known.

    Raises
    ------
    InputError
        If the file is damaged or holds no B-scans.
    GeometryError
        If its scan mode is no raster, line, circle or radial scan.
    """
    chunks = read_chunks(open_content(path), path.name)
    voxels, mode = read_frames(chunks, path.name)
    pattern = _pattern(mode, voxels.shape[0], path.name)
    extent = _extent(chunks, path.name)
    spacing, assumed = _spacing(extent, voxels.shape, pattern)
    capture = first_record(
        chunks, {"@CAPTURE_INFO_02": CAPTURE_INFO, "@CAPTURE_INFO": CAPTURE_INFO}, path.name
    )
    laterality = None if capture is None else EYES.get(int(capture["eye"]))
    facts = {"device": ".fda and .fds format"}
    if spacing is not None:
        facts["spacing"] = "Topcon PARAM_SCAN chunk: size of the scan over its number of voxels"
    if laterality is not None:
        facts["laterality"] = "Topcon CAPTURE_INFO chunk"
    directions, localizer = STANDARD_DIRECTIONS.copy(), None
    if pattern is ScanPattern.RASTER:
        directions[2, 2] = -1.0
    if extent is not None and spacing is not None and pattern is ScanPattern.RASTER:
        localizer = _localizer(chunks, extent, voxels.shape, path.name)
    return OCTVolume(
        voxels,
        spacing,
        laterality,
        DeviceFamily.TOPCON,
        pattern,
        directions,
        (0.0, 0.0, 0.0) if localizer is None else _origin(localizer),
        name=path.stem,
        sources=MappingProxyType(facts),
        assumed=(*assumed, ORIENTATION),
        record=DeviceRecord(localizer),
    )


def _pattern(mode: int, bscans: int, name: str) -> ScanPattern:
    if mode not in PATTERNS:
        known = REFUSED_MODES.get(mode, "an unknown pattern")
        msg = (
            f"{name} holds {known} (scan mode {mode}); expected a horizontal raster, line, circle "
            "or radial scan. Export the 3D macula scan of this visit."
        )
        raise GeometryError(msg)
    pattern = PATTERNS[mode]
    if pattern is ScanPattern.LINE and bscans > 1:
        msg = f"{name} holds {bscans} B-scans of one line; expected a raster. Export the 3D scan."
        raise GeometryError(msg)
    return ScanPattern.LINE if pattern is ScanPattern.RASTER and bscans == 1 else pattern


def _extent(chunks: Chunks, name: str) -> _Extent | None:
    layouts = {"@PARAM_SCAN_04": PARAM_SCAN_04, "@PARAM_SCAN_02": PARAM_SCAN_02}
    parameters = first_record(chunks, layouts, name)
    if parameters is None:
        return None
    sizes = [float(parameters[size]) for size in ("width_mm", "height_mm", "depth_um")]
    if not all(np.isfinite(size) for size in sizes):
        return None
    return _Extent(sizes[0], sizes[1], sizes[2] / 1000)


def _spacing(
    extent: _Extent | None, shape: tuple[int, ...], pattern: ScanPattern
) -> tuple[VoxelSpacing | None, tuple[str, ...]]:
    if extent is None:
        sentence = (
            "Spacing is unknown: the file holds no size of the scan; state it with --spacing-um."
        )
        return None, (sentence,)
    bscans, _, widths = shape
    # The size of a circle is its diameter.
    length_mm = extent.width_mm * (np.pi if pattern is ScanPattern.CIRCLE else 1.0)
    bscan_mm = extent.height_mm / bscans if pattern is ScanPattern.RASTER else None
    return believed_spacing(bscan_mm, extent.depth_mm, length_mm / widths)


def _localizer(
    chunks: Chunks, extent: _Extent, shape: tuple[int, ...], name: str
) -> Localizer | None:
    """Gray fundus picture, where the file says which box of it was scanned."""
    place = first_record(chunks, {"@REGIST_INFO": REGIST_INFO}, name)
    picture = read_gray_fundus(chunks, name)
    if place is None or picture is None:
        return None
    left, top, right, bottom = (int(edge) for edge in place["gray_fundus"])
    rows, columns = picture.shape
    if not (left < right <= columns and top < bottom <= rows):
        return None
    column_mm, row_mm = extent.width_mm / (right - left), extent.height_mm / (bottom - top)
    ends_mm = _ends_mm(left, top, (row_mm, column_mm), extent, shape)
    return Localizer(picture, (row_mm, column_mm), ends_mm)


def _ends_mm(
    left: int,
    top: int,
    pixel_mm: tuple[float, float],
    extent: _Extent,
    shape: tuple[int, ...],
) -> FloatArray:
    """First and last A-scan of each B-scan, each in the middle of its share of the box."""
    bscans, _, widths = shape
    row_mm, column_mm = pixel_mm
    rows = top * row_mm + extent.height_mm * (np.arange(bscans) + 0.5) / bscans
    ends = [left * column_mm + extent.width_mm * (a + 0.5) / widths for a in (0, widths - 1)]
    return np.stack([np.column_stack([np.full(bscans, end), rows]) for end in ends], axis=1)


def _origin(localizer: Localizer) -> tuple[float, float, float]:
    ends = localizer.bscan_ends_mm
    return fit_raster(ends[:, 0], ends[:, 1]).origin_mm
