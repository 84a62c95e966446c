import json
from dataclasses import replace

import jsonschema
import pytest
from example_case import example_case
from example_result import SMALL, example_result

from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageLib.volume import VoxelSpacing
from RetinaTriageLib.writers.result_json import result_fields, result_schema, write_result_json


def refused_case():
    """Case of which nothing could be measured."""
    case = example_case(spacing=None)
    nothing = replace(
        case.measurements, fovea=None, tissues=(), etdrs=None, refused=("Spacing is unknown.",)
    )
    return replace(case, volume=replace(case.volume, laterality=None), measurements=nothing)


def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(result_schema())


@pytest.mark.parametrize(
    "case",
    [example_case(), example_case(VoxelSpacing(None, 0.004, 0.011)), refused_case()],
    ids=["volume", "single B-scan", "nothing measured"],
)
def test_results_follow_the_schema(tmp_path, case):
    write_result_json(case, tmp_path / "result.json", ["result.json"])
    fields = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    jsonschema.validate(fields, result_schema())


def test_a_full_result_follows_the_schema():
    jsonschema.validate(result_fields(example_result(SMALL)), result_schema())


@pytest.mark.parametrize("part", ["volume", "verdict", "measurements", "provenance"])
def test_schema_refuses_unknown_and_missing_fields(part):
    fields = result_fields(example_case())
    more = fields | {part: fields[part] | {"surprise": 1}}
    less = fields | {part: dict(list(fields[part].items())[1:])}
    for wrong in (more, less):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, result_schema())


def test_scores_are_named():
    fields = result_fields(example_case())
    assert fields["verdict"]["scores"] == {"urgency": {"now": 0.75, "later": 0.25}}
    assert fields["hypotheses"][1]["opinions"][0]["scores"]["urgency"]["now"] == pytest.approx(0.7)


def test_unmeasured_numbers_are_null():
    etdrs = result_fields(example_case())["measurements"]["etdrs"]
    assert etdrs["thickness_um"] == {"C0": 280.5, "S1": None}


def test_unknown_geometry_is_null():
    volume = result_fields(refused_case())["volume"]
    assert volume["spacing_mm"] is None
    assert volume["laterality"] is None


def test_reservations_travel_with_the_numbers():
    fields = result_fields(refused_case(), notes=["Written otherwise."])
    assert fields["research_use"] == RESEARCH_USE
    assert fields["volume"]["assumed"] == ["Device is unknown."]
    assert fields["measurements"]["refused"] == ["Spacing is unknown."]
    assert fields["provenance"]["notes"] == ["Written otherwise."]
    assert fields["verdict"]["calibration"] == "uncalibrated"
