"""Requests and answers as JSON: which operations there are, and how each goes over the wire."""

from __future__ import annotations

from typing import Any, NamedTuple

from RetinaTriageLib.bscan_verdict import BscanVerdict
from RetinaTriageLib.explain.explanation import Explanation
from RetinaTriageLib.explain.occlusion_map import OcclusionMap
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.volume import OCTVolume
from RetinaTriageLib.worker.codec import (
    ArrayStore,
    decode,
    decode_fields,
    encode,
    encode_fields,
)
from RetinaTriageLib.worker.errors import WorkerProtocolError
from RetinaTriageLib.worker.messages import (
    BundleFact,
    CheckBundleRequest,
    DeviceList,
    DevicesRequest,
    ExplainRequest,
    JudgeBscansRequest,
    Judgement,
    JudgeRequest,
    OccludeRequest,
    Request,
    TriageRequest,
)
from RetinaTriageLib.worker.protocol import Json


class Operation(NamedTuple):
    """Kinds of the request and of the answer of one operation."""

    request: type[Request[Any]]
    answer: Any


OPERATIONS: dict[str, Operation] = {
    "triage": Operation(TriageRequest, TriageResult),
    "judge": Operation(JudgeRequest, Judgement),
    "explain": Operation(ExplainRequest, Explanation),
    "occlude": Operation(OccludeRequest, OcclusionMap),
    "judge_bscans": Operation(JudgeBscansRequest, BscanVerdict),
    "check_bundle": Operation(CheckBundleRequest, tuple[BundleFact, ...]),
    "devices": Operation(DevicesRequest, DeviceList),
}


def operation_of(request: Request[Any]) -> str:
    """Name of the operation that a request asks for."""
    return next(name for name, known in OPERATIONS.items() if isinstance(request, known.request))


def encode_request(request: Request[Any], arrays: ArrayStore) -> Json:
    """JSON of a request; arrays are kept in the store."""
    return encode_fields(type(request), request, arrays)


def decode_request(operation: object, data: object, arrays: ArrayStore) -> Request[Any]:
    """Request of an operation from its JSON."""
    known = OPERATIONS.get(operation) if isinstance(operation, str) else None
    if known is None:
        msg = (
            f"Found operation {operation!r}; expected one of {', '.join(OPERATIONS)}. Client and "
            "worker are of different versions: restart Slicer, or install RetinaTriage again."
        )
        raise WorkerProtocolError(msg)
    request: Request[Any] = decode(known.request, data, arrays)
    return request


def encode_answer(request: Request[Any], answer: Any, arrays: ArrayStore) -> Any:
    """JSON of the answer to a request; arrays are kept in the store."""
    if isinstance(answer, TriageResult):
        return encode_result(answer, arrays)
    return encode(OPERATIONS[operation_of(request)].answer, answer, arrays)


def decode_answer(request: Request[Any], data: object, arrays: ArrayStore) -> Any:
    """Answer to a request from its JSON."""
    if isinstance(request, TriageRequest):
        return decode_result(data, arrays, request.volume)
    return decode(OPERATIONS[operation_of(request)].answer, data, arrays)


def encode_result(result: TriageResult, arrays: ArrayStore) -> Json:
    """JSON of a result without its volume, which the client has."""
    return encode_fields(TriageResult, result, arrays, without=("volume",))


def decode_result(data: object, arrays: ArrayStore, volume: OCTVolume) -> TriageResult:
    """Rebuild a result from its JSON and the volume that it is of.

    Raises
    ------
    WorkerProtocolError
        If a map does not fit the volume, or the JSON is not that of a result.
    """
    result: TriageResult = decode_fields(TriageResult, data, arrays, {"volume": volume})
    maps = (result.consensus, *(hypothesis.tissue_map for hypothesis in result.hypotheses))
    for tissue_map in maps:
        if tissue_map.shape != volume.shape or tissue_map.dtype != "uint8":
            msg = (
                f"Found a tissue map of {tissue_map.dtype} {tissue_map.shape}; expected uint8 "
                f"{volume.shape}. Start the job again, and report this if it comes back."
            )
            raise WorkerProtocolError(msg)
    return result
