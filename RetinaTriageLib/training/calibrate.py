"""Calibration of a bundle on scans with answers, and the rates that its decisions then have.

The rates are cross-fitted: patients are dealt into folds, and those of a fold are decided with
factors that were fitted on the others. The factors that go into the bundle are fitted on all. Those
of the balanced point go in only where enough scans settle them, and where they decide the other
patients better than raw scores do; clearly so for a head whose outcomes exclude one another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.bundle import Bundle, save_bundle
from RetinaTriageLib.bundle_manifest import LineScans, Measured
from RetinaTriageLib.calibration import Calibration, neutral_factor
from RetinaTriageLib.calibration_fit import fit_calibration
from RetinaTriageLib.decision import rescored
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.penalties import default_penalty
from RetinaTriageLib.stated_rates import Rate, rate_name
from RetinaTriageLib.training.judged_grids import JudgedScans, Scores

FOLDS = 5
FEWEST_SCANS = 10
"""Scans with an outcome, and as many without, that settle its balanced factor. With four of forty,
factors were fitted that called membranes and holes in pictures of healthy eyes."""
CLEARLY = 2.0
"""Standard errors of the mean penalty by which factors of exclusive outcomes must be better. Scans
are judged by one tissue map each, and ensembles, whose scores are sharper, are moved too far by
factors that chance has made: of 90 phantoms they erred on 11, 6 by raw scores."""
DECIMALS = 3

Judged = Mapping[str, JudgedScans]
Decisions = npt.NDArray[np.bool_]


def calibrated_bundle(
    folder: Path, bundle: Bundle, judged: Judged, measured_on: str, *, line_scans: bool = False
) -> Bundle:
    """Write the bundle again, calibrated on judged scans, with its networks as they are.

    Parameters
    ----------
    folder : where to write; must not exist
    measured_on : which scans these are, such as "64 phantoms never trained on"
    line_scans : whether they have one B-scan each; the calibration for volumes then stays

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
    decided = _decided(judged, bundle, measured_on)
    calibration = _without(_fitted(judged, bundle, measured_on), decided)
    rates = _rates(judged, decided, measured_on)
    if line_scans:
        manifest = replace(bundle.manifest, line_scans=LineScans(calibration, rates))
    else:
        stated = {rate.value for rate in Rate}
        others = [one for one in bundle.manifest.measured if one.name.split(",")[0] not in stated]
        manifest = replace(bundle.manifest, calibration=calibration, measured=(*others, *rates))
    return save_bundle(folder, manifest, {}, bundle.model_card, kept=bundle.weights)


def cross_fitted_rates(judged: Judged, bundle: Bundle, measured_on: str) -> tuple[Measured, ...]:
    """Sensitivity and specificity of every outcome at every operating point.

    A rate without a case to measure it on is left out.
    """
    return _rates(judged, _decided(judged, bundle, measured_on), measured_on)


@dataclass(frozen=True)
class _Decided:
    """Decisions of one head on every scan, with factors of the other folds' patients.

    Attributes
    ----------
    tables : operating point to bool array (scan, outcome)
    raw : outcomes that raw scores decide at the balanced point, and why
    """

    head: OutcomeHead
    tables: Mapping[OperatingPoint, Decisions]
    raw: Mapping[str, str]


def _decided(judged: Judged, bundle: Bundle, measured_on: str) -> tuple[_Decided, ...]:
    found = []
    for head in (head for head in bundle.vocabulary.heads if head.name in judged):
        scans = judged[head.name]
        tables = dict(_cross_decided(head, judged, bundle, measured_on))
        plain = _table(scans.scores, head, Calibration(), OperatingPoint.BALANCED)
        balanced = tables[OperatingPoint.BALANCED]
        penalty = bundle.manifest.penalties.get(head.name)
        cost = default_penalty(head) if penalty is None else np.asarray(penalty)
        worse = _no_better(head, scans, balanced, plain, cost)
        cases = _cases(head, scans)
        tables[OperatingPoint.BALANCED] = np.where(worse | (cases < FEWEST_SCANS), plain, balanced)
        clearly = "not clearly" if head.exclusive else "no"
        no_better = f"factors decide {len(scans.patients)} scans {clearly} better than raw scores"
        few = "{} scans with or without it; " + f"a factor needs {FEWEST_SCANS}"
        raw = {
            name: few.format(count) if count < FEWEST_SCANS else no_better
            for name, count, is_worse in zip(head.names, cases.tolist(), worse, strict=True)
            if is_worse or count < FEWEST_SCANS
        }
        found.append(_Decided(head, tables, raw))
    return tuple(found)


def _cases(head: OutcomeHead, scans: JudgedScans) -> npt.NDArray[np.int64]:
    """Count scans with an outcome or without, whichever are fewer; of exclusive ones the rarest."""
    actual = _actual(head, scans)
    rarer = np.minimum(actual.sum(axis=0), (~actual).sum(axis=0))
    return np.full(len(rarer), rarer.min()) if head.exclusive else rarer


def _no_better(
    head: OutcomeHead,
    scans: JudgedScans,
    decided: Decisions,
    plain: Decisions,
    penalty: npt.NDArray[np.float64],
) -> Decisions:
    """Whether decisions by factors are no better than those by raw scores, bool (outcome,)."""
    actual = scans.truth
    if not head.exclusive:
        worse: Decisions = _mistakes(actual, decided) >= _mistakes(actual, plain)
        return worse
    by_factors, by_raw = (
        penalty[actual.astype(np.int64), one.argmax(axis=1)] for one in (decided, plain)
    )
    gain = by_raw - by_factors
    needed = CLEARLY * gain.std() / np.sqrt(len(gain))
    return np.full(len(head.names), gain.mean() <= needed)


def _mistakes(truth: npt.NDArray[Any], decided: Decisions) -> npt.NDArray[np.float64]:
    """Shares of misses and of false alarms together, array (outcome,)."""
    actual = truth.astype(np.bool_)
    missed = (actual & ~decided).sum(axis=0) / np.maximum(actual.sum(axis=0), 1)
    alarms = (~actual & decided).sum(axis=0) / np.maximum((~actual).sum(axis=0), 1)
    costs: npt.NDArray[np.float64] = missed + alarms
    return costs


def _without(calibration: Calibration, decided: tuple[_Decided, ...]) -> Calibration:
    """Calibration whose balanced point leaves the scores of some outcomes as they are."""
    point = OperatingPoint.BALANCED.value
    factors = dict(calibration.factors.get(point, {}))
    gaps = dict(calibration.gaps.get(point, {}))
    for one in decided:
        named = factors.get(one.head.name)
        if named is None or not one.raw:
            continue
        raw = dict.fromkeys(one.raw, neutral_factor(one.head))
        factors[one.head.name] = {**named, **raw}
        for name, why in one.raw.items():
            key = one.head.name if one.head.exclusive else f"{one.head.name}/{name}"
            gaps.setdefault(key, why)
    return replace(
        calibration,
        factors={**calibration.factors, point: factors},
        gaps={**calibration.gaps, point: gaps},
    )


def _rates(judged: Judged, decided: tuple[_Decided, ...], measured_on: str) -> tuple[Measured, ...]:
    data = f"{measured_on}; each decided with factors fitted on other patients"
    rows = []
    for one in decided:
        actual = _actual(one.head, judged[one.head.name])
        for point, table in one.tables.items():
            for at, name in enumerate(one.head.names):
                cases = {Rate.SENSITIVITY: actual[:, at], Rate.SPECIFICITY: ~actual[:, at]}
                for rate, of in cases.items():
                    if of.any():
                        share = float((table[of, at] == actual[of, at]).mean())
                        called = rate_name(rate, one.head.name, name, point)
                        rows.append(Measured(called, round(share, DECIMALS), data))
    return tuple(rows)


def _cross_decided(
    head: OutcomeHead, judged: Judged, bundle: Bundle, measured_on: str
) -> Mapping[OperatingPoint, Decisions]:
    """Decisions (scan, outcome) on each scan with factors of the other folds' patients."""
    scans = judged[head.name]
    fold = np.array([crc32(patient.encode()) % FOLDS for patient in scans.patients])
    decided = {point: np.zeros(scans.scores.shape, np.bool_) for point in OperatingPoint}
    for number in np.unique(fold):
        others = {head.name: scans.chosen(fold != number)}
        calibration = _fitted(others, bundle, measured_on)
        for point, table in decided.items():
            rows = fold == number
            table[rows] = _table(scans.scores[rows], head, calibration, point)
    return decided


def _table(
    scores: Scores, head: OutcomeHead, calibration: Calibration, point: OperatingPoint
) -> Decisions:
    """Decisions (scan, outcome) by mean scores (scan, outcome)."""
    names = [rescored(row, head, calibration, point)[1] for row in scores]
    return np.array([np.isin(head.names, chosen) for chosen in names])


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
