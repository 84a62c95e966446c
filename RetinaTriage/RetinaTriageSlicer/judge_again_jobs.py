"""Judging an edited map in the warm worker, against its original judged in the same way.

The stored opinions on the original may rest on probabilities, which an edited map does not have;
so the original is judged as a map too, once, and only that is compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.volume import LabelArray
from RetinaTriageLib.worker.messages import Judgement, JudgeRequest
from RetinaTriageSlicer.browser_scan import MapScan, foveaText, mapScan
from RetinaTriageSlicer.browser_views import isPresent
from RetinaTriageSlicer.chosen_fovea import placedScan
from RetinaTriageSlicer.edited_map import EDITED_FROM, editTime, readTissueMap, writeTissueMap
from RetinaTriageSlicer.edited_map_tables import writeJudgement
from RetinaTriageSlicer.provenance import PREFIX
from RetinaTriageSlicer.run_settings import RunSettings
from RetinaTriageSlicer.scene import ResultNodes


@dataclass(frozen=True)
class EditedCase:
    """An edited map with its result, and how it is to be judged."""

    node: Any
    result: ResultNodes
    settings: RunSettings
    closeHoles: bool


class Judging:
    """One edited map at a time; what is asked meanwhile waits for the answer.

    Parameters
    ----------
    logic : gives the logic, whose ``ask`` goes to the worker
    onJudged : called with the edited map's node when its tables are written
    onError : called with what went wrong
    """

    def __init__(
        self,
        logic: Callable[[], Any],
        onJudged: Callable[[Any], object],
        onError: Callable[[RetinaTriageError], object],
    ) -> None:
        self.busy = self.writing = False
        self._logic = logic
        self._onJudged = onJudged
        self._onError = onError
        self._originals: dict[tuple[Any, ...], Judgement] = {}
        self._originalMap: tuple[tuple[Any, int], LabelArray] | None = None
        self._judged: tuple[Any, LabelArray] | None = None
        self._next: EditedCase | None = None

    def forget(self) -> None:
        """Let go of the scene; answers that are still to come go nowhere."""
        self._originals.clear()
        self._originalMap = self._judged = self._next = None

    def prepare(self, case: EditedCase) -> None:
        """Have the original judged, so that worker and bundle are warm when the edit is done."""
        original = case.node.GetNodeReference(EDITED_FROM)
        key = _key(original, case)
        if original is None or key in self._originals:
            return
        scan = placedScan(original, case.result)

        def keep(judgement: Judgement) -> None:
            self._originals[key] = judgement

        self._ask(case, scan, self._readOriginal(original, scan), keep, _ignore)

    def changed(self, node: Any) -> bool:
        """Tell whether a map differs from how it was judged last."""
        if self._judged is None or self._judged[0] is not node:
            return True
        return not np.array_equal(readTissueMap(node, mapScan(node)), self._judged[1])

    def judge(self, case: EditedCase) -> None:
        """Judge an edited map; the answer comes later.

        Raises
        ------
        RetinaTriageError
            If its segments are no tissue map.
        """
        if self.busy:
            self._next = case
            return
        original = case.node.GetNodeReference(EDITED_FROM)
        scan = placedScan(case.node, case.result)
        edited = readTissueMap(case.node, scan)
        if case.closeHoles and original is not None:
            edited = self._closeHoles(case.node, edited, self._readOriginal(original, scan), scan)
        self.prepare(case)
        key = _key(original, case)
        self.busy = True

        def write(judgement: Judgement) -> None:
            self.busy = False
            if isPresent(case.node) and isPresent(case.result.consensus):
                self._judged = (case.node, edited)
                writeJudgement(case.result, case.node, self._originals.get(key), judgement)
                self._onJudged(case.node)
            self._goOn()

        self._ask(case, scan, edited, write, self._fail)

    def _ask(
        self,
        case: EditedCase,
        scan: MapScan,
        tissueMap: LabelArray,
        onResult: Callable[[Judgement], None],
        onError: Callable[[RetinaTriageError], None],
    ) -> None:
        request = JudgeRequest(
            tissueMap,
            scan.spacing,
            case.settings.bundle,
            case.settings.patient,
            case.settings.compute,
            case.result.consensus.GetAttribute(PREFIX + "OperatingPoint") or "balanced",
            scan.place,
        )
        self._logic().ask(request, _ignore, onResult, onError)

    def _readOriginal(self, original: Any, scan: MapScan) -> LabelArray:
        """Tissue map of the original, kept from one judgement to the next."""
        key = (original, editTime(original))
        if self._originalMap is None or self._originalMap[0] != key:
            self._originalMap = (key, readTissueMap(original, scan))
        return self._originalMap[1]

    def _fail(self, error: RetinaTriageError) -> None:
        self.busy = False
        self._next = None
        self._onError(error)

    def _goOn(self) -> None:
        case, self._next = self._next, None
        if case is not None and isPresent(case.node):
            self.judge(case)

    def _closeHoles(
        self, node: Any, edited: LabelArray, original: LabelArray, scan: MapScan
    ) -> LabelArray:
        from RetinaTriageLib.labels.surroundings import fill_from_around, holes_since

        holes = holes_since(edited, original)
        if not holes.any():
            return edited
        filled = fill_from_around(edited, holes)
        self.write(node, filled, scan)
        return filled

    def write(self, node: Any, labels: LabelArray, scan: MapScan) -> None:
        """Write an edited map without taking that for an edit of the user."""
        self.writing = True
        try:
            writeTissueMap(node, labels, scan)
        finally:
            self.writing = False


def _key(original: Any, case: EditedCase) -> tuple[Any, ...]:
    if original is None:
        return ()
    settings, fovea = case.settings, placedScan(original, case.result).place.fovea
    around = "" if fovea is None else foveaText(fovea)
    judged = (settings.bundle, settings.compute, settings.patient, around)
    return original.GetID(), editTime(original), *judged


def _ignore(_event: object) -> None:
    """Do nothing: progress is quick, and what fails for the original fails for its edit too."""
