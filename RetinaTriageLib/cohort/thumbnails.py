"""A small picture of a case: the scan from the front, and its B-scan with most of the disease.

It is made of what a run writes, so that it can be made again for cases of any age.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from RetinaTriageLib.cohort.stored_map import StoredMap, read_map
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.tissues import TissueGroup
from RetinaTriageLib.volume import LabelArray
from RetinaTriageLib.writers.report_file import whole_file
from RetinaTriageLib.writers.report_pictures import gray_levels

Bytes = npt.NDArray[np.uint8]

THUMBNAIL_FILE = "thumbnail.png"
HEIGHT, ENFACE_WIDTH, BSCAN_WIDTH, GAP = 96, 96, 168, 2
LESIONS = (TissueGroup.FLUID, TissueGroup.PED)
AROUND = (TissueGroup.VITREOUS, TissueGroup.CHOROID, TissueGroup.ARTIFACT)
MARGIN = 0.35
"""Depth shown above and below the retina, as a share of its own."""


@dataclass(frozen=True)
class _Tissues:
    """Colors (label, RGB), and labels of lesions and of all that lies around the retina."""

    colors: Bytes
    lesions: tuple[int, ...]
    around: tuple[int, ...]


def write_thumbnail(case: Path) -> Path:
    """Write ``thumbnail.png`` into a case folder; returns its path.

    Left is the en-face projection, superior on top, with a line where the B-scan lies; right is the
    tissue map of the B-scan that shows most fluid and PED, or of the middle one where there is
    none, cut to the depth of the retina.

    Raises
    ------
    InputError
        If the folder lacks a file of a case.
    OutputError
        If the picture cannot be written.
    """
    picture = Image.fromarray(thumbnail(case), "RGB").quantize(64)
    path = case / THUMBNAIL_FILE
    with whole_file(path) as unfinished:
        picture.save(unfinished, "PNG", optimize=True)
    return path


def thumbnail(case: Path) -> Bytes:
    """Picture of a case, uint8 array (row, column, RGB)."""
    found, tissues = read_map(case), _tissues(case)
    bscan = _telling_bscan(found.labels, tissues)
    front = _enface(case, found, bscan)
    cut = _cut(found.labels[bscan], tissues)
    side = _resized(tissues.colors[cut], (BSCAN_WIDTH, HEIGHT), Image.Resampling.BOX)
    gap = np.full((HEIGHT, GAP, 3), 255, np.uint8)
    return np.concatenate([front, gap, side], axis=1)


def _enface(case: Path, found: StoredMap, bscan: int) -> Bytes:
    try:
        with np.load(case / "maps.npz", allow_pickle=False) as maps:
            projection = np.nan_to_num(maps["enface"].astype(np.float32))
    except (OSError, ValueError, KeyError, EOFError) as error:
        msg = f"{case.name} holds no readable maps.npz ({error}); run the case again."
        raise InputError(msg) from error
    bscans = len(projection)
    gray = gray_levels(projection, clipped_percent=1)
    row = int((bscan + 0.5) / bscans * HEIGHT)
    if found.superior_sign > 0:
        gray, row = gray[::-1], HEIGHT - 1 - row
    picture = _resized(gray, (ENFACE_WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    colored = np.repeat(picture[..., np.newaxis], 3, axis=2)
    colored[row] = (255, 210, 60)
    return colored


def _telling_bscan(labels: LabelArray, tissues: _Tissues) -> int:
    lesions = np.isin(labels, tissues.lesions).sum(axis=(1, 2))
    return int(lesions.argmax()) if lesions.any() else len(labels) // 2


def _cut(labels: LabelArray, tissues: _Tissues) -> LabelArray:
    """Depths of one B-scan, array (depth, width), from above the retina to below it."""
    rows = np.flatnonzero((~np.isin(labels, tissues.around)).any(axis=1))
    if not rows.size:
        return labels
    margin = int(MARGIN * (rows[-1] - rows[0] + 1)) + 1
    return labels[max(0, rows[0] - margin) : rows[-1] + margin + 1]


def _tissues(case: Path) -> _Tissues:
    """Tissues as the case's own vocabulary has them."""
    rows = _vocabulary(case)
    colors = np.zeros((256, 3), np.uint8)
    for row in rows:
        colors[row["label"]] = row["color"]

    def labels_of(groups: tuple[TissueGroup, ...]) -> tuple[int, ...]:
        names = {group.value for group in groups}
        return tuple(row["label"] for row in rows if row["group"] in names)

    return _Tissues(colors, labels_of(LESIONS), labels_of(AROUND))


def _vocabulary(case: Path) -> list[dict[str, Any]]:
    try:
        fields = json.loads((case / "result.json").read_text(encoding="utf-8"))
        rows: list[dict[str, Any]] = fields["vocabulary"]["tissues"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{case.name} holds no readable result.json ({error}); run the case again."
        raise InputError(msg) from error
    return rows


def _resized(picture: Bytes, size: tuple[int, int], filtering: Image.Resampling) -> Bytes:
    return np.asarray(Image.fromarray(picture).resize(size, filtering))
