"""What the B-scan browser of a report needs: pictures, tissues and where findings are."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.tissues import Tissue, TissueGroup
from RetinaTriageLib.volume import LabelArray
from RetinaTriageLib.writers.report_maps import EnFaceMap
from RetinaTriageLib.writers.report_opinions import hypothesis_letter
from RetinaTriageLib.writers.report_pictures import (
    encode_all,
    gray_levels,
    jpeg,
    label_png,
    label_step,
    number_bytes,
)
from RetinaTriageLib.writers.report_tables import color_of

_LESION_GROUPS = (TissueGroup.FLUID, TissueGroup.PED)
_LESION_NAMES = ("epiretinal_membrane", "subretinal_hyperreflective_material")
# Steps of a map value that survive in the page: 0.1 µm, 0.0001 nats.
_UM_SCALE, _NATS_SCALE = 10.0, 10_000.0

TissueCounts = np.ndarray[Any, np.dtype[np.int64]]


def is_lesion(tissue: Tissue) -> bool:
    """Whether a tissue is a finding: fluid, detachment, membrane or subretinal material."""
    return tissue.group in _LESION_GROUPS or tissue.name in _LESION_NAMES


def named_maps(result: TriageResult) -> tuple[tuple[str, str, LabelArray], ...]:
    """Short name, title and tissue map: the consensus first, then every hypothesis.

    A single hypothesis is its own consensus and is listed once.
    """
    hypotheses = tuple(
        (hypothesis_letter(at), hypothesis.segmenter, hypothesis.tissue_map)
        for at, hypothesis in enumerate(result.hypotheses)
    )
    if len(hypotheses) == 1 and np.array_equal(result.consensus, hypotheses[0][2]):
        return (("Tissue map", hypotheses[0][1], hypotheses[0][2]),)
    consensus = ("Consensus", "Most probable class over all hypotheses", result.consensus)
    return (consensus, *hypotheses)


def tissue_counts(result: TriageResult) -> TissueCounts:
    """Voxels of every tissue in every B-scan of the consensus map, array (class, B-scan)."""
    classes = len(result.vocabulary.tissues)
    counts = [np.bincount(bscan.ravel(), minlength=classes)[:classes] for bscan in result.consensus]
    return np.stack(counts, axis=1)


def opening_bscan(result: TriageResult) -> int:
    """B-scan to open with: through the fovea, else the one with most lesion, else the middle."""
    fovea, bscans = result.measurements.fovea, result.volume.shape[0]
    if fovea is not None:
        return int(np.clip(round(fovea.bscan), 0, bscans - 1))
    lesions = [is_lesion(tissue) for tissue in result.vocabulary.tissues]
    sizes = tissue_counts(result)[lesions].sum(axis=0)
    return int(sizes.argmax()) if sizes.any() else bscans // 2


def browser_data(result: TriageResult, maps: tuple[EnFaceMap, ...]) -> dict[str, Any]:
    """Everything that the page's script reads, as JSON takes it."""
    volume, classes = result.volume, len(result.vocabulary.tissues)
    spacing = volume.spacing
    localizer = volume.record.localizer
    return {
        "shape": list(volume.shape),
        "spacingUm": None
        if spacing is None
        else {"depth": spacing.depth_mm * 1000, "width": spacing.width_mm * 1000},
        "superiorSign": volume.superior_sign,
        "opening": opening_bscan(result),
        "labelStep": label_step(classes),
        "tissues": [
            {"title": tissue.title, "color": color_of(tissue)}
            for tissue in result.vocabulary.tissues
        ],
        "counts": tissue_counts(result).tolist(),
        "gray": encode_all(jpeg, gray_levels(volume.voxels)),
        "maps": [
            {
                "name": name,
                "hypothesis": tissue_map is not result.consensus,
                "pictures": encode_all(partial(label_png, classes=classes), tissue_map),
            }
            for name, _, tissue_map in named_maps(result)
        ],
        "enface": {one.name: _map_values(one) for one in maps},
        "localizerMm": None if localizer is None else _finite(localizer.bscan_ends_mm.tolist()),
    }


def _map_values(enface_map: EnFaceMap) -> dict[str, str | float]:
    scale = _UM_SCALE if enface_map.unit == "µm" else _NATS_SCALE
    return {
        "title": enface_map.title,
        "unit": enface_map.unit,
        "scale": scale,
        "values": number_bytes(enface_map.values, scale),
    }


def _finite(ends_mm: list[list[list[float]]]) -> list[list[list[float]]] | None:
    flat = (value for line in ends_mm for point in line for value in point)
    return ends_mm if all(math.isfinite(value) for value in flat) else None
