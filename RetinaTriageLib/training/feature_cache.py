"""Bottleneck features on disk: one memory-mapped table for each state of a backbone.

A table is ``<key>.npy``, float32 (row, feature), and ``<key>.rows``, which names the picture of
every row, one a line. A line is written after its row, so what a killed run left is used as far as
its lines go. One process at a time may open a table and add to it, which
`cached_inputs` sees to; what is open may be read all the while.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numpy.lib.format import open_memmap

from RetinaTriageLib.errors import InputError

Features = npt.NDArray[np.float32]


class FeatureCache:
    """Features of pictures that were computed once.

    Parameters
    ----------
    folder : of all tables
    key : names the backbone's weights and all else that features depend on but the picture
    features : number of features of a picture

    Raises
    ------
    InputError
        If the table on disk is of another width or shorter than its list of rows.
    """

    def __init__(self, folder: Path, key: str, features: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._table, self._list = folder / f"{key}.npy", folder / f"{key}.rows"
        self._features = features
        self._rows = {name: row for row, name in enumerate(self._listed())}
        self._values = self._opened()

    def __contains__(self, name: str) -> bool:
        """Whether the features of a picture are there."""
        return name in self._rows

    def __len__(self) -> int:
        """Return the number of pictures whose features are there."""
        return len(self._rows)

    def reserve(self, names: Iterable[str]) -> None:
        """Make room for the pictures that are still lacking."""
        wanted = len(self._rows) + len(set(names) - self._rows.keys())
        if self._values is not None and wanted <= len(self._values):
            return
        partial = self._table.with_suffix(".partial")
        larger = open_memmap(partial, "w+", np.float32, (max(1, wanted), self._features))
        if self._values is not None:
            larger[: len(self._rows)] = self._values[: len(self._rows)]
        larger.flush()
        self._values = None  # closed before it is replaced: Windows keeps open files
        del larger
        partial.replace(self._table)
        self._values = open_memmap(self._table, "r+")

    def add(self, names: Sequence[str], values: Features) -> None:
        """Keep features (picture, feature) of pictures that `reserve` made room for."""
        assert self._values is not None
        first = len(self._rows)
        self._values[first : first + len(names)] = values
        self._values.flush()
        with self._list.open("a", encoding="ascii", newline="\n") as file:
            file.writelines(f"{name}\n" for name in names)
        self._rows |= {name: first + offset for offset, name in enumerate(names)}

    def rows(self, names: Sequence[str]) -> npt.NDArray[np.int64]:
        """Row of each picture (picture,)."""
        return np.array([self._rows[name] for name in names], np.int64)

    def take(self, rows: npt.NDArray[np.int64]) -> Features:
        """Features of rows, (*rows.shape, feature)."""
        assert self._values is not None
        return np.asarray(self._values[rows])

    def _listed(self) -> list[str]:
        """Names in the list, the unfinished last line cut off for good."""
        if not self._list.exists():
            return []
        text = self._list.read_text(encoding="ascii")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self._list.write_text(whole, encoding="ascii", newline="\n")
        return whole.splitlines()

    def _opened(self) -> np.memmap[tuple[int, ...], np.dtype[np.float32]] | None:
        if not self._table.exists() and not self._rows:
            return None
        try:
            values = open_memmap(self._table, "r+")
        except (OSError, ValueError) as error:
            raise InputError(self._unusable(str(error))) from error
        fits = values.ndim == 2 and values.shape[1] == self._features
        if not fits or values.dtype != np.float32 or len(values) < len(self._rows):
            raise InputError(self._unusable(f"{values.dtype} {values.shape}"))
        return values

    def _unusable(self, found: str) -> str:
        return (
            f"Found cached features in {self._table} that do not fit ({found}); expected float32 "
            f"({len(self._rows)} or more, {self._features}). Delete the folder of the cache; "
            "features will be computed again."
        )
