"""Labels drawn in 3D Slicer: ``<name>.nrrd`` with ``<name>.seg.nrrd`` beside it.

Segments are told by their id or name: those of `RetinaTriageLib.tissues` ("intraretinal_fluid",
"Intraretinal fluid") or of a label set ("fluid", "not fluid", "retina", ...) where only so much is
known. A segment of another name is told by the code of its terminology where that stands for one
tissue or set alone. Where segments overlap, the one farther down in Slicer's list wins, as it does
where Slicer exports a labelmap.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.labels.label_sets import (
    NOT_FLUID,
    RETINA,
    RETINA_NOT_FLUID,
    RPE_COMPLEX,
    SOME_FLUID,
    UNKNOWN,
    VITREOUS_SIDE,
)
from RetinaTriageLib.readers.gray import lossless_gray
from RetinaTriageLib.readers.grid_axes import choose_axes
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.volume import LabelArray, OCTVolume

SET_WORDS: Mapping[str, int] = {
    "fluid": SOME_FLUID,
    "not fluid": NOT_FLUID,
    "retina": RETINA,
    "retina not fluid": RETINA_NOT_FLUID,
    "rpe complex": RPE_COMPLEX,
    "vitreous side": VITREOUS_SIDE,
    "unknown": UNKNOWN,
}
"""Names for segments of which only a set of possible tissues is known."""

SHARED_CODES: Mapping[tuple[str, str], int] = {("SCT", "32457005"): SOME_FLUID}
"""Scheme and value of terminology codes that several tissues share, and the set of these."""

SEGMENTATION_SUFFIX = ".seg.nrrd"
SEGMENT_ID = re.compile(r"Segment(\d+)_ID")


def read_codes(volume: OCTVolume, scan: Path, background: str | None = None) -> LabelArray:
    """Labels of a scan: uint8 array (B-scan, depth, width) of label codes.

    Parameters
    ----------
    volume : as read from ``scan``, whose axes the labels are turned to
    scan : NRRD file with the segmentation of the same name beside it
    background : tissue or label set of voxels that no segment covers. None for the vitreous where
        every other tissue has a segment, as RetinaTriage writes them, and for "unknown" otherwise

    Raises
    ------
    InputError
        If a segment is named like no tissue, or the segmentation belongs to another scan.
    """
    import SimpleITK  # takes 0.2 s

    path = segmentation_of(scan)
    try:
        image: Any = SimpleITK.ReadImage(str(scan))
        labels: Any = SimpleITK.ReadImage(str(path))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1][:300]
        msg = f"{scan.name} or its segmentation cannot be read ({reason}); save both again."
        raise InputError(msg) from error
    segments = _segments(labels, path.name)
    # Slicer may save a segmentation cropped to its segments; the scan's grid is the common one.
    resampled = SimpleITK.Resample(labels, image, interpolator=SimpleITK.sitkNearestNeighbor)
    layers = SimpleITK.GetArrayFromImage(resampled)
    if labels.GetNumberOfComponentsPerPixel() == 1:
        layers = layers[..., np.newaxis]
    if not layers.any():
        msg = (
            f"{path.name} covers no voxel of {scan.name}; expected segments in the same place. "
            "Save the segmentation with this scan as its source volume."
        )
        raise InputError(msg)
    codes = np.full(layers.shape[:3], _background_code(background, segments), np.uint8)
    for layer, value, code in segments:
        codes[layers[..., layer] == value] = code
    pixels = SimpleITK.GetArrayFromImage(image)
    return _turned(codes, pixels, image, volume)


def segmentation_of(scan: Path) -> Path:
    """Path of the segmentation that belongs to a scan."""
    return scan.with_name(scan.name.removesuffix(".nrrd") + SEGMENTATION_SUFFIX)


def pair_files(folder: Path) -> list[Path]:
    """List the scans of a folder, by name, that have their segmentation beside them."""
    return sorted(
        path
        for path in folder.glob("*.nrrd")
        if not path.name.endswith(SEGMENTATION_SUFFIX) and segmentation_of(path).exists()
    )


def terminology_code(tags: str) -> int | None:
    """Label code of a segment by the terminology among its tags; None where that does not tell.

    Examples
    --------
    >>> tags = "Color:1|TerminologyEntry:List~SCT^123037004^Structure~SCT^5665001^Retina~^^~~^^~^^|"
    >>> terminology_code(tags)
    3
    """
    entries = [tag for tag in tags.split("|") if tag.startswith("TerminologyEntry:")]
    parts = entries[0].split("~") if entries else []
    if len(parts) < 3:
        return None
    scheme, value, *_ = (*parts[2].split("^"), "")
    fitting = [t.label for t in TISSUES if (t.code.scheme, t.code.value) == (scheme, value)]
    return fitting[0] if len(fitting) == 1 else SHARED_CODES.get((scheme, value))


def segment_code(names: tuple[str, ...]) -> int | None:
    """Label code of a segment that goes by these names; None where none of them is known.

    Examples
    --------
    >>> segment_code(("Segment_1", "Intraretinal Fluid"))
    4
    """
    words = {**SET_WORDS}
    words |= {_plain(tissue.name): tissue.label for tissue in TISSUES}
    words |= {_plain(tissue.title): tissue.label for tissue in TISSUES}
    return next((words[_plain(name)] for name in names if _plain(name) in words), None)


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())


def _segments(labels: Any, file_name: str) -> list[tuple[int, int, int]]:
    """(layer, value, code) of every segment of a file, in the order of Slicer's list."""
    fields = {key: labels.GetMetaData(key) for key in labels.GetMetaDataKeys()}
    found = (SEGMENT_ID.fullmatch(key) for key in fields)
    numbers = sorted(int(match[1]) for match in found if match)
    segments, unknown = [], []
    for prefix in (f"Segment{number}" for number in numbers):
        names = (fields[f"{prefix}_ID"], fields.get(f"{prefix}_Name", ""))
        code = segment_code(names)
        if code is None:
            code = terminology_code(fields.get(f"{prefix}_Tags", ""))
        if code is None:
            unknown.append(names[1] or names[0])
            continue
        layer, value = fields.get(f"{prefix}_Layer", "0"), fields.get(f"{prefix}_LabelValue", "1")
        segments.append((int(layer), int(value), code))
    if unknown or not segments:
        tissues = ", ".join(tissue.name for tissue in TISSUES)
        msg = (
            f"{file_name}: found segments {unknown or 'none'}; expected names of tissues "
            f"({tissues}) or of sets ({', '.join(SET_WORDS)}). Rename them in Slicer."
        )
        raise InputError(msg)
    return segments


def _background_code(stated: str | None, segments: list[tuple[int, int, int]]) -> int:
    if stated is not None:
        code = segment_code((stated,))
        if code is None:
            msg = f"Found the background {stated!r}; expected a tissue or a label set."
            raise InputError(msg)
        return code
    others = {tissue.label for tissue in TISSUES} - {0}
    return 0 if {code for *_, code in segments} == others else UNKNOWN


def _turned(
    codes: LabelArray, pixels: npt.NDArray[Any], image: Any, volume: OCTVolume
) -> LabelArray:
    """Turn labels as the reader turned the scan: its axes are put in order, depth may be reversed.

    Which of the two the reader did follows from the voxels, so that it cannot do otherwise here.
    """
    if pixels.ndim != 3:
        msg = f"Found a scan of {pixels.ndim} dimensions; expected (B-scan, depth, width)."
        raise InputError(msg)
    spacing_mm = tuple(reversed(image.GetSpacing()))
    axes, _ = choose_axes(pixels.shape, spacing_mm, None)
    scan, labels = lossless_gray(pixels).transpose(axes), codes.transpose(axes)
    for step in (1, -1):
        if np.array_equal(scan[:, ::step], volume.voxels):
            return np.ascontiguousarray(labels[:, ::step])
    msg = f"The axes of {volume.name} are unclear; save the scan again from Slicer."
    raise InputError(msg)
