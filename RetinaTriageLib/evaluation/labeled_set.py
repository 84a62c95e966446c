"""Labeled scans: phantoms made on the fly, ``.npz`` stacks, and pairs of files made in Slicer.

A folder holds either kind of files. An ``.npz`` file holds ``image`` and ``codes`` as for training
(`RetinaTriageLib.training.stacks`) and may hold ``spacing_mm`` (B-scan, depth, width),
``laterality``, and an answer for each head: an index for exclusive heads, zeros and ones (-1 for
unknown) for the others. Beside any scan may lie its ``.json`` (`case_truth`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.labels.case_truth import (
    Answers,
    CaseTruth,
    read_truth,
    stated_answers,
    with_truth,
)
from RetinaTriageLib.labels.slicer_pairs import (
    SEGMENTATION_SUFFIX,
    read_codes,
    segmentation_of,
)
from RetinaTriageLib.outcomes import OUTCOME_HEADS, OutcomeHead
from RetinaTriageLib.phantoms.devices import DeviceProfile
from RetinaTriageLib.phantoms.phantom import Phantom, make_phantom
from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.result import Fovea
from RetinaTriageLib.training.stacks import load_stack
from RetinaTriageLib.volume import DeviceFamily, LabelArray, Laterality, OCTVolume, VoxelSpacing


@dataclass(frozen=True)
class LabeledCase:
    """One scan and what is known about it.

    Attributes
    ----------
    codes : uint8 array (B-scan, depth, width) of label codes; None where nothing is labeled
    answers : what is known of each head
    patient : cases of one patient belong together
    fovea : where it is in truth; None where that is not known
    """

    name: str
    volume: OCTVolume
    codes: LabelArray | None
    answers: Answers
    patient: str
    fovea: Fovea | None = None


@dataclass(frozen=True)
class LabeledSet:
    """Cases that are read or made one after another; ``load`` takes the number of a case."""

    name: str
    count: int
    load: Callable[[int], LabeledCase]

    def __iter__(self) -> Iterator[LabeledCase]:
        """Cases in their order."""
        return (self.load(number) for number in range(self.count))


def phantom_set(profile: DeviceProfile, count: int, first_seed: int) -> LabeledSet:
    """Phantoms of one device profile, with seeds one after another."""
    return LabeledSet(
        f"{count} {profile.family.value} phantoms from seed {first_seed}",
        count,
        lambda number: phantom_case(make_phantom(first_seed + number, profile), profile),
    )


def phantom_case(phantom: Phantom, profile: DeviceProfile) -> LabeledCase:
    """Case of a phantom, all of whose B-scans were made."""
    truth = phantom.truth
    stated = {
        "referral": truth.referral,
        "conditions": list(truth.conditions),
        "progression": truth.progression,
        "treatment": truth.treatment,
    }
    answers = {h.name: stated_answers(h, stated[h.name]) for h in OUTCOME_HEADS}
    name, placed = phantom.volume.name, phantom.placement.fovea_mm
    bscans, _, widths = profile.shape
    bscan_mm = profile.spacing.column_mm2 / profile.spacing.width_mm
    fovea = Fovea(
        (bscans - 1) / 2 + placed[1] / bscan_mm,
        (widths - 1) / 2 + placed[0] / profile.spacing.width_mm,
        0.0,
        "phantom",
    )
    return LabeledCase(name, phantom.volume, phantom.tissue_map, answers, name, fovea)


def folder_set(folder: Path) -> LabeledSet:
    """Labeled scans of a folder, by name.

    Raises
    ------
    InputError
        If the folder holds none.
    """
    paths = labeled_files(folder)
    return LabeledSet(folder.resolve().name, len(paths), lambda number: load_case(paths[number]))


def labeled_files(folder: Path) -> Sequence[Path]:
    """List the scans of a folder: ``.npz``, or ``.nrrd`` with labels or truth beside it.

    Raises
    ------
    InputError
        If there is none.
    """
    stacks = [path for path in folder.glob("*.npz") if ".partial" not in path.name]
    scans = [
        path
        for path in folder.glob("*.nrrd")
        if not path.name.endswith(SEGMENTATION_SUFFIX)
        and (segmentation_of(path).exists() or path.with_suffix(".json").exists())
    ]
    if not stacks and not scans:
        msg = (
            f"Found no labeled scan in {folder}; expected .npz stacks, or .nrrd scans with "
            f"{SEGMENTATION_SUFFIX} or .json files of the same name."
        )
        raise InputError(msg)
    return sorted([*stacks, *scans])


def load_case(path: Path) -> LabeledCase:
    """Case of one file of a labeled set.

    Raises
    ------
    InputError
        If the file or what lies beside it cannot be used.
    """
    truth = read_truth(path.with_suffix(".json"))
    if path.suffix == ".npz":
        return _stack_case(path, truth)
    volume = read_volume(path)
    codes = None
    if segmentation_of(path).exists():
        codes = read_codes(volume, path, truth.background)
    return LabeledCase(
        volume.name, with_truth(volume, truth), codes, truth.answers, truth.patient or volume.name
    )


def with_spacing(cases: LabeledSet, spacing: VoxelSpacing) -> LabeledSet:
    """Set whose scans of unknown spacing get the one that the user states."""

    def load(number: int) -> LabeledCase:
        case = cases.load(number)
        if case.volume.spacing is not None:
            return case
        return replace(case, volume=with_truth(case.volume, CaseTruth(spacing=spacing)))

    return replace(cases, load=load)


def _stack_case(path: Path, truth: CaseTruth) -> LabeledCase:
    stack = load_stack(path)
    with np.load(path, allow_pickle=False) as file:
        facts = {name: file[name] for name in file.files if name not in ("image", "codes")}
    spacing_mm = facts.get("spacing_mm")
    families = {family.value: family for family in DeviceFamily}
    volume = OCTVolume(
        stack.image,
        None if spacing_mm is None else VoxelSpacing(*(float(mm) for mm in spacing_mm)),
        Laterality(str(facts["laterality"])) if "laterality" in facts else None,
        families.get(stack.device),
        name=path.stem,
        sources={fact: "labeled stack" for fact in ("spacing", "laterality") if fact in facts},
    )
    answers = {**_stored_answers(facts, path), **truth.answers}
    patient = truth.patient or path.stem
    return LabeledCase(path.stem, with_truth(volume, truth), stack.codes, answers, patient)


def _stored_answers(facts: Mapping[str, npt.NDArray[np.generic]], path: Path) -> Answers:
    """Answers of an ``.npz`` file, as `RetinaTriageLib.training.grids` describes them."""
    stored = ((head, facts[head.name]) for head in OUTCOME_HEADS if head.name in facts)
    return {head.name: _stored_answer(head, np.atleast_1d(of), path) for head, of in stored}


def _stored_answer(
    head: OutcomeHead, stored: npt.NDArray[np.generic], path: Path
) -> Mapping[str, bool]:
    values = stored.astype(np.int64)
    classes = len(head.outcomes)
    if values.shape != ((1,) if head.exclusive else (classes,)) or values.max() >= classes:
        msg = f"{path.name}: found {head.name} {values.tolist()}; expected {classes} outcomes."
        raise InputError(msg)
    if not head.exclusive:
        named = zip(head.names, values, strict=True)
        return {name: bool(value) for name, value in named if value >= 0}
    index = int(values[0])
    return {name: place == index for place, name in enumerate(head.names)} if index >= 0 else {}
