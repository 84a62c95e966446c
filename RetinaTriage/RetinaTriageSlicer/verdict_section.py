"""Section of the verdict: what was decided, by which bundle, trained on what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slicer.i18n import tr as _

from RetinaTriageLib.outcomes import OUTCOME_HEADS
from RetinaTriageSlicer.provenance import PREFIX
from RetinaTriageSlicer.scene import ResultNodes, findResults


@dataclass(frozen=True)
class ScoreRow:
    """One row of a score table."""

    head: str
    outcome: str
    score: float
    decided: bool


class VerdictSection:
    """Shows the newest result of the chosen volume; hidden where there is none."""

    def __init__(self, ui: Any, onShow: Callable[[ResultNodes | None], object]) -> None:
        self._ui = ui
        self._onShow = onShow

    def showVolume(self, volumeNode: Any) -> None:
        """Show the newest result of a volume, such as one of a scene that was opened."""
        results = [one for one in findResults() if one.volumeNode is volumeNode]
        self.show(results[-1] if volumeNode is not None and results else None)

    def show(self, result: ResultNodes | None) -> None:
        """Show one result."""
        table = None if result is None else result.tables.get("scores")
        self._ui.verdictButton.setVisible(table is not None)
        self._ui.verdictLabel.text = "" if table is None else verdictText(table)
        self._onShow(result)


def verdictText(table: Any) -> str:
    """Verdict of a score table, one line a question, and what it rests on."""
    rows = scoreRows(table)
    lines = [_headText(head, [row for row in rows if row.head == head]) for head in _heads(rows)]
    by = _("Scores by {bundle}, operating point {point}, {calibration}.").format(
        bundle=_attribute(table, "Bundle"),
        point=_attribute(table, "OperatingPoint"),
        calibration=_attribute(table, "Calibration"),
    )
    rests_on = (by, _attribute(table, "TrainedOn"), _attribute(table, "Use"))
    notes = table.GetAttribute(PREFIX + "Notes")
    return "\n".join((*lines, "", *rests_on, *(("", notes) if notes else ())))


def scoreRows(table: Any) -> list[ScoreRow]:
    """Rows of a score table node."""
    columns = [
        table.GetTable().GetColumnByName(name)
        for name in ("head", "outcome", "reweighted", "decided")
    ]
    return [
        ScoreRow(
            columns[0].GetValue(at),
            columns[1].GetValue(at),
            float(columns[2].GetValue(at)),
            columns[3].GetValue(at) == "yes",
        )
        for at in range(table.GetNumberOfRows())
    ]


def _heads(rows: list[ScoreRow]) -> list[str]:
    return list(dict.fromkeys(row.head for row in rows))


def _headText(head: str, rows: list[ScoreRow]) -> str:
    decided = sorted((row for row in rows if row.decided), key=lambda row: -row.score)
    named = ", ".join(
        _("{outcome} {score:.2f}").format(outcome=_outcomeTitle(row), score=row.score)
        for row in decided
    )
    return _("{question}: {answer}").format(question=_headTitle(head), answer=named or _("none"))


def _headTitle(name: str) -> str:
    known = {head.name: head.title for head in OUTCOME_HEADS}
    return known.get(name, _spoken(name))


def _outcomeTitle(row: ScoreRow) -> str:
    known = {
        (head.name, outcome.name): outcome.title
        for head in OUTCOME_HEADS
        for outcome in head.outcomes
    }
    return known.get((row.head, row.outcome), _spoken(row.outcome))


def _spoken(name: str) -> str:
    """Name of a bundle's own head or outcome, as a person reads it."""
    return name.replace("_", " ").capitalize()


def _attribute(node: Any, name: str) -> str:
    return node.GetAttribute(PREFIX + name) or _("unknown")
