"""Measured lesions of automatic tissue maps with what they really are, one file a map.

An ``.npz`` file holds ``features``, float32 (lesion, measurement), ``truth``, int64 (lesion,
tissue), voxels of each true tissue in the lesion, ``missed``, int64 (tissue,), those outside of all
lesions, ``version`` of the measurements, and ``patient_id``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.labels.label_sets import LABEL_SETS, UNKNOWN
from RetinaTriageLib.networks.lesion_features import (
    LESION_FEATURE_VERSION,
    Features,
    lesion_feature_names,
)
from RetinaTriageLib.networks.lesions import find_lesions
from RetinaTriageLib.progress import OnProgress
from RetinaTriageLib.tissues import TISSUE_BY_NAME, TISSUES
from RetinaTriageLib.training.answered_cases import AnsweredCase, AnsweredScan, write_missing
from RetinaTriageLib.training.patients import PATIENT_ID, patient_of
from RetinaTriageLib.volume import LabelArray

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MeasuredLesions:
    """Lesions of one tissue map or of many.

    Attributes
    ----------
    features : float32 array (lesion, measurement)
    truth : int64 array (lesion, tissue), voxels of each true tissue in the lesion
    missed : int64 array (tissue,), voxels of each true tissue outside of all lesions
    patient : int64 array (lesion,), number of the patient whose lesion it is
    """

    features: Features
    truth: Counts
    missed: Counts
    patient: Counts

    def only(self, kept: npt.NDArray[np.bool_]) -> MeasuredLesions:
        """Keep some of the lesions, bool array (lesion,); what is missed stays that of all."""
        return MeasuredLesions(
            self.features[kept], self.truth[kept], self.missed, self.patient[kept]
        )


def with_truth(features: Features, tissue_map: LabelArray, codes: LabelArray) -> MeasuredLesions:
    """Lesions of a map with what they really are, as far as that is known.

    Parameters
    ----------
    features : of the lesions of ``tissue_map``
    tissue_map : uint8 array (B-scan, depth, width), what was found
    codes : uint8 array of the same shape, what is there, as `labels.label_sets` has it
    """
    lesions, tissues = find_lesions(tissue_map), len(TISSUES)
    true = TRUE_TISSUES[lesions.label[lesions.of], codes.reshape(-1)[lesions.voxel]]
    known = true < tissues
    pairs = lesions.of[known] * tissues + true[known]
    truth = np.bincount(pairs, minlength=len(lesions) * tissues).reshape(len(lesions), tissues)
    there = np.bincount(codes.reshape(-1), minlength=256)[:tissues]
    missed = np.maximum(there - truth.sum(axis=0), 0)
    return MeasuredLesions(features, truth, missed, np.zeros(len(lesions), np.int64))


def _true_tissues() -> Counts:
    """Tissue of a voxel by (tissue of its lesion, label code), `UNKNOWN` where it is not known.

    Where a code allows several tissues a lesion may be right, and is if all of them are of its
    group (fluid is fluid); if it is wrong, its voxels are of the retina, where that is allowed.
    """
    tissues, retina = len(TISSUES), TISSUE_BY_NAME["neurosensory_retina"].label
    true = np.full((tissues, len(LABEL_SETS)), UNKNOWN, np.int64)
    true[:, :tissues] = np.arange(tissues)
    groups = np.array([tissue.group.value for tissue in TISSUES])
    for code in range(tissues, len(LABEL_SETS)):
        allowed = LABEL_SETS[code]
        one_group = len(set(groups[allowed].tolist())) == 1
        for label in range(tissues):
            if allowed[label] and one_group:
                true[label, code] = label
            elif not allowed[label] and allowed[retina]:
                true[label, code] = retina
    return true


TRUE_TISSUES = _true_tissues()


def write_lesions(
    cases: Sequence[AnsweredCase],
    lesions_of: Callable[[AnsweredScan], Mapping[str, MeasuredLesions]],
    names: Sequence[str],
    out_folder: Path,
    on_progress: OnProgress,
) -> int:
    """Write the lesions of all cases; returns how many files are new.

    Parameters
    ----------
    names : of the maps of each scan, as ``lesions_of`` gives them
    """

    def write(case: AnsweredCase, paths: Mapping[str, Path]) -> None:
        for name, lesions in lesions_of(case.load()).items():
            _write(paths[name], lesions, case.patient)

    return write_missing(cases, names, out_folder, write, on_progress)


def _write(path: Path, lesions: MeasuredLesions, patient: str) -> None:
    partial = path.with_suffix(".partial.npz")
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "features": lesions.features,
        "truth": lesions.truth,
        "missed": lesions.missed,
        "version": np.array(LESION_FEATURE_VERSION),
        PATIENT_ID: np.array(patient),
    }
    np.savez_compressed(partial, **arrays)  # type: ignore[arg-type]  # numpy's stub takes bools too
    partial.replace(path)


def read_lesions(files: Sequence[Path]) -> MeasuredLesions:
    """Lesions of one file or more, one after another.

    Raises
    ------
    InputError
        If a file holds other measurements.
    """
    found = [_read(path) for path in files]
    _, patients = np.unique([patient_of(path) for path in files], return_inverse=True)
    return MeasuredLesions(
        np.concatenate([lesions.features for lesions in found]),
        np.concatenate([lesions.truth for lesions in found]),
        np.sum([lesions.missed for lesions in found], axis=0),
        np.repeat(patients, [len(lesions.truth) for lesions in found]),
    )


def _read(path: Path) -> MeasuredLesions:
    with np.load(path, allow_pickle=False) as file:
        absent = {"features", "truth", "missed", "version"} - set(file.files)
        version = None if absent else int(file["version"])
        if absent or version != LESION_FEATURE_VERSION:
            found = f"no {', '.join(sorted(absent))}" if absent else f"version {version}"
            msg = (
                f"{path}: found {found}; expected lesions measured by version "
                f"{LESION_FEATURE_VERSION}. Write them again with train lesions."
            )
            raise InputError(msg)
        features, truth, missed = file["features"], file["truth"], file["missed"]
    measurements, tissues = len(lesion_feature_names()), len(TISSUES)
    shapes = [(len(features), measurements), (len(features), tissues), (tissues,)]
    found_shapes = [features.shape, truth.shape, missed.shape]
    if found_shapes != shapes:
        msg = (
            f"{path}: found features, truth and missed of shapes {found_shapes}; expected "
            f"{shapes}. Write them again with train lesions."
        )
        raise InputError(msg)
    return MeasuredLesions(features, truth, missed, np.zeros(len(features), np.int64))
