"""Calibration of a bundle on scans with answers, and the rates that its decisions then have.

The rates are cross-fitted: patients are dealt into folds, and those of a fold are decided with
factors that were fitted on the others. The factors that go into the bundle are fitted on all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.bundle import Bundle, save_bundle
from RetinaTriageLib.bundle_manifest import Measured
from RetinaTriageLib.calibration import Calibration
from RetinaTriageLib.calibration_fit import fit_calibration
from RetinaTriageLib.decision import rescored
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.stated_rates import Rate, rate_name
from RetinaTriageLib.training.judged_grids import JudgedScans

FOLDS = 5
DECIMALS = 3

Judged = Mapping[str, JudgedScans]


def calibrated_bundle(folder: Path, bundle: Bundle, judged: Judged, measured_on: str) -> Bundle:
    """Write the bundle again, calibrated on judged scans, with its networks as they are.

    Parameters
    ----------
    folder : where to write; must not exist
    measured_on : which scans these are, such as "64 phantoms never trained on"

    Raises
    ------
    InputError
        If no answer is known.
    BundleError, OutputError
        If the bundle cannot be written.
    """
    if not judged:
        msg = "Found no scan with an answer; calibrate on maps that `train grids` wrote."
        raise InputError(msg)
    stated = {rate.value for rate in Rate}
    others = [one for one in bundle.manifest.measured if one.name.split(",")[0] not in stated]
    manifest = replace(
        bundle.manifest,
        calibration=_fitted(judged, bundle, measured_on),
        measured=(*others, *cross_fitted_rates(judged, bundle, measured_on)),
    )
    return save_bundle(folder, manifest, {}, bundle.model_card, kept=bundle.weights)


def cross_fitted_rates(judged: Judged, bundle: Bundle, measured_on: str) -> tuple[Measured, ...]:
    """Sensitivity and specificity of every outcome at every operating point.

    A rate without a case to measure it on is left out.
    """
    data = f"{measured_on}; each decided with factors fitted on other patients"
    rows = []
    for head in (head for head in bundle.vocabulary.heads if head.name in judged):
        actual = _actual(head, judged[head.name])
        for point, decided in _cross_decided(head, judged, bundle, measured_on).items():
            for at, name in enumerate(head.names):
                cases = {Rate.SENSITIVITY: actual[:, at], Rate.SPECIFICITY: ~actual[:, at]}
                for rate, of in cases.items():
                    if of.any():
                        share = float((decided[of, at] == actual[of, at]).mean())
                        called = rate_name(rate, head.name, name, point)
                        rows.append(Measured(called, round(share, DECIMALS), data))
    return tuple(rows)


def _cross_decided(
    head: OutcomeHead, judged: Judged, bundle: Bundle, measured_on: str
) -> Mapping[OperatingPoint, npt.NDArray[np.bool_]]:
    """Decisions (scan, outcome) on each scan with factors of the other folds' patients."""
    scans = judged[head.name]
    fold = np.array([crc32(patient.encode()) % FOLDS for patient in scans.patients])
    decided = {point: np.zeros(scans.scores.shape, np.bool_) for point in OperatingPoint}
    for number in np.unique(fold):
        others = {head.name: scans.chosen(fold != number)}
        calibration = _fitted(others, bundle, measured_on)
        for point, table in decided.items():
            for row in np.flatnonzero(fold == number):
                _, names = rescored(scans.scores[row], head, calibration, point)
                table[row] = np.isin(head.names, names)
    return decided


def _fitted(judged: Judged, bundle: Bundle, measured_on: str) -> Calibration:
    penalties = bundle.manifest.penalties
    return fit_calibration(
        {name: scans.scores for name, scans in judged.items()},
        {name: scans.truth for name, scans in judged.items()},
        bundle.vocabulary.heads,
        measured_on,
        penalties={name: penalties[name] for name in judged if penalties.get(name) is not None},
    )


def _actual(head: OutcomeHead, scans: JudgedScans) -> npt.NDArray[np.bool_]:
    """Whether every outcome is so, array (scan, outcome)."""
    if not head.exclusive:
        return scans.truth.astype(np.bool_)
    return np.asarray(scans.truth[:, None] == np.arange(len(head.names)))
