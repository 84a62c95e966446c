"""A case folder as the result that it was written from: nothing is computed again.

All but the arrays comes from ``result.json``, tissue maps from the segmentations, en-face maps from
``maps.npz``. What a folder does not hold (definitions of the vocabulary, the record of the scanner)
is taken from this version's own words, or is missing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from RetinaTriageLib.cohort.stored_map import read_map
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.hypotheses import Hypothesis, Opinion, Spread
from RetinaTriageLib.outcomes import OUTCOME_HEADS, Outcome, OutcomeHead
from RetinaTriageLib.result import (
    EtdrsTable,
    Fovea,
    Measurements,
    Provenance,
    TissueMeasure,
    TriageResult,
    Verdict,
    Vocabulary,
)
from RetinaTriageLib.tissues import TISSUE_BY_NAME, Code, Tissue, TissueGroup
from RetinaTriageLib.volume import OCTVolume
from RetinaTriageLib.writers.case_folder import MAPS_FILE, RESULT_FILE

Json = Mapping[str, Any]

MALFORMED = (KeyError, TypeError, ValueError, AttributeError)
"""What a reader of JSON runs into that is not what it should be."""


def read_fields(case: Path) -> Json:
    """Fields of ``result.json`` of a case folder.

    Raises
    ------
    InputError
        If there is none, or it is broken.
    """
    try:
        fields: Json = json.loads((case / RESULT_FILE).read_text(encoding="utf-8"))
        fields["volume"]["shape"]["bscan"]
    except (OSError, *MALFORMED) as error:
        raise _broken(case, RESULT_FILE, error) from error
    return fields


def stored_case(case: Path, volume: OCTVolume) -> TriageResult:
    """Read the result of a case folder, on the scan that it was made of.

    Parameters
    ----------
    volume : the scan with the geometry of the run, or a stand-in of its shape

    Raises
    ------
    InputError
        If a file is missing or broken, or the scan has another shape.
    """
    fields = read_fields(case)
    try:
        vocabulary = _vocabulary(fields["vocabulary"])
        result = TriageResult(
            volume,
            vocabulary,
            tuple(
                Hypothesis(
                    one["segmenter"],
                    read_map(case, f"hypothesis_{number}").labels,
                    tuple(_opinion(opinion, vocabulary) for opinion in one["opinions"]),
                )
                for number, one in enumerate(fields["hypotheses"], start=1)
            ),
            read_map(case).labels,
            _verdict(fields["verdict"], vocabulary),
            _measurements(fields["measurements"], vocabulary, _maps(case)),
            _provenance(fields["provenance"]),
            tuple(_opinion(one, vocabulary) for one in fields.get("joint_opinions", ())),
        )
    except InputError:
        raise
    except MALFORMED as error:
        raise _broken(case, RESULT_FILE, error) from error
    _require_shape(case, result)
    return result


def _vocabulary(fields: Json) -> Vocabulary:
    return Vocabulary(
        tuple(_tissue(one) for one in fields["tissues"]),
        tuple(_head(one) for one in fields["heads"]),
    )


def _tissue(fields: Json) -> Tissue:
    known = TISSUE_BY_NAME.get(fields["name"])
    red, green, blue = fields["color"]
    return Tissue(
        int(fields["label"]),
        fields["name"],
        fields["title"],
        "" if known is None else known.definition,
        (red, green, blue),
        TissueGroup(fields["group"]),
        Code(**fields["code"]),
    )


def _head(fields: Json) -> OutcomeHead:
    known = {
        outcome.name: outcome.definition
        for head in OUTCOME_HEADS
        if head.name == fields["name"]
        for outcome in head.outcomes
    }
    outcomes = tuple(
        Outcome(one["name"], one["title"], known.get(one["name"], ""), one["code"])
        for one in fields["outcomes"]
    )
    return OutcomeHead(fields["name"], fields["title"], outcomes, fields["exclusive"])


def _opinion(fields: Json, vocabulary: Vocabulary) -> Opinion:
    return Opinion(fields["classifier"], _scores(fields["scores"], vocabulary))


def _scores(fields: Json, vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        head.name: np.array([fields[head.name][name] for name in head.names], np.float64)
        for head in vocabulary.heads
    }


def _verdict(fields: Json, vocabulary: Vocabulary) -> Verdict:
    spreads = fields["spreads"]
    return Verdict(
        _scores(fields["raw"], vocabulary),
        _scores(fields["scores"], vocabulary),
        {
            head.name: tuple(_spread(spreads[head.name][name]) for name in head.names)
            for head in vocabulary.heads
        },
        {head.name: tuple(fields["decisions"][head.name]) for head in vocabulary.heads},
        fields["operating_point"],
        fields["calibration"],
    )


def _measurements(fields: Json, vocabulary: Vocabulary, maps: Json) -> Measurements:
    known = {tissue.name: tissue for tissue in vocabulary.tissues}
    prefix = "thickness_um_"
    return Measurements(
        maps["enface"],
        None if fields["fovea"] is None else _fovea(fields["fovea"]),
        tuple(
            TissueMeasure(
                known[name],
                _numbers(one["volume_mm3"]),
                _numbers(one["area_mm2"]),
                _spread(one["volume_spread_mm3"]),
            )
            for name, one in fields["tissues"].items()
        ),
        None if fields["etdrs"] is None else _etdrs(fields["etdrs"]),
        {key.removeprefix(prefix): one for key, one in maps.items() if key.startswith(prefix)},
        maps["disagreement"],
        tuple(fields["refused"]),
    )


def _etdrs(fields: Json) -> EtdrsTable:
    return EtdrsTable(
        _fovea(fields["center"]),
        _numbers(fields["thickness_um"]),
        _numbers(fields["coverage"]),
        {sector: _spread(one) for sector, one in fields["spreads_um"].items()},
        _number(fields["central_point_um"]),
        _number(fields["central_point_sd_um"]),
        _number(fields["total_mm3"]),
        fields["boundaries"],
    )


def _fovea(fields: Json) -> Fovea:
    return Fovea(
        float(fields["bscan"]),
        float(fields["width"]),
        _number(fields["uncertainty_mm"]),
        fields["source"],
    )


def _provenance(fields: Json) -> Provenance:
    return Provenance(
        fields["bundle_name"],
        fields["bundle_sha256"],
        fields["trained_on"],
        fields["library_version"],
        fields["torch_version"],
        fields["compute"],
        int(fields["seed"]),
        _numbers(fields["seconds"]),
        tuple(fields["notes"]),
    )


def _spread(fields: Json) -> Spread:
    return Spread(*(_number(fields[name]) for name in ("mean", "std", "low", "high")))


def _numbers(fields: Json) -> dict[str, float]:
    return {name: _number(number) for name, number in fields.items()}


def _number(number: float | None) -> float:
    """Read a number of JSON, where null stands for what could not be measured."""
    return math.nan if number is None else float(number)


def _maps(case: Path) -> Json:
    try:
        with np.load(case / MAPS_FILE, allow_pickle=False) as maps:
            return {name: maps[name] for name in maps.files}
    except (OSError, EOFError, *MALFORMED) as error:
        raise _broken(case, MAPS_FILE, error) from error


def _require_shape(case: Path, result: TriageResult) -> None:
    shape = result.volume.shape
    flat = (shape[0], shape[2])
    measured = result.measurements
    maps = (measured.enface, measured.disagreement, *measured.thickness_um.values())
    labels = (result.consensus, *(hypothesis.tissue_map for hypothesis in result.hypotheses))
    found = {one.shape for one in labels} | {one.shape for one in maps}
    if found - {shape, flat}:
        msg = (
            f"Found maps {sorted(found)} in {case.name}, and a scan {shape}; expected maps of the "
            "scan. The scan was replaced by another one: run the case again."
        )
        raise InputError(msg)


def _broken(case: Path, file: str, error: Exception) -> InputError:
    return InputError(f"{case.name} holds no readable {file} ({error!r}); run the case again.")
