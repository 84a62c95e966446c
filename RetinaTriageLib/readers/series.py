"""Which of several scans in one file or folder is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from RetinaTriageLib.errors import InputError


@dataclass(frozen=True)
class SeriesEntry:
    """One scan among several; ``number`` counts from 1, as ``--series`` takes it.

    Attributes
    ----------
    title : what tells it from the others, such as "OD, raster, 49 B-scans of 496 x 512"
    refused : why it cannot be read; None where nothing speaks against it
    """

    number: int
    title: str
    refused: str | None = None

    def __str__(self) -> str:
        """Line of a list of scans."""
        return f"{self.number}: {self.title}" + (f" – {self.refused}" if self.refused else "")


def choose_series(entries: Sequence[SeriesEntry], number: int | None, name: str) -> int:
    """Index of the chosen scan.

    Parameters
    ----------
    number : as stated by the user; may be None where only one scan can be read

    Raises
    ------
    InputError
        If there is none, no such one, it cannot be read, or several are left to choose from.
    """
    listed = "; ".join(str(entry) for entry in entries)
    if number is not None:
        if not 1 <= number <= len(entries):
            msg = f"{name} has no series {number}; it holds {listed or 'no scan'}."
            raise InputError(msg)
        refused = entries[number - 1].refused
        if refused:
            msg = f"Series {number} of {name} cannot be read: {refused}"
            raise InputError(msg)
        return number - 1
    readable = [index for index, entry in enumerate(entries) if not entry.refused]
    if len(readable) == 1:
        return readable[0]
    if not readable:
        msg = f"{name} holds no OCT scan that can be read ({listed or 'none at all'})."
        raise InputError(msg)
    msg = f"{name} holds {len(entries)} scans; choose one with --series: {listed}."
    raise InputError(msg)
