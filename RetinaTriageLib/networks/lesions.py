"""Lesions of a tissue map: voxels of one lesion tissue that touch one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.volume import LabelArray

IndexArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

LESION_TISSUES = (
    "epiretinal_membrane",
    "intraretinal_fluid",
    "subretinal_fluid",
    "subretinal_hyperreflective_material",
    "drusenoid_ped",
    "serous_ped",
    "fibrovascular_ped",
    "mirror_artifact",
)
"""Tissues whose name is a matter of the whole lesion, not of a voxel."""

LESION_LABELS = tuple(TISSUE_BY_NAME[name].label for name in LESION_TISSUES)

TOUCHING = np.ones((3, 3, 3), np.bool_)
"""Voxels touch by faces, edges and corners; neighboring B-scans are rarely aligned to a voxel."""


@dataclass(frozen=True)
class Lesions:
    """All lesions of a tissue map, int64 arrays.

    Attributes
    ----------
    shape : of the map (B-scan, depth, width)
    voxel : (voxel,), place in the raveled map
    of : (voxel,), number of the lesion that the voxel belongs to
    label : (lesion,), tissue that the map calls it
    """

    shape: tuple[int, int, int]
    voxel: IndexArray
    of: IndexArray
    label: IndexArray

    def __len__(self) -> int:
        """Count the lesions."""
        return len(self.label)

    @cached_property
    def sizes(self) -> FloatArray:
        """Voxels of each lesion, (lesion,)."""
        return np.bincount(self.of, minlength=len(self)).astype(np.float64)

    def renamed(self, tissue_map: LabelArray, labels: npt.NDArray[np.uint8]) -> LabelArray:
        """Map in which each lesion has another label (lesion,); the map given stays as it is."""
        changed = tissue_map.copy()
        changed.reshape(-1)[self.voxel] = labels[self.of]
        return changed


def find_lesions(tissue_map: LabelArray) -> Lesions:
    """Lesions of a tissue map of the standard vocabulary, by tissue.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)

    Examples
    --------
    >>> drusen = np.zeros((1, 2, 5), np.uint8)
    >>> drusen[0, 0, :2] = drusen[0, 1, 4] = 8
    >>> found = find_lesions(drusen)
    >>> found.of.tolist(), found.label.tolist()
    ([0, 0, 1], [8, 8])
    """
    boxes: Sequence[tuple[slice, ...] | None] = ndimage.find_objects(
        tissue_map, max_label=max(LESION_LABELS)
    )
    voxels, numbers, labels = [], [], list[int]()
    for label in LESION_LABELS:
        box = boxes[label - 1]
        if box is None:
            continue
        numbered, count = ndimage.label(tissue_map[box] == label, structure=TOUCHING)
        places = np.nonzero(numbered)
        inside = tuple(place + part.start for place, part in zip(places, box, strict=True))
        voxels.append(np.ravel_multi_index(inside, tissue_map.shape))
        numbers.append(numbered[places].astype(np.int64) - 1 + len(labels))
        labels += [label] * count
    return Lesions(
        tissue_map.shape,
        np.concatenate(voxels) if voxels else np.zeros(0, np.int64),
        np.concatenate(numbers) if numbers else np.zeros(0, np.int64),
        np.array(labels, np.int64),
    )
