from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from example_result import SMALL, Example, example_result
from same_fields import assert_same

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.hypotheses import Opinion
from RetinaTriageLib.result import Fovea, TriageResult
from RetinaTriageLib.volume import VoxelSpacing
from RetinaTriageLib.worker.errors import WorkerProtocolError
from RetinaTriageLib.worker.folder import ArrayFolder, create_private_folder
from RetinaTriageLib.worker.messages import (
    BundleFact,
    CheckBundleRequest,
    Device,
    DeviceList,
    DevicesRequest,
    Judgement,
    JudgeRequest,
    PatientFacts,
    Request,
    RunOptions,
    TriageRequest,
)
from RetinaTriageLib.worker.operations import (
    OPERATIONS,
    decode_answer,
    decode_request,
    decode_result,
    encode_answer,
    encode_request,
    encode_result,
    operation_of,
)
from RetinaTriageLib.worker.protocol import decode_line, encode_line

TISSUE_MAP = np.arange(3 * 40 * 50, dtype=np.uint8).reshape(3, 40, 50)
PATIENT = PatientFacts(71.5, "F", 0.3)


@pytest.fixture
def folder() -> Iterator[ArrayFolder]:
    made = ArrayFolder(create_private_folder(), "answer")
    yield made
    made.remove()


def over_the_wire(data: Any) -> Any:
    return decode_line(encode_line({"data": data}))["data"]


def there_and_back(result: TriageResult, folder: ArrayFolder) -> TriageResult:
    data = over_the_wire(encode_result(result, folder))
    return decode_result(data, folder, result.volume)


@pytest.mark.parametrize(
    "example",
    [
        SMALL,
        replace(SMALL, laterality=None),
        replace(SMALL, spacing_known=False),
        replace(SMALL, hypotheses=1, classifiers=1),
        Example(shape=(1, 128, 104), hypotheses=5, classifiers=5),
    ],
)
def test_results_come_back_exactly(example: Example, folder: ArrayFolder) -> None:
    result = example_result(example)
    assert_same(there_and_back(result, folder), result)
    assert list(folder.path.iterdir()) == []


def test_numbers_that_were_not_measured_stay_so(folder: ArrayFolder) -> None:
    result = example_result()
    assert result.measurements.etdrs is not None
    etdrs = replace(result.measurements.etdrs, central_point_um=float("nan"), total_mm3=np.inf)
    result = replace(result, measurements=replace(result.measurements, etdrs=etdrs))
    assert_same(there_and_back(result, folder), result)


@pytest.mark.parametrize(
    "request_",
    [
        TriageRequest(example_result().volume),
        TriageRequest(
            replace(example_result(SMALL).volume, laterality=None, spacing=None),
            Path("/models/rétine.zip"),
            RunOptions("high-sensitivity", PATIENT, "cpu", 2, "sampled", 7, Fovea(3, 4, 0, "user")),
        ),
        JudgeRequest(TISSUE_MAP, VoxelSpacing(None, 0.004, 0.012), Path("b"), PATIENT),
        CheckBundleRequest(),
        DevicesRequest(),
    ],
)
def test_requests_come_back_exactly(request_: Request[Any], folder: ArrayFolder) -> None:
    data = over_the_wire(encode_request(request_, folder))
    assert_same(decode_request(operation_of(request_), data, folder), request_)


def test_other_answers_come_back_exactly(folder: ArrayFolder) -> None:
    result = example_result()
    opinions = (Opinion("c", {"referral": np.array([0.1, 0.2, 0.3, 0.4])}),)
    answers: list[tuple[Request[Any], object]] = [
        (JudgeRequest(TISSUE_MAP, None), Judgement(opinions, result.verdict)),
        (CheckBundleRequest(), (BundleFact("license", "MIT"),)),
        (DevicesRequest(), DeviceList((Device("cuda", "GPU", 8 << 30, None),), ("hint",))),
    ]
    for request, answer in answers:
        data = over_the_wire(encode_answer(request, answer, folder))
        assert_same(decode_answer(request, data, folder), answer)


def test_every_operation_has_its_own_request() -> None:
    assert len({known.request for known in OPERATIONS.values()}) == len(OPERATIONS)


def test_keys_of_a_newer_version_are_ignored(folder: ArrayFolder) -> None:
    request = CheckBundleRequest(Path("b"))
    data = encode_request(request, folder) | {"depth": "thorough"}
    assert decode_request("check_bundle", data, folder) == request


@pytest.mark.parametrize(
    ("operation", "data"),
    [
        ("rm", {}),
        (["triage"], {}),
        ("triage", {}),
        ("triage", []),
        ("triage", {"volume": None}),
        ("check_bundle", {"bundle": 3}),
        ("judge", {"tissue_map": "no reference", "spacing": None}),
        ("judge", {"tissue_map": {"dtype": "|O", "shape": [1], "base64": ""}, "spacing": None}),
        ("judge", {"tissue_map": {"dtype": "|u1", "shape": [9], "base64": "AA=="}}),
    ],
)
def test_what_is_no_request_is_refused(operation: Any, data: Any, folder: ArrayFolder) -> None:
    with pytest.raises(WorkerProtocolError, match="Found"):
        decode_request(operation, data, folder)


def test_values_refuse_themselves_on_the_other_side(folder: ArrayFolder) -> None:
    data = encode_request(JudgeRequest(TISSUE_MAP, VoxelSpacing(0.1, 0.004, 0.01)), folder)
    data["spacing"]["depth_mm"] = 4
    with pytest.raises(GeometryError, match="4000 µm along the depth"):
        decode_request("judge", data, folder)


def test_map_of_another_volume_is_refused(folder: ArrayFolder) -> None:
    result = example_result()
    data = encode_result(result, folder)
    other = SimpleNamespace(shape=(2, 128, 104))
    with pytest.raises(WorkerProtocolError, match=r"expected uint8 \(2, 128, 104\)"):
        decode_result(data, folder, other)  # type: ignore[arg-type]


def test_only_tissue_maps_can_be_judged() -> None:
    with pytest.raises(InputError, match="expected a tissue map"):
        JudgeRequest(np.zeros((2, 16, 16), np.int64), None)  # type: ignore[arg-type]


def test_message_is_one_line_of_ascii() -> None:
    line = encode_line({"path": "a\nb é \udcff"})
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"path": "a\nb é \udcff"}
