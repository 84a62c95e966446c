"""Measured lesions of automatic tissue maps with what they really are, one file a map.

An ``.npz`` file holds ``features``, float32 (lesion, measurement), ``truth``, int64 (lesion,
tissue), voxels of each true tissue in the lesion, ``version`` of the measurements, and
``patient_id``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.lesion_features import LESION_FEATURE_VERSION, lesion_feature_names
from RetinaTriageLib.networks.lesions import find_lesions
from RetinaTriageLib.progress import OnProgress, Progress
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.training.answered_cases import AnsweredCase, AnsweredScan
from RetinaTriageLib.training.patients import PATIENT_ID
from RetinaTriageLib.volume import LabelArray

Features = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MeasuredLesions:
    """Lesions of one tissue map or of many.

    Attributes
    ----------
    features : float32 array (lesion, measurement)
    truth : int64 array (lesion, tissue), voxels of each true tissue in the lesion
    """

    features: Features
    truth: Counts


def true_tissues(tissue_map: LabelArray, codes: LabelArray) -> Counts:
    """Voxels of each true tissue in the lesions of a map, (lesion, tissue).

    Parameters
    ----------
    tissue_map, codes : uint8 arrays (B-scan, depth, width); what was found and what is there
    """
    lesions, tissues = find_lesions(tissue_map), len(TISSUES)
    pairs = lesions.of * tissues + codes.reshape(-1)[lesions.voxel]
    counts = np.bincount(pairs, minlength=len(lesions) * tissues)
    return counts.reshape(len(lesions), tissues).astype(np.int64)


def write_lesions(
    cases: Sequence[AnsweredCase],
    lesions_of: Callable[[AnsweredScan], dict[str, MeasuredLesions]],
    names: Sequence[str],
    out_folder: Path,
    on_progress: OnProgress,
) -> int:
    """Write the lesions of all cases; returns how many files are new.

    Parameters
    ----------
    names : of the maps of each scan, as ``lesions_of`` gives them; a case whose files are all
        there is left alone, so that a stopped job goes on

    Raises
    ------
    InputError
        If the tissue of some voxels of a scan is not known.
    """
    out_folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for number, case in enumerate(cases):
        paths = {name: out_folder / f"{case.name}_{name}.npz" for name in names}
        if all(path.exists() for path in paths.values()):
            continue
        for name, lesions in lesions_of(case.load()).items():
            partial = paths[name].with_suffix(".partial.npz")
            arrays: dict[str, npt.NDArray[np.generic]] = {
                "features": lesions.features,
                "truth": lesions.truth,
                "version": np.array(LESION_FEATURE_VERSION),
                PATIENT_ID: np.array(case.patient),
            }
            np.savez_compressed(partial, **arrays)  # type: ignore[arg-type]  # numpy's stub takes bools too
            partial.replace(paths[name])
            written += 1
        on_progress(Progress("lesions", number + 1, len(cases), case.name))
    return written


def read_lesions(files: Sequence[Path]) -> MeasuredLesions:
    """Lesions of one file or more, one after another.

    Raises
    ------
    InputError
        If a file holds other measurements.
    """
    found = [_read(path) for path in files]
    return MeasuredLesions(
        np.concatenate([lesions.features for lesions in found]),
        np.concatenate([lesions.truth for lesions in found]),
    )


def _read(path: Path) -> MeasuredLesions:
    with np.load(path, allow_pickle=False) as file:
        absent = {"features", "truth", "version"} - set(file.files)
        version = None if absent else int(file["version"])
        if absent or version != LESION_FEATURE_VERSION:
            found = f"no {', '.join(sorted(absent))}" if absent else f"version {version}"
            msg = (
                f"{path}: found {found}; expected lesions measured by version "
                f"{LESION_FEATURE_VERSION}. Write them again with train lesions."
            )
            raise InputError(msg)
        lesions = MeasuredLesions(file["features"], file["truth"])
    fits = lesions.features.shape[1:] == (len(lesion_feature_names()),)
    if not fits or lesions.truth.shape != (len(lesions.features), len(TISSUES)):
        msg = (
            f"{path}: found features {lesions.features.shape} and truth {lesions.truth.shape}; "
            f"expected (lesion, {len(lesion_feature_names())}) and (lesion, {len(TISSUES)}). "
            "Write them again with train lesions."
        )
        raise InputError(msg)
    return lesions
