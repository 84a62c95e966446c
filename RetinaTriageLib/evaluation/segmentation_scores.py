"""Overlap of a tissue map with labels, some of which may leave the tissue open.

A label is a code of `RetinaTriageLib.labels.label_sets`: one tissue, or a set of tissues that are
possible. For each tissue a voxel counts as truth where its label names that tissue for sure, as
not the tissue where its label rules it out, and not at all where its label leaves it open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.labels.label_sets import LABEL_SETS
from RetinaTriageLib.tissues import TISSUES, TissueGroup, labels_of
from RetinaTriageLib.volume import LabelArray

CountArray = npt.NDArray[np.int64]

CODES: Final = 256

SCORED_GROUPS: Final[dict[str, tuple[int, ...]]] = {
    **{tissue.name: (tissue.label,) for tissue in TISSUES},
    "fluid": labels_of(TissueGroup.FLUID),
    "ped": labels_of(TissueGroup.PED),
}
"""What is scored: every tissue, and fluid and PED as a whole, with their labels."""


@dataclass(frozen=True)
class Overlap:
    """Voxels of one tissue, or group of tissues, in truth and prediction.

    Attributes
    ----------
    hits, misses, false_alarms : voxels in both, in the truth only, in the prediction only
    open : voxels whose label leaves this tissue open; they count in none of the above
    """

    name: str
    hits: int
    misses: int
    false_alarms: int
    open: int = 0

    @property
    def truth_voxels(self) -> int:
        """Voxels in the truth."""
        return self.hits + self.misses

    @property
    def predicted_voxels(self) -> int:
        """Voxels in the prediction, where the label rules on them."""
        return self.hits + self.false_alarms

    @property
    def known(self) -> bool:
        """Whether the labels tell if the tissue is there: some name it, or none leave it open."""
        return self.truth_voxels > 0 or self.open == 0

    @property
    def dice(self) -> float:
        """Dice coefficient, 0 to 1; NaN where both masks are empty or the truth is not known."""
        return self._share(2 * self.hits, 2 * self.hits + self.misses + self.false_alarms)

    @property
    def iou(self) -> float:
        """Intersection over union, 0 to 1; NaN as for `dice`."""
        return self._share(self.hits, self.hits + self.misses + self.false_alarms)

    @property
    def volume_error_percent(self) -> float:
        """Predicted minus true volume in % of the true one; NaN where there is none in truth."""
        return self._share(100 * (self.predicted_voxels - self.truth_voxels), self.truth_voxels)

    def _share(self, part: int, whole: int) -> float:
        return part / whole if self.known and whole else float("nan")


def confusion_counts(codes: LabelArray, predicted: LabelArray) -> CountArray:
    """Count voxels by label code and predicted tissue: int array (256, tissue).

    Parameters
    ----------
    codes, predicted : uint8 arrays (B-scan, depth, width)

    Raises
    ------
    InputError
        If the arrays differ in shape, or the prediction holds other labels than those of tissues.
    """
    if codes.shape != predicted.shape or codes.ndim != 3:
        msg = (
            f"Found labels {codes.shape} for a tissue map {predicted.shape}; expected two arrays "
            "(B-scan, depth, width) of one shape. Pass the labels of this scan."
        )
        raise InputError(msg)
    if predicted.max(initial=0) >= len(TISSUES):
        msg = f"Found label {predicted.max()} in the tissue map; expected 0 to {len(TISSUES) - 1}."
        raise InputError(msg)
    counts = np.zeros(CODES * len(TISSUES), np.int64)
    for code, label in zip(codes, predicted, strict=True):
        pairs = code.astype(np.intp) * len(TISSUES) + label
        counts += np.bincount(pairs.ravel(), minlength=len(counts))
    return counts.reshape(CODES, len(TISSUES))


def overlap(counts: CountArray, name: str, labels: Sequence[int]) -> Overlap:
    """Overlap of the union of some tissues, from counts (code, predicted tissue).

    Examples
    --------
    >>> counts = np.zeros((256, 15), np.int64)
    >>> counts[4, 4], counts[4, 3], counts[3, 4] = 6, 2, 4
    >>> overlap(counts, "intraretinal_fluid", (4,)).dice
    0.6666666666666666
    """
    inside = np.isin(np.arange(len(TISSUES)), labels)
    surely = LABEL_SETS[:, inside].any(axis=1) & ~LABEL_SETS[:, ~inside].any(axis=1)
    never = LABEL_SETS[:, ~inside].any(axis=1) & ~LABEL_SETS[:, inside].any(axis=1)
    return Overlap(
        name,
        hits=int(counts[surely][:, inside].sum()),
        misses=int(counts[surely][:, ~inside].sum()),
        false_alarms=int(counts[never][:, inside].sum()),
        open=int(counts[~surely & ~never].sum()),
    )


def tissue_overlaps(counts: CountArray) -> tuple[Overlap, ...]:
    """Overlap of everything in `SCORED_GROUPS`, in that order."""
    return tuple(overlap(counts, name, labels) for name, labels in SCORED_GROUPS.items())


def pixel_accuracy(counts: CountArray) -> float:
    """Share of voxels of known tissue that were given that tissue; NaN where there are none."""
    known = counts[: len(TISSUES)]
    total = int(known.sum())
    return float(np.trace(known) / total) if total else float("nan")


def mean_dice(overlaps: Sequence[Overlap]) -> float:
    """Mean Dice over the single tissues that are in the truth; NaN where there are none."""
    tissues = {tissue.name for tissue in TISSUES}
    present = [o.dice for o in overlaps if o.name in tissues and o.truth_voxels]
    return float(np.mean(present)) if present else float("nan")
