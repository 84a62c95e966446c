"""Whose scan a training sample is: held-out patients stay out, and members re-sample by patient.

An ``.npz`` sample states ``patient_id``; a scan of Slicer has ``patient`` in the ``.json`` beside
it. Files that we write ourselves are told by their names: ``phantom_<seed>.npz`` by the seed, real
B-scans ``<source>_<patient>_<B-scan>.npz`` by source and patient. Any other file counts as a
patient of its own, named as the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.labels.case_truth import read_truth

PATIENT_ID = "patient_id"

# Both Duke sources are of the same patients.
SOURCES = {
    "duke": "duke",
    "dukevolume": "duke",
    "spectralisvol": "spectralisvol",
    "rathke": "rathke",
}

SHOWN_PATIENTS = 5


class Resampling(Enum):
    """How the data of ensemble members differ besides their order, which follows from the seed."""

    PERMUTATION = "permutation"
    BOOTSTRAP = "bootstrap"


@cache
def patient_of(path: Path) -> str:
    """Patient of a sample, as this module's head says."""
    if path.suffix != ".npz":
        return read_truth(path.with_suffix(".json")).patient or path.stem
    with np.load(path, allow_pickle=False) as file:
        if PATIENT_ID in file.files:
            return str(file[PATIENT_ID])
    source, *parts = path.stem.split("_")
    if source in SOURCES and len(parts) == 2:
        return f"{SOURCES[source]} {parts[0]}"
    return path.stem


def bootstrapped(paths: Sequence[Path], seed: int) -> list[Path]:
    """Draw samples by patient, with replacement; all of them where the draw leaves nobody.

    A patient comes a number of times that is Poisson distributed with mean 1 and follows from the
    seed and the patient alone, so folders may grow and may share patients.

    References
    ----------
    Oza and Russell, Online bagging and boosting, AISTATS 2001.
    """
    counts = {patient: times_drawn(patient, seed) for patient in sorted(map(patient_of, paths))}
    drawn = [path for path in paths for _ in range(counts[patient_of(path)])]
    return drawn or list(paths)


def require_other_patients(training: Iterable[Path], held_out: Iterable[Path]) -> None:
    """Refuse patients that are both learned from and validated on.

    Parameters
    ----------
    training, held_out : sample files

    Raises
    ------
    InputError
        If there are such patients.
    """
    both = sorted(set(map(patient_of, training)) & set(map(patient_of, held_out)))
    if both:
        shown = ", ".join(both[:SHOWN_PATIENTS]) + (", ..." if len(both) > SHOWN_PATIENTS else "")
        msg = (
            f"Found {len(both)} patients both to learn from and held out ({shown}); expected other "
            f"patients. Move their files, or state who they are: {PATIENT_ID} in .npz samples, "
            '"patient" in the .json beside a scan.'
        )
        raise InputError(msg)


def times_drawn(patient: str, seed: int) -> int:
    """How many times a patient comes in a draw with replacement, see `bootstrapped`."""
    return int(np.random.default_rng((seed, crc32(patient.encode()))).poisson(1.0))
