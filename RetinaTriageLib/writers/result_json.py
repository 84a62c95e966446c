"""`result.json`: all of a case but its arrays, after the schema ``result.schema.json``.

Numbers that could not be measured are null. Nothing in it identifies a person, beyond the name
that the volume was given.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from RetinaTriageLib.bscan_agreement import compare_result
from RetinaTriageLib.hypotheses import Hypothesis, Opinion, Scores, Spread
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.result import (
    RESEARCH_USE,
    EtdrsTable,
    Measurements,
    Provenance,
    TissueMeasure,
    TriageResult,
    Verdict,
    Vocabulary,
)
from RetinaTriageLib.volume import OCTVolume
from RetinaTriageLib.writers.bscan_json import bscan_verdict_fields, comparison_fields

SCHEMA_VERSION = "1.0"

Json = dict[str, Any]


def write_result_json(
    result: TriageResult, path: Path, files: Iterable[str] = (), notes: Iterable[str] = ()
) -> None:
    """Write a case as JSON.

    Parameters
    ----------
    files : names of the files that lie beside this one
    notes : sentences to add to those of the provenance, on what was written in another way
    """
    fields = result_fields(result, files, notes)
    path.write_text(
        json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )


def result_schema() -> Json:
    """Return the JSON schema that ``result.json`` follows."""
    text = Path(__file__).with_name("result.schema.json").read_text(encoding="utf-8")
    schema: Json = json.loads(text)
    return schema


def result_fields(
    result: TriageResult, files: Iterable[str] = (), notes: Iterable[str] = ()
) -> Json:
    """Contents of ``result.json``; arguments of `write_result_json`."""
    heads = result.vocabulary.heads
    bscans = result.bscan_verdict
    beside = {} if bscans is None else {"bscan_classifier": bscan_verdict_fields(bscans)}
    if bscans is not None:
        beside["verdicts"] = comparison_fields(compare_result(result))
    return {
        "schema_version": SCHEMA_VERSION,
        "research_use": RESEARCH_USE,
        "volume": volume_fields(result.volume),
        "vocabulary": _vocabulary(result.vocabulary),
        "hypotheses": [_hypothesis(hypothesis, heads) for hypothesis in result.hypotheses],
        "joint_opinions": [_opinion(opinion, heads) for opinion in result.joint_opinions],
        "verdict": _verdict(result.verdict, heads),
        **beside,
        "measurements": _measurements(result.measurements),
        "provenance": _provenance(result.provenance, notes),
        "files": sorted(files),
    }


def volume_fields(volume: OCTVolume) -> Json:
    """Fields of a scan, with where its facts come from."""
    spacing = volume.spacing
    return {
        "name": volume.name,
        "shape": dict(zip(("bscan", "depth", "width"), volume.shape, strict=True)),
        "spacing_mm": None
        if spacing is None
        else {"bscan": spacing.bscan_mm, "depth": spacing.depth_mm, "width": spacing.width_mm},
        "laterality": None if volume.laterality is None else volume.laterality.value,
        "device": None if volume.device is None else volume.device.value,
        "pattern": volume.pattern.value,
        "sources": dict(volume.sources),
        "assumed": list(volume.assumed),
    }


def _vocabulary(vocabulary: Vocabulary) -> Json:
    return {
        "tissues": [
            {
                "label": tissue.label,
                "name": tissue.name,
                "title": tissue.title,
                "group": tissue.group.value,
                "color": list(tissue.color),
                "code": asdict(tissue.code),
            }
            for tissue in vocabulary.tissues
        ],
        "heads": [
            {
                "name": head.name,
                "title": head.title,
                "exclusive": head.exclusive,
                "outcomes": [
                    {"name": outcome.name, "title": outcome.title, "code": outcome.code}
                    for outcome in head.outcomes
                ],
            }
            for head in vocabulary.heads
        ],
    }


def _hypothesis(hypothesis: Hypothesis, heads: Sequence[OutcomeHead]) -> Json:
    opinions = [_opinion(opinion, heads) for opinion in hypothesis.opinions]
    return {"segmenter": hypothesis.segmenter, "opinions": opinions}


def _opinion(opinion: Opinion, heads: Sequence[OutcomeHead]) -> Json:
    return {"classifier": opinion.classifier, "scores": _scores(opinion.scores, heads)}


def _verdict(verdict: Verdict, heads: Sequence[OutcomeHead]) -> Json:
    return {
        "operating_point": verdict.operating_point,
        "calibration": verdict.calibration,
        "decisions": {head.name: list(verdict.decisions[head.name]) for head in heads},
        "raw": _scores(verdict.raw, heads),
        "scores": _scores(verdict.scores, heads),
        "spreads": {
            head.name: dict(zip(head.names, map(_spread, verdict.spreads[head.name]), strict=True))
            for head in heads
        },
    }


def _measurements(measurements: Measurements) -> Json:
    fovea, etdrs = measurements.fovea, measurements.etdrs
    return {
        "fovea": None if fovea is None else _plain(asdict(fovea)),
        "tissues": {measure.tissue.name: _tissue(measure) for measure in measurements.tissues},
        "etdrs": None if etdrs is None else _etdrs(etdrs),
        "refused": list(measurements.refused),
    }


def _tissue(measure: TissueMeasure) -> Json:
    return {
        "volume_mm3": _numbers(measure.volume_mm3),
        "area_mm2": _numbers(measure.area_mm2),
        "volume_spread_mm3": _spread(measure.volume_spread),
    }


def _etdrs(table: EtdrsTable) -> Json:
    return {
        "boundaries": table.boundaries,
        "center": _plain(asdict(table.center)),
        "thickness_um": _numbers(table.thickness_um),
        "coverage": _numbers(table.coverage),
        "spreads_um": {sector: _spread(spread) for sector, spread in table.spreads.items()},
        "central_point_um": _number(table.central_point_um),
        "central_point_sd_um": _number(table.central_point_sd_um),
        "total_mm3": _number(table.total_mm3),
    }


def _provenance(provenance: Provenance, notes: Iterable[str]) -> Json:
    return {
        "bundle_name": provenance.bundle_name,
        "bundle_sha256": provenance.bundle_sha256,
        "trained_on": provenance.trained_on,
        "library_version": provenance.library_version,
        "torch_version": provenance.torch_version,
        "compute": provenance.compute,
        "seed": provenance.seed,
        "seconds": _numbers(provenance.seconds),
        "notes": [*provenance.notes, *notes],
    }


def _scores(scores: Scores, heads: Sequence[OutcomeHead]) -> Json:
    return {
        head.name: _numbers(dict(zip(head.names, scores[head.name], strict=True))) for head in heads
    }


def _spread(spread: Spread) -> Json:
    return _plain(asdict(spread))


def _plain(fields: Json) -> Json:
    return {k: _number(v) if isinstance(v, float) else v for k, v in fields.items()}


def _numbers(numbers: Mapping[str, float]) -> Json:
    return {name: _number(number) for name, number in numbers.items()}


def _number(number: float) -> float | None:
    value = float(number)  # NumPy numbers are no JSON
    return value if math.isfinite(value) else None
