"""Penalty matrix from a CSV: actual classes in rows, decided ones in columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.evaluation.table_file import read_table
from RetinaTriageLib.penalties import require_penalty


def read_penalty(path: Path, classes: Sequence[str]) -> npt.NDArray[np.float64]:
    """Penalty matrix (actual, predicted) in the order of the classes.

    The first column, of any name, holds the actual class; the others are named as the classes.

    Raises
    ------
    InputError
        If a class is missing or unknown, or a cell is no penalty.
    """
    table = read_table(path)
    table.require(*classes)
    named = table.values(table.columns[0])
    remedy = f"expected one for each of {', '.join(classes)}."
    wrong = [] if sorted(named) == sorted(classes) else [", ".join(named)]
    table.refuse("rows of other classes", wrong, remedy)
    rows = dict(zip(named, table.rows, strict=True))
    cells = [[rows[actual][decided] for decided in classes] for actual in classes]
    strange = [cell for of_class in cells for cell in of_class if not _is_number(cell)]
    table.refuse("penalties that are no number", strange, "expected 0 or more.")
    return require_penalty(np.array(cells, np.float64))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
