"""Heidelberg XML exports: one ``.xml`` with the geometry, one TIFF for each B-scan.

Names, identifiers, birth dates and operators are not read.

References
----------
Element names: eyepy ``io/he/xml_reader.py`` (MIT), checked against four exports of a Spectralis.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from xml.etree.ElementTree import Element

import numpy as np

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.readers.heidelberg import INVALID, LATERALITY, Placement, place
from RetinaTriageLib.readers.heidelberg_thickness import read_thickness_table
from RetinaTriageLib.readers.heidelberg_xml_images import gray_pages, images_of
from RetinaTriageLib.readers.heidelberg_xml_spacing import (
    CONTEXT,
    export_spacing,
    is_spectralis,
    sharpened_mm,
)
from RetinaTriageLib.readers.pictures import MOST_PICTURES
from RetinaTriageLib.readers.safe_xml import number, parse_xml, text
from RetinaTriageLib.readers.series import SeriesEntry, choose_series
from RetinaTriageLib.volume import (
    DeviceFamily,
    DeviceRecord,
    FloatArray,
    Laterality,
    Localizer,
    OCTVolume,
    ScanPattern,
)

ROOT_TAG = "HEDX"

# Series types seen or reported; where another one is found, the positions decide.
PATTERNS = {"Volume": ScanPattern.RASTER, "Circle": ScanPattern.CIRCLE}


def find_heidelberg_xml(folder: Path) -> Path | None:
    """XML file of an export in a folder; None where there is none.

    Raises
    ------
    InputError
        If there are several.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".xml")
    exports = [path for path in paths if _is_export(path)]
    if len(exports) > 1:
        names = ", ".join(path.name for path in exports)
        msg = f"Found several Heidelberg exports ({names}); expected one. Choose one .xml file."
        raise InputError(msg)
    return exports[0] if exports else None


def read_heidelberg_xml(path: Path, series: int | None = None) -> OCTVolume:
    """Volume, localizer, device lines and thickness table of an export.

    Parameters
    ----------
    path : the ``.xml`` file, or the folder that holds it
    series : which scan of the export, counted from 1; may be None where it holds one

    Raises
    ------
    InputError
        If the export is incomplete, damaged, or holds several scans and none was chosen.
    GeometryError
        If its B-scans are not at equal distances or of both eyes.
    """
    name = path.resolve().name if path.is_dir() else path.stem
    xml_path = _xml_path(path)
    scans = _scans(parse_xml(xml_path), xml_path.name)
    scan = scans[choose_series(_entries(scans), series, xml_path.name)]
    _require_complete(scan, xml_path.name)
    bscans, localizers = images_of(scan, "OCT"), images_of(scan, "LOCALIZER")
    voxels = np.stack(gray_pages(bscans, xml_path.parent))
    widths = voxels.shape[2]
    starts_mm, ends_mm = _positions(bscans, "Start"), _positions(bscans, "End")
    placement = place(starts_mm, ends_mm, widths, PATTERNS.get(scan.findtext("Type", "").strip()))
    spacing, source, assumed = export_spacing(scan, bscans, placement, widths)
    localizer = _localizer(localizers, placement, widths, xml_path.parent) if localizers else None
    table = None
    if placement.raster is not None and localizer is not None:
        table = read_thickness_table(scan, placement.raster, widths, localizer.spacing_mm)
    device = DeviceFamily.SPECTRALIS if is_spectralis(scan) else None
    facts = {"laterality": "HEYEX XML"}
    if spacing is not None:
        facts["spacing"] = source
    if device is not None:
        facts["device"] = "HEYEX XML"
    if placement.raster is not None:
        facts["directions"] = "HEYEX XML, positions on the localizer"
    return OCTVolume(
        voxels,
        spacing,
        _laterality(bscans),
        device,
        placement.pattern,
        placement.directions,
        placement.origin_mm,
        name=name,
        sources=MappingProxyType(facts),
        assumed=assumed,
        record=DeviceRecord(localizer, _lines(bscans, widths), table),
    )


def list_heidelberg_xml(path: Path) -> tuple[SeriesEntry, ...]:
    """List the scans of an export."""
    xml_path = _xml_path(path)
    return _entries(_scans(parse_xml(xml_path), xml_path.name))


def _xml_path(path: Path) -> Path:
    xml_path = find_heidelberg_xml(path) if path.is_dir() else path
    if xml_path is None:
        msg = f"Found no Heidelberg .xml in {path.name}; choose the exported folder."
        raise InputError(msg)
    return xml_path


def _is_export(path: Path) -> bool:
    with path.open("rb") as file:
        return ROOT_TAG.encode() in file.read(4096).replace(b"\0", b"")


def _scans(root: Element, name: str) -> list[Element]:
    found = [series for series in root.iter("Series") if images_of(series, "OCT")]
    if root.tag != ROOT_TAG or not found:
        msg = (
            f"{name} holds {len(found)} OCT scans below <{root.tag}>; expected one below "
            f"<{ROOT_TAG}>. Export the scan on its own."
        )
        raise InputError(msg)
    return found


def _entries(scans: Sequence[Element]) -> tuple[SeriesEntry, ...]:
    entries = []
    for place_in_file, scan in enumerate(scans, 1):
        bscans = images_of(scan, "OCT")
        eye = LATERALITY.get(bscans[0].findtext("Laterality", "").strip())
        kind = scan.findtext("Type", "").strip() or "type unknown"
        title = f"{eye.value if eye else 'eye unknown'}, {kind[:40]}, {len(bscans)} B-scans"
        entries.append(SeriesEntry(place_in_file, title))
    return tuple(entries)


def _require_complete(series: Element, name: str) -> None:
    images = len(series.findall("Image"))
    announced = images if series.find("NumImages") is None else number(series, "NumImages")
    if images > MOST_PICTURES or images != announced:
        msg = (
            f"{name} announces {announced:g} images and lists {images}; expected as many, at most "
            f"{MOST_PICTURES}. Export the scan again, complete."
        )
        raise InputError(msg)


def _positions(bscans: Sequence[Element], end: str) -> FloatArray:
    tags = [f"{CONTEXT}/{end}/Coord/{axis}" for axis in ("X", "Y")]
    return np.array([[number(bscan, tag) for tag in tags] for bscan in bscans])


def _laterality(bscans: Sequence[Element]) -> Laterality:
    written = {text(bscan, "Laterality") for bscan in bscans}
    if len(written) != 1 or not written <= LATERALITY.keys():
        msg = f"Found laterality {sorted(written)} in one scan; expected R or L. Export it again."
        raise GeometryError(msg)
    return LATERALITY[written.pop()]


def _localizer(
    images: Sequence[Element], placement: Placement, widths: int, folder: Path
) -> Localizer:
    pixels = gray_pages(images[:1], folder)[0]
    ascan_mm = placement.length_mm / widths
    row_mm, column_mm = (
        sharpened_mm(images[0], f"{CONTEXT}/Scale{axis}", ascan_mm) for axis in "YX"
    )
    return Localizer(pixels, (row_mm, column_mm), placement.ends_mm)


def _lines(bscans: Sequence[Element], widths: int) -> MappingProxyType[str, FloatArray]:
    lines: dict[str, FloatArray] = {}
    for index, bscan in enumerate(bscans):
        for line in bscan.iterfind("Segmentation/SegLine"):
            values = _numbers(text(line, "Array"))
            if values.shape != (widths,):
                msg = (
                    f"Found a device line of {values.size} A-scans in B-scan {index}; expected "
                    f"{widths}. Export the scan again."
                )
                raise InputError(msg)
            empty = np.full((len(bscans), widths), np.nan)
            rows = lines.setdefault(text(line, "Name"), empty)
            rows[index] = np.where(np.abs(values) < INVALID, values, np.nan)
    return MappingProxyType({name: rows for name, rows in lines.items() if np.isfinite(rows).any()})


def _numbers(written: str) -> FloatArray:
    try:
        return np.array(written.split(), dtype=np.float64)
    except ValueError as error:
        msg = f"Found a device line that holds no numbers ({error}); export the scan again."
        raise InputError(msg) from error
