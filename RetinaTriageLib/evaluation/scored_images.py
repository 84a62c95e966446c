"""Images of a diagnostic study: truth, a score for each class, and what parts them into groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

FloatMatrix = npt.NDArray[np.float64]
BoolMatrix = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ScoreTable:
    """Images of a diagnostic study.

    Attributes
    ----------
    patients : of each image; None where the table does not tell them
    truth : bool array (image, class)
    scores : float array (image, class), in 0..1
    exclusive : whether every image is of one class
    columns : further columns, with a cell for each image
    notes : what was left out or taken for granted
    """

    source: str
    files: tuple[str, ...]
    patients: tuple[str, ...] | None
    classes: tuple[str, ...]
    truth: BoolMatrix
    scores: FloatMatrix
    exclusive: bool
    columns: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()

    @property
    def actual(self) -> npt.NDArray[np.intp]:
        """Index of the class of each image, where classes are exclusive."""
        return np.asarray(self.truth.argmax(axis=1), np.intp)

    @property
    def groups(self) -> tuple[str, ...]:
        """Patient of each image; where patients are unknown, every image is its own."""
        return self.files if self.patients is None else self.patients

    def chosen(self, which: npt.NDArray[np.bool_]) -> ScoreTable:
        """Take some images of the table."""
        rows = np.flatnonzero(which)
        return replace(
            self,
            files=_take(self.files, rows),
            patients=None if self.patients is None else _take(self.patients, rows),
            truth=self.truth[rows],
            scores=self.scores[rows],
            columns={name: _take(cells, rows) for name, cells in self.columns.items()},
        )


def _take(cells: Sequence[str], rows: npt.NDArray[np.intp]) -> tuple[str, ...]:
    return tuple(cells[row] for row in rows)
