"""A pretending worker that judges maps too: the more fluid there is, the more edema it sees.

Run as a program it is the worker; imported it gives clients for it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "library"))

import numpy as np
from fake_worker import FakeEngine, fake_client

from RetinaTriageLib.decision import decide
from RetinaTriageLib.errors import BundleError
from RetinaTriageLib.hypotheses import Hypothesis, Opinion
from RetinaTriageLib.measures.map_measures import measure_map
from RetinaTriageLib.outcomes import OUTCOME_HEADS
from RetinaTriageLib.progress import OnProgress
from RetinaTriageLib.result import Vocabulary
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.worker.client import WorkerClient
from RetinaTriageLib.worker.messages import Judgement, JudgeRequest, Request
from RetinaTriageLib.worker.server import serve

FLUID = (4, 5)
NAMES = ("classifier 1", "classifier 2")


def judging_client(**options: Any) -> WorkerClient:
    return fake_client(arguments=(__file__,), **options)


class JudgingEngine(FakeEngine):
    def answer(self, request: Request[Any], on_progress: OnProgress) -> object:
        if not isinstance(request, JudgeRequest):
            return super().answer(request, on_progress)
        if request.bundle is not None and request.bundle.name == "bundle":
            msg = "Found no bundle."
            raise BundleError(msg)
        return judgement(request)


def judgement(request: JudgeRequest) -> Judgement:
    share = float(np.isin(request.tissue_map, FLUID).mean())
    opinions = tuple(_opinion(name, share, at) for at, name in enumerate(NAMES))
    alone = (Hypothesis("alone", request.tissue_map, opinions),)
    return Judgement(
        opinions,
        decide(alone, Vocabulary(TISSUES, OUTCOME_HEADS)),
        None
        if request.place is None
        else measure_map(request.tissue_map, request.spacing, request.place),
        "pretended 1.0",
        {head.name: head.names for head in OUTCOME_HEADS},
    )


def _opinion(name: str, share: float, at: int) -> Opinion:
    edema = min(0.95, 200 * share) + 0.01 * at
    scores = {}
    for head in OUTCOME_HEADS:
        values = np.full(len(head.names), 1 / len(head.names))
        if head.name == "conditions":
            values[head.names.index("macular_retinal_edema")] = edema
        scores[head.name] = values
    return Opinion(name, scores)


if __name__ == "__main__":
    serve(JudgingEngine(raw_output=os.dup(1)))
