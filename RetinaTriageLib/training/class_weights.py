"""Weights of classes by how rare they are, counted once at the start of a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.networks.classification import HeadShape
from RetinaTriageLib.training.grids import GridLibrary, load_answers
from RetinaTriageLib.training.processes import Processes

Weights = TypeVar("Weights", list[float], dict[str, list[float]])

FILE_NAME = "class_weights.json"
UNIFORM = (1.0, 1.0)


def class_weights(
    counts: npt.NDArray[np.int64], limits: tuple[float, float]
) -> npt.NDArray[np.float32]:
    """Weight of every class: root of how much rarer than the mean it is, within limits.

    Examples
    --------
    >>> class_weights(np.array([900, 100]), (0.5, 6.0)).round(1)
    array([0.7, 2.2], dtype=float32)
    """
    rarity = counts.mean() / np.maximum(counts, 1)
    weights: npt.NDArray[np.float64] = np.clip(np.sqrt(rarity), *limits)
    return weights.astype(np.float32)


def answer_weights(
    libraries: Sequence[GridLibrary], heads: Sequence[HeadShape], limits: tuple[float, float]
) -> dict[str, list[float]]:
    """Weight of every outcome by head, from the answers of all samples.

    For exclusive heads that of a sample of the class; for the others that of an outcome that is
    present beside one that is absent.
    """
    if limits == UNIFORM:
        return {}
    paths = [path for library in libraries for path in library.files]
    answers = [load_answers(path, libraries[0].config) for path in paths]
    weights = {}
    for head in heads:
        given = np.stack([answer[head.name] for answer in answers])
        if head.exclusive:
            counts = np.bincount(given[given >= 0], minlength=head.size)
            weights[head.name] = class_weights(counts, limits).tolist()
        else:
            present, absent = (given == 1).sum(axis=0), (given == 0).sum(axis=0)
            rarity = np.sqrt(absent / np.maximum(present, 1))
            weights[head.name] = np.clip(rarity, *limits).tolist()
    return weights


def kept_weights(run_folder: Path, processes: Processes, count: Callable[[], Weights]) -> Weights:
    """Weights as counted when the run began; all processes and later starts use the same."""
    path = run_folder / FILE_NAME
    if processes.is_first and not path.exists():
        run_folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(count()), encoding="utf-8")
        partial.replace(path)
    processes.wait()
    weights: Weights = json.loads(path.read_text(encoding="utf-8"))
    return weights
