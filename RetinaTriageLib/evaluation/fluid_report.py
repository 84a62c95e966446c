"""Numbers of an evaluation of fluid as text and JSON, with intervals by patients."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from RetinaTriageLib.evaluation.fluid import FluidEvaluation
from RetinaTriageLib.evaluation.numbers import finite_or_none
from RetinaTriageLib.evaluation.patient_draws import BOOTSTRAP_DRAWS
from RetinaTriageLib.evaluation.proportions import CONFIDENCE, Interval

# With fewer patients a bootstrap repeats so few sets that its interval says nothing.
FEWEST_PATIENTS = 5

MEASURES: dict[str, Callable[[FluidEvaluation], float]] = {
    "Dice, pixels pooled": lambda fluid: fluid.pooled_dice,
    "Dice, mean of B-scans": lambda fluid: fluid.mean_dice,
    "correlation of volumes": lambda fluid: fluid.volume_correlation,
    "false fluid, mean, nl": lambda fluid: fluid.mean_false_fluid_nl,
}


def patient_interval(
    evaluation: FluidEvaluation,
    value: Callable[[FluidEvaluation], float],
    *,
    seed: int = 0,
    draws: int = BOOTSTRAP_DRAWS,
) -> Interval | None:
    """95 % percentile interval of one measure, drawn by patients; None with too few of them."""
    patients = evaluation.patients
    if len(patients) < FEWEST_PATIENTS:
        return None
    rng = np.random.default_rng(seed)
    scans = [evaluation.of_patient(patient).scans for patient in patients]
    values = []
    for _ in range(draws):
        drawn = rng.integers(len(scans), size=len(scans))
        sample = FluidEvaluation(tuple(scan for one in drawn for scan in scans[one]), ())
        values.append(value(sample))
    known = [found for found in values if np.isfinite(found)]
    if not known:
        return None
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(known, (tail, 100 - tail))
    return Interval(float(low), float(high))


def fluid_text(evaluation: FluidEvaluation) -> str:
    """Summary for a terminal: all B-scans, then each patient."""
    false_nl, patients = evaluation.false_fluid_nl, evaluation.patients
    lines = [
        f"{len(evaluation.scans)} B-scans of {len(patients)} patients, "
        f"{len(evaluation.scans) - len(false_nl)} of them with fluid",
        f"{'':<26}{'all':>8}{'95 % interval':>18}"
        + "".join(f"{patient:>10}" for patient in patients),
    ]
    lines += [_line(evaluation, title, value) for title, value in MEASURES.items()]
    if false_nl:
        lines.append(
            f"false fluid on {len(false_nl)} B-scans without fluid: "
            f"median {np.median(false_nl):.2f} nl, worst {max(false_nl):.2f} nl"
        )
    if len(patients) < FEWEST_PATIENTS:
        lines.append(
            f"No interval: {len(patients)} patients are too few to draw from; look at each."
        )
    return "\n".join(lines) + "\n"


def fluid_json(evaluation: FluidEvaluation) -> dict[str, object]:
    """Numbers of a set as JSON takes them; None where there is no number."""
    return {
        **_figures(evaluation),
        "intervals_95": {
            title: [interval.low, interval.high] if interval else None
            for title, interval in _intervals(evaluation)
        },
        "false_fluid_nl": list(evaluation.false_fluid_nl),
        "patients": {
            patient: _figures(evaluation.of_patient(patient)) for patient in evaluation.patients
        },
        "bscans": [
            {
                "name": scan.name,
                "patient": scan.patient,
                "dice": finite_or_none(scan.overlap.dice),
                "truth_nl": scan.truth_nl,
                "predicted_nl": scan.predicted_nl,
            }
            for scan in evaluation.scans
        ],
    }


def _intervals(evaluation: FluidEvaluation) -> Iterator[tuple[str, Interval | None]]:
    for title, value in MEASURES.items():
        yield title, patient_interval(evaluation, value)


def _figures(evaluation: FluidEvaluation) -> dict[str, object]:
    return {
        "pooled_dice": finite_or_none(evaluation.pooled_dice),
        "mean_dice": finite_or_none(evaluation.mean_dice),
        "volume_correlation": finite_or_none(evaluation.volume_correlation),
        "mean_false_fluid_nl": finite_or_none(evaluation.mean_false_fluid_nl),
    }


def _line(
    evaluation: FluidEvaluation, title: str, value: Callable[[FluidEvaluation], float]
) -> str:
    interval = patient_interval(evaluation, value)
    between = f"{interval.low:.3f} to {interval.high:.3f}" if interval else "–"
    by_patient = (value(evaluation.of_patient(patient)) for patient in evaluation.patients)
    return f"{title:<26}{value(evaluation):>8.3f}{between:>18}" + "".join(
        f"{found:>10.3f}" for found in by_patient
    )
