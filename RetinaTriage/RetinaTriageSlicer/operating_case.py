"""A result that can be decided again: its mean scores, its bundle, and what the user tried."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer

from RetinaTriageLib.bundle_manifest import Manifest
from RetinaTriageLib.decision import rescored
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.penalties import FloatMatrix, default_penalty, expected_penalties, penalty_for
from RetinaTriageLib.stated_rates import StatedRates, stated_rates
from RetinaTriageSlicer.bundle_of_result import readBundleManifest
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.provenance import PREFIX
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.shown_case import bundleOf

TRIED_POINT = PREFIX + "TriedOperatingPoint"
TRIED_PENALTY = PREFIX + "TriedPenalty."


@dataclass(frozen=True)
class Decision:
    """What a question is answered with.

    Attributes
    ----------
    raw, scores : float arrays (outcome,), mean of all opinions and the same re-weighted, 0 to 1
    costs : float array (outcome,), penalty to expect of each answer; None where several may hold
    names : outcomes that are decided for
    rates : what the bundle states of each outcome
    typed : whether it follows penalties that the user typed
    """

    raw: Any
    scores: Any
    costs: Any
    names: tuple[str, ...]
    rates: tuple[StatedRates, ...]
    typed: bool


@dataclass(frozen=True)
class OperatingCase:
    """A result and its bundle; what was tried is kept with the result.

    Attributes
    ----------
    consensus : node of the result
    manifest : of the bundle, as it holds for a scan of so many B-scans
    means : head to outcome to mean score of all opinions
    """

    consensus: Any
    manifest: Manifest
    means: Mapping[str, Mapping[str, float]]

    @property
    def heads(self) -> tuple[OutcomeHead, ...]:
        """Questions of the bundle whose every outcome has a score."""
        return tuple(
            head
            for head in self.manifest.vocabulary.heads
            if set(head.names) == set(self.means.get(head.name, ()))
        )

    def raw(self, head: OutcomeHead) -> Any:
        """Mean scores of a question as the networks gave them, float array (outcome,)."""
        return np.array([self.means[head.name][name] for name in head.names])

    def penalty(self, head: OutcomeHead, point: OperatingPoint) -> FloatMatrix:
        """Penalty matrix (actual, predicted): the typed one, else the bundle's for the point."""
        typed = self._typedPenalty(head)
        if typed is not None:
            return typed
        own = self.manifest.penalties.get(head.name)
        balanced = default_penalty(head) if own is None else np.array(own, np.float64)
        return penalty_for(balanced, point)

    def typePenalty(
        self, head: OutcomeHead, point: OperatingPoint, place: tuple[int, int], text: str
    ) -> None:
        """Take a penalty that was typed at a place (actual, predicted) of the matrix.

        Raises
        ------
        ValueError, InputError
            If it is not a number, or the matrix would not be one of penalties.
        """
        matrix = self.penalty(head, point).copy()
        matrix[place] = float(text.replace(",", "."))
        expected_penalties(self.raw(head), matrix)
        self.consensus.SetAttribute(TRIED_PENALTY + head.name, json.dumps(matrix.tolist()))

    def forgetPenalties(self, head: OutcomeHead) -> None:
        """Take the bundle's penalties of a question again."""
        self.consensus.RemoveAttribute(TRIED_PENALTY + head.name)

    def decide(self, head: OutcomeHead, point: OperatingPoint) -> Decision:
        """Answer a question at an operating point, or by the penalties that were typed for it."""
        raw = self.raw(head)
        scores, names = rescored(raw, head, self.manifest.calibration, point)
        costs = expected_penalties(raw, self.penalty(head, point)) if head.exclusive else None
        typed = self._typedPenalty(head) is not None
        if typed and costs is not None:
            names = (head.names[int(costs.argmin())],)
        rates = tuple(
            StatedRates()  # what the bundle states is not about penalties of one's own
            if typed
            else stated_rates(self.manifest.measured, head.name, name, point)
            for name in head.names
        )
        return Decision(raw, scores, costs, tuple(names), rates, typed)

    def _typedPenalty(self, head: OutcomeHead) -> FloatMatrix | None:
        text = self.consensus.GetAttribute(TRIED_PENALTY + head.name)
        if not text:
            return None
        matrix = np.array(json.loads(text), np.float64)
        return matrix if matrix.shape == (len(head.outcomes),) * 2 else None


def operatingCase(
    nodes: ResultNodes, parameters: RetinaTriageParameterNode | None
) -> OperatingCase | None:
    """Case of a result; None where its scores or its bundle are not at hand."""
    table, bundle = nodes.tables.get("scores"), bundleOf(nodes, parameters)
    if table is None or bundle is None or not slicer.mrmlScene.IsNodePresent(table):
        return None
    manifest = readBundleManifest(bundle)
    if manifest is None:
        return None
    bscans = int(nodes.consensus.GetAttribute(PREFIX + "Bscans") or 0)  # older results have none
    case = OperatingCase(nodes.consensus, manifest.of_scan(bscans), _meanScores(table))
    return case if case.heads else None


def triedPoint(consensus: Any) -> OperatingPoint:
    """Operating point that was tried last for a result, else the one it was made at."""
    made = consensus.GetAttribute(PREFIX + "OperatingPoint")
    tried = consensus.GetAttribute(TRIED_POINT) or made
    known = {point.value: point for point in OperatingPoint}
    return known.get(tried, OperatingPoint.BALANCED)


def keepPoint(consensus: Any, point: OperatingPoint) -> None:
    """Remember which operating point is tried for a result."""
    consensus.SetAttribute(TRIED_POINT, point.value)


def _meanScores(table: Any) -> dict[str, dict[str, float]]:
    """Head to outcome to mean score, of a score table node."""
    names = ("head", "outcome", "raw")
    columns = [table.GetTable().GetColumnByName(name) for name in names]
    found: dict[str, dict[str, float]] = {}
    for row in range(table.GetNumberOfRows()):
        head, outcome, raw = (column.GetValue(row) for column in columns)
        found.setdefault(head, {})[outcome] = float(raw)
    return found
