"""What an answer at an operating point says to a person, in sentences and in rows of a table."""

from __future__ import annotations

from slicer.i18n import tr as _

from RetinaTriageLib.calibration import Calibration
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageSlicer.operating_case import Decision
from RetinaTriageSlicer.widgets import Column


def pointTitle(point: OperatingPoint) -> str:
    """Operating point, and what it cares for."""
    return {
        OperatingPoint.HIGH_SENSITIVITY: _("High sensitivity: miss as little as possible"),
        OperatingPoint.BALANCED: _("Balanced: sensitivity and specificity count alike"),
        OperatingPoint.HIGH_SPECIFICITY: _("High specificity: few false alarms"),
    }[point]


def decisionColumns() -> tuple[Column, ...]:
    """Columns of `decisionRows`."""
    return (
        Column(_("Outcome"), _("Possible answer.")),
        Column(_("Mean"), _("Mean of all opinions as the networks gave it, 0 to 1.")),
        Column(_("Score"), _("Mean, re-weighted for the operating point, 0 to 1.")),
        Column(
            _("Penalty"), _("Penalty to expect of this answer, in the unit of the matrix above.")
        ),
        Column(_("Named"), _("Whether the verdict would name this outcome.")),
        Column(
            _("Sens. (%)"),
            _("Sensitivity: share of cases with it that validation found; - is unknown."),
        ),
        Column(
            _("Spec. (%)"),
            _("Specificity: share of the cases without it left alone; - is unknown."),
        ),
    )


def decisionRows(head: OutcomeHead, decision: Decision) -> list[list[str]]:
    """One row an outcome of a question."""
    costs = decision.costs
    return [
        [
            outcome.title,
            f"{decision.raw[at]:.2f}",
            f"{decision.scores[at]:.2f}",
            "" if costs is None else f"{costs[at]:.2f}",
            _("yes") if outcome.name in decision.names else "",
            _percent(decision.rates[at].sensitivity),
            _percent(decision.rates[at].specificity),
        ]
        for at, outcome in enumerate(head.outcomes)
    ]


def decisionText(
    head: OutcomeHead, decision: Decision, calibration: Calibration, point: OperatingPoint
) -> str:
    """Say what is decided, and what that rests on."""
    titles = [one.title for one in head.outcomes if one.name in decision.names]
    named = ", ".join(titles) or _("none")
    answer = _("{question}: {answer}.").format(question=head.title, answer=named)
    if decision.typed:
        rests = _(
            "Decided for the least expected penalty, with the mean scores taken as "
            "probabilities. No sensitivity was measured for penalties of your own."
        )
        return f"{answer}\n{rests}"
    weighted = _("Re-weighting: {calibration}.").format(
        calibration=calibration.describe((head,), point)
    )
    data = "; ".join(dict.fromkeys(one.data for one in decision.rates if one.data))
    stated = (
        _("Sensitivity and specificity as the bundle states them, on {data}.").format(data=data)
        if data
        else _("The bundle states no sensitivity and specificity for this operating point.")
    )
    return f"{answer}\n{weighted}\n{stated}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
