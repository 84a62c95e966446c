"""Heidelberg XML exports: one ``.xml`` with the geometry, one TIFF for each B-scan.

Image 0 is the localizer, the others are B-scans. ``ExamURL`` holds the path of the TIFF on the
machine that exported it; its base name lies beside the XML. Names, identifiers, birth dates and
operators are not read.

References
----------
Element names: eyepy ``io/he/xml_reader.py`` (MIT), checked against four exports of a Spectralis.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.readers.heidelberg import INVALID, LATERALITY, Placement, place
from RetinaTriageLib.readers.heidelberg_thickness import read_thickness_table
from RetinaTriageLib.readers.pictures import LARGEST_SIDE, MOST_PICTURES, read_pages
from RetinaTriageLib.readers.safe_xml import number, parse_xml, positive_number, text
from RetinaTriageLib.readers.spacing import checked_spacing
from RetinaTriageLib.volume import (
    DeviceFamily,
    DeviceRecord,
    FloatArray,
    Laterality,
    Localizer,
    OCTVolume,
    ScanPattern,
    VoxelSpacing,
)

ROOT_TAG = "HEDX"
CONTEXT = "OphthalmicAcquisitionContext"

# Series types seen or reported; where another one is found, the positions decide.
PATTERNS = {"Volume": ScanPattern.RASTER, "Circle": ScanPattern.CIRCLE}

# The XML rounds the depth of a pixel to 0.1 µm. The .vol headers of the same device family hold
# 3.87167 µm (four files of shared test data); the rounded 3.9 µm would thicken a retina by 0.7 %.
ROUNDED_DEPTH = "0.0039"
SPECTRALIS_DEPTH_MM = 0.00387167
DEPTH_ASSUMED = (
    "Spacing along the depth is taken as 3.87167 µm, which .vol exports of the Spectralis hold; "
    "the XML export rounds it to 3.9 µm."
)


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


def read_heidelberg_xml(path: Path) -> OCTVolume:
    """Volume, localizer, device lines and thickness table of an export.

    Parameters
    ----------
    path : the ``.xml`` file, or the folder that holds it

    Raises
    ------
    InputError
        If the export is incomplete, damaged, or holds several scans.
    GeometryError
        If its B-scans are not at equal distances or of both eyes.
    """
    name = path.resolve().name if path.is_dir() else path.stem
    xml_path = find_heidelberg_xml(path) if path.is_dir() else path
    if xml_path is None:
        msg = f"Found no Heidelberg .xml in {path.name}; choose the exported folder."
        raise InputError(msg)
    series = _only_series(parse_xml(xml_path), xml_path.name)
    bscans, localizers = _images(series, "OCT"), _images(series, "LOCALIZER")
    if not bscans:
        msg = f"Found no B-scan in {xml_path.name}; expected images of the type OCT."
        raise InputError(msg)
    pages = _pages(bscans, xml_path.parent)
    voxels = np.stack(pages)
    widths = voxels.shape[2]
    starts_mm, ends_mm = _positions(bscans, "Start"), _positions(bscans, "End")
    placement = place(starts_mm, ends_mm, widths, PATTERNS.get(series.findtext("Type", "").strip()))
    spacing, source, assumed = _spacing(series, bscans, placement, widths)
    localizer = _localizer(localizers, placement, widths, xml_path.parent) if localizers else None
    table = None
    if placement.raster is not None and localizer is not None:
        table = read_thickness_table(series, placement.raster, widths, localizer.spacing_mm)
    device = DeviceFamily.SPECTRALIS if _is_spectralis(series) else None
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


def _is_export(path: Path) -> bool:
    with path.open("rb") as file:
        return ROOT_TAG.encode() in file.read(4096).replace(b"\0", b"")


def _only_series(root: Element, name: str) -> Element:
    found = [series for series in root.iter("Series") if _images(series, "OCT")]
    if root.tag != ROOT_TAG or len(found) != 1:
        msg = (
            f"{name} holds {len(found)} OCT scans below <{root.tag}>; expected one below "
            f"<{ROOT_TAG}>. Export the scan on its own."
        )
        raise InputError(msg)
    series = found[0]
    images = len(series.findall("Image"))
    if not images <= MOST_PICTURES or images != int(series.findtext("NumImages", str(images))):
        msg = f"{name} announces {series.findtext('NumImages')} images and lists {images}."
        raise InputError(f"{msg} Export the scan again, complete.")
    return series


def _images(series: Element, kind: str) -> list[Element]:
    images = series.findall("Image")
    return [image for image in images if image.findtext("ImageType/Type", "").strip() == kind]


def _pages(images: Sequence[Element], folder: Path) -> list[npt.NDArray[Any]]:
    """Gray arrays (row, column) of images, each of the size that the XML states."""
    in_folder = {path.name.lower(): path for path in folder.iterdir()}
    pages: list[npt.NDArray[Any]] = []
    for image in images:
        url = text(image, "ImageData/ExamURL")
        base_name = re.split(r"[\\/]", url)[-1]
        path = in_folder.get(base_name.lower())
        if path is None or not path.is_file():
            msg = f"Found no {base_name!r} beside the XML; copy the whole exported folder."
            raise InputError(msg)
        stated = tuple(int(number(image, f"{CONTEXT}/{side}")) for side in ("Height", "Width"))
        if max(stated) > LARGEST_SIDE:
            msg = (
                f"The XML states {stated} pixels for {base_name}; expected at most {LARGEST_SIDE}."
            )
            raise InputError(msg)
        content = read_pages(path)
        expected = pages[0].shape if pages else stated
        if [page.shape for page in content] != [stated] or stated != expected:
            shapes = [page.shape for page in content]
            msg = (
                f"{base_name} holds pages of {shapes} (row, column) pixels; expected one of "
                f"{stated} as the XML states, and {expected} as the first. Export the scan again."
            )
            raise InputError(msg)
        pages.append(content[0])
    return pages


def _positions(bscans: Sequence[Element], end: str) -> FloatArray:
    tags = [f"{CONTEXT}/{end}/Coord/{axis}" for axis in ("X", "Y")]
    return np.array([[number(bscan, tag) for tag in tags] for bscan in bscans])


def _laterality(bscans: Sequence[Element]) -> Laterality:
    written = {text(bscan, "Laterality") for bscan in bscans}
    if len(written) != 1 or not written <= LATERALITY.keys():
        msg = f"Found laterality {sorted(written)} in one scan; expected R or L. Export it again."
        raise GeometryError(msg)
    return LATERALITY[written.pop()]


def _spacing(
    series: Element, bscans: Sequence[Element], placement: Placement, widths: int
) -> tuple[VoxelSpacing | None, str, tuple[str, ...]]:
    scales = {(text(b, f"{CONTEXT}/ScaleX"), text(b, f"{CONTEXT}/ScaleY")) for b in bscans}
    if len(scales) != 1:
        msg = (
            f"Found B-scans of different pixel sizes {sorted(scales)}; expected one. Export again."
        )
        raise GeometryError(msg)
    written_width, written_depth = scales.pop()
    scale_mm, depth_mm = (positive_number(bscans[0], f"{CONTEXT}/Scale{axis}") for axis in "XY")
    assumed: tuple[str, ...] = ()
    depth_source = f"ScaleY {written_depth}"
    if _is_spectralis(series) and written_depth == ROUNDED_DEPTH:
        depth_mm, depth_source, assumed = SPECTRALIS_DEPTH_MM, ".vol headers", (DEPTH_ASSUMED,)
    # Ends are written to 1 µm over several mm, ScaleX to 0.1 µm a pixel: the ends are sharper,
    # unless ScaleX was written with more digits.
    ends_mm = placement.length_mm / widths
    sharper_scale = _rounding(written_width) / scale_mm < 0.0005 / placement.length_mm
    by_precision = (scale_mm, ends_mm) if sharper_scale else (ends_mm, scale_mm)
    width_source = f"ScaleX {written_width}" if sharper_scale else "Start to End of the B-scans"
    spacing, doubts = checked_spacing(placement.bscan_mm, depth_mm, *by_precision)
    if spacing is None:
        return None, "", doubts
    source = f"HEYEX XML (width: {width_source}; depth: {depth_source}; B-scan: their positions)"
    return spacing, source, assumed


def _is_spectralis(series: Element) -> bool:
    names = (
        series.findtext(f"GeneralEquipment/Manufacturer{part}", "") for part in ("", "ModelName")
    )
    return any(word in name.lower() for name in names for word in ("heidelberg", "spectralis"))


def _rounding(written: str) -> float:
    """Half a unit of the last digit of a decimal number."""
    return 0.5 * 10.0 ** -len(written.partition(".")[2])


def _localizer(
    images: Sequence[Element], placement: Placement, widths: int, folder: Path
) -> Localizer:
    pixels = _pages(images[:1], folder)[0]
    ascan_mm = placement.length_mm / widths
    row_mm, column_mm = (_sharpened(images[0], f"{CONTEXT}/Scale{axis}", ascan_mm) for axis in "YX")
    return Localizer(pixels, (row_mm, column_mm), placement.ends_mm)


def _sharpened(image: Element, tag: str, ascan_mm: float) -> float:
    """Size of a localizer pixel, in mm, without the rounding to 0.1 µm of the export.

    The scanner sets A-scans on localizer pixels, or two to one pixel, or one to two.
    """
    written_mm = positive_number(image, tag)
    for ascans in (1.0, 2.0, 0.5):
        if abs(ascan_mm * ascans - written_mm) <= _rounding(text(image, tag)):
            return ascan_mm * ascans
    return written_mm


def _lines(bscans: Sequence[Element], widths: int) -> MappingProxyType[str, FloatArray]:
    lines: dict[str, FloatArray] = {}
    for index, bscan in enumerate(bscans):
        for line in bscan.iterfind("Segmentation/SegLine"):
            values = np.array([float(value) for value in text(line, "Array").split()])
            if values.shape != (widths,):
                msg = f"Found a line of {values.size} A-scans in B-scan {index} of {widths}."
                raise InputError(f"{msg} Export the scan again.")
            empty = np.full((len(bscans), widths), np.nan)
            rows = lines.setdefault(text(line, "Name"), empty)
            rows[index] = np.where(np.abs(values) < INVALID, values, np.nan)
    return MappingProxyType({name: rows for name, rows in lines.items() if np.isfinite(rows).any()})
