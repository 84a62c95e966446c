"""Scans with answers, from which grids for classifiers are made: phantoms, and files of Slicer.

A folder holds scans ``.nrrd``, each with its answers in a ``.json`` of the same name
(`RetinaTriageLib.labels.case_truth`), and a ``.seg.nrrd`` where its tissues were drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.labels.case_truth import Answers, read_truth, with_truth
from RetinaTriageLib.labels.slicer_pairs import SEGMENTATION_SUFFIX, read_codes, segmentation_of
from RetinaTriageLib.outcomes import OUTCOME_HEADS
from RetinaTriageLib.phantoms.devices import DeviceProfile
from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.progress import OnProgress, Progress
from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.training.grids import UNANSWERED
from RetinaTriageLib.training.patients import patient_of
from RetinaTriageLib.training.phantom_sets import answers, sample_path
from RetinaTriageLib.volume import LabelArray, OCTVolume

AnswerArrays = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class AnsweredScan:
    """One scan; ``codes`` are its label codes (B-scan, depth, width), None where none are drawn."""

    volume: OCTVolume
    codes: LabelArray | None
    answers: AnswerArrays


@dataclass(frozen=True)
class AnsweredCase:
    """A scan that is read or made when asked for."""

    name: str
    patient: str
    load: Callable[[], AnsweredScan]


WriteFiles = Callable[[AnsweredCase, Mapping[str, Path]], None]
"""Writes the files of a case, given the path of each by its name."""


def write_missing(
    cases: Sequence[AnsweredCase],
    names: Sequence[str],
    out_folder: Path,
    write: WriteFiles,
    on_progress: OnProgress,
) -> int:
    """Write the files of every case that lacks one; returns how many are new.

    A case whose files are all there is left alone, so that a stopped job goes on.

    Parameters
    ----------
    names : of the files of each case, empty for the only one
    """
    written = 0
    for number, case in enumerate(cases):
        stems = {name: f"{case.name}_{name}" if name else case.name for name in names}
        paths = {name: out_folder / f"{stem}.npz" for name, stem in stems.items()}
        if all(path.exists() for path in paths.values()):
            continue
        out_folder.mkdir(parents=True, exist_ok=True)
        write(case, paths)
        written += len(paths)
        on_progress(Progress("cases", number + 1, len(cases), case.name))
    return written


def phantom_cases(count: int, first_seed: int, profile: DeviceProfile) -> list[AnsweredCase]:
    """Phantoms of one scanner, a seed each."""

    def case(seed: int) -> AnsweredCase:
        def load() -> AnsweredScan:
            phantom = make_phantom(seed, profile)
            return AnsweredScan(phantom.volume, phantom.tissue_map, answers(phantom.truth))

        name = sample_path(seed, Path()).stem
        return AnsweredCase(name, name, load)

    return [case(seed) for seed in range(first_seed, first_seed + count)]


def folder_cases(folder: Path) -> list[AnsweredCase]:
    """List the scans of a folder that have answers beside them, by name.

    Raises
    ------
    InputError
        If there is none.
    """
    scans = sorted(
        path
        for path in folder.glob("*.nrrd")
        if not path.name.endswith(SEGMENTATION_SUFFIX) and path.with_suffix(".json").exists()
    )
    if not scans:
        msg = (
            f"Found no scan with answers in {folder}; expected .nrrd files, each with a .json of "
            'the same name such as {"referral": "urgent", "conditions": ["cnv"]}.'
        )
        raise InputError(msg)
    return [AnsweredCase(scan.stem, patient_of(scan), _loader(scan)) for scan in scans]


def answer_arrays(stated: Answers) -> AnswerArrays:
    """Answers as `RetinaTriageLib.training.grids` stores them; heads without any are left out.

    Examples
    --------
    >>> answer_arrays({"progression": {"stable": False, "slow": True, "rapid": False}})
    {'progression': array(1)}
    """
    arrays: AnswerArrays = {}
    for head in OUTCOME_HEADS:
        known = stated.get(head.name, {})
        values = [int(known[name]) if name in known else UNANSWERED for name in head.names]
        if not head.exclusive and known:
            arrays[head.name] = np.array(values, np.int8)
        elif 1 in values:
            arrays[head.name] = np.array(values.index(1))
    return arrays


def _loader(scan: Path) -> Callable[[], AnsweredScan]:
    def load() -> AnsweredScan:
        truth = read_truth(scan.with_suffix(".json"))
        volume = read_volume(scan)
        drawn = segmentation_of(scan).exists()
        codes = read_codes(volume, scan, truth.background) if drawn else None
        return AnsweredScan(with_truth(volume, truth), codes, answer_arrays(truth.answers))

    return load
