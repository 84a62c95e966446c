"""One scanned eye beside its scanner's table: thickness, drusen, fluid and referral in one row.

Where it is known which of the eyes are healthy, what must tell them from the others is checked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from RetinaTriageLib.evaluation.device_table import (
    DeviceComparison,
    compare_with_device,
    comparison_json,
)
from RetinaTriageLib.evaluation.ensemble_runs import EnsembleRuns
from RetinaTriageLib.evaluation.numbers import finite_or_none
from RetinaTriageLib.hypotheses import Scores
from RetinaTriageLib.inference.ensemble import EnsembleOutput
from RetinaTriageLib.measures.volumes import NL_PER_MM3
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import CONDITIONS, REFERRAL
from RetinaTriageLib.tissues import TissueGroup, labels_of
from RetinaTriageLib.volume import OCTVolume

DRUSEN, DRUSENOID_PED, CALM_REFERRAL = "drusen", "drusenoid_ped", "observation"
MOST_FLUID_OF_HEALTHY_NL = 1.0


@dataclass(frozen=True)
class DeviceEye:
    """One eye; NaN or None where the bundle does not answer, or nobody said.

    Attributes
    ----------
    drusen_raw, drusen_score : mean opinion, and as re-weighted for the operating point
    drusenoid_nl, fluid_nl : volume in the whole scan, on the consensus map
    referral : what was decided for
    healthy : whether the eye is known to be healthy
    """

    comparison: DeviceComparison
    drusen_raw: float
    drusen_score: float
    drusenoid_nl: float
    fluid_nl: float
    referral: str
    healthy: bool | None = None

    @property
    def name(self) -> str:
        """Name of the scan."""
        return self.comparison.name


@dataclass(frozen=True)
class EyeCheck:
    """One thing that must hold, what was found, and whether it holds."""

    what: str
    found: str
    holds: bool


def device_eye(
    volume: OCTVolume,
    output: EnsembleOutput,
    runs: EnsembleRuns,
    point: OperatingPoint = OperatingPoint.BALANCED,
    *,
    healthy: bool | None = None,
) -> DeviceEye:
    """Row of one eye that the ensemble has worked.

    Raises
    ------
    GeometryError
        If the scan holds no table of the device, or an ETDRS grid cannot be laid on it.
    """
    verdict = runs.verdict(output, point)
    voxel_nl = volume.require_spacing().voxel_mm3 * NL_PER_MM3
    drusenoid = [tissue.label for tissue in runs.tissues if tissue.name == DRUSENOID_PED]
    fluid = labels_of(TissueGroup.FLUID, tissues=runs.tissues)
    return DeviceEye(
        compare_with_device(volume, output.consensus, runs.tissues),
        _drusen(runs, verdict.raw),
        _drusen(runs, verdict.scores),
        float(np.isin(output.consensus, drusenoid).sum() * voxel_nl) if drusenoid else math.nan,
        float(np.isin(output.consensus, fluid).sum() * voxel_nl) if fluid else math.nan,
        ", ".join(verdict.decisions.get(REFERRAL.name, ())),
        healthy,
    )


def eye_checks(eyes: Sequence[DeviceEye]) -> Iterator[EyeCheck]:
    """Check what must tell healthy eyes from the others; nothing where one kind is missing."""
    healthy = [eye for eye in eyes if eye.healthy]
    others = [eye for eye in eyes if eye.healthy is False]
    if not healthy or not others:
        return
    yield _higher("drusen score", [e.drusen_raw for e in others], [e.drusen_raw for e in healthy])
    yield _higher(
        "drusenoid volume, nl", [e.drusenoid_nl for e in others], [e.drusenoid_nl for e in healthy]
    )
    most_nl = max(eye.fluid_nl for eye in healthy)
    yield EyeCheck(
        f"fluid in healthy eyes at most {MOST_FLUID_OF_HEALTHY_NL:g} nl",
        f"at most {most_nl:.2f} nl",
        most_nl <= MOST_FLUID_OF_HEALTHY_NL,
    )
    referrals = [eye.referral for eye in healthy]
    yield EyeCheck(
        f"referral of healthy eyes is {CALM_REFERRAL}",
        " and ".join(referrals),
        all(referral == CALM_REFERRAL for referral in referrals),
    )


def eyes_text(eyes: Sequence[DeviceEye]) -> str:
    """One line an eye, and the checks."""
    width = max(len("eye"), *(len(eye.name) for eye in eyes))
    lines = [
        f"{'eye':<{width}}{'thickness, ours minus device':>38}{'drusen score':>20}"
        f"{'drusenoid':>12}{'fluid':>10}  referral"
    ]
    for eye in eyes:
        found = eye.comparison
        thickness = (
            f"median {found.median_absolute_um:.1f} worst {found.worst_absolute_um:.1f} µm "
            f"{found.total_difference_percent:+.1f} %"
        )
        lines.append(
            f"{eye.name:<{width}}{thickness:>38}"
            f"{f'{eye.drusen_score:.3f} (raw {eye.drusen_raw:.3f})':>20}"
            f"{eye.drusenoid_nl:>9.2f} nl{eye.fluid_nl:>7.2f} nl  {eye.referral}"
        )
    lines += [
        f"{'holds' if check.holds else 'FAILS'}: {check.what}: {check.found}"
        for check in eye_checks(eyes)
    ]
    return "\n".join(lines) + "\n"


def eyes_json(eyes: Sequence[DeviceEye]) -> dict[str, object]:
    """Numbers of all eyes as JSON takes them; None where there is no number."""
    return {
        "eyes": [
            {
                **comparison_json(eye.comparison),
                "drusen_raw": finite_or_none(eye.drusen_raw),
                "drusen_score": finite_or_none(eye.drusen_score),
                "drusenoid_nl": finite_or_none(eye.drusenoid_nl),
                "fluid_nl": finite_or_none(eye.fluid_nl),
                "referral": eye.referral,
                "healthy": eye.healthy,
            }
            for eye in eyes
        ],
        "checks": [
            {"what": check.what, "found": check.found, "holds": check.holds}
            for check in eye_checks(eyes)
        ],
    }


def _drusen(runs: EnsembleRuns, scores: Scores) -> float:
    heads = {head.name: head.names for head in runs.bundle.vocabulary.heads}
    names = heads.get(CONDITIONS.name, ())
    return float(scores[CONDITIONS.name][names.index(DRUSEN)]) if DRUSEN in names else math.nan


def _higher(what: str, others: Sequence[float], healthy: Sequence[float]) -> EyeCheck:
    lowest, highest = min(others), max(healthy)
    return EyeCheck(
        f"{what} higher in every other eye than in any healthy one",
        f"others at least {lowest:.3f}, healthy at most {highest:.3f}",
        lowest > highest,
    )
