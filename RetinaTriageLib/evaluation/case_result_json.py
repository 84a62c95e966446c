"""The result of one labeled case as a JSON file and two PNGs, written whole and read back equal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.case_result import CaseResult, MapResult
from RetinaTriageLib.evaluation.central_thickness import CentralThickness
from RetinaTriageLib.evaluation.evaluation import CasePicture
from RetinaTriageLib.evaluation.numbers import finite_or_none
from RetinaTriageLib.evaluation.opinion_scores import JudgedCase
from RetinaTriageLib.evaluation.segmentation_scores import CODES
from RetinaTriageLib.evaluation.surface_distance import SurfaceDistance
from RetinaTriageLib.hypotheses import Opinion
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.writers.report_file import whole_file, write_whole_text

# Since 2 gray values and tissues are files of their own; since 3 B-scans are counted.
SCHEMA_VERSION = 3
TISSUES_SUFFIX = "_tissues.png"

Identity = Mapping[str, str | int]
"""What a result depends on: bundle, scanner, seed, ..."""


def write_case_result(result: CaseResult, identity: Identity, path: Path) -> None:
    """Write a result, and its picture as PNGs beside it; the JSON file comes last.

    One shows the B-scan, the other its true tissues to the left of those that were found: the
    index of a color is the label code.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    if result.picture is not None:
        shown = result.picture
        tissues = Image.fromarray(np.concatenate([shown.codes, shown.predicted], axis=1))
        tissues.putpalette(_palette().tobytes())
        pictures = {".png": Image.fromarray(shown.gray), TISSUES_SUFFIX: tissues}
        for suffix, picture in pictures.items():
            with whole_file(_beside(path, suffix)) as unfinished:
                picture.save(unfinished, "PNG")
    facts = {"schema_version": SCHEMA_VERSION, "identity": dict(identity), **_case_json(result)}
    write_whole_text(json.dumps(facts, ensure_ascii=False, allow_nan=False) + "\n", path)


def read_case_result(path: Path, identity: Identity) -> CaseResult:
    """Read what `write_case_result` wrote.

    Raises
    ------
    InputError
        If the file is damaged, or was made with another identity.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        made_with = {**found["identity"], "schema_version": found["schema_version"]}
        result = _case(found, path)
    except (KeyError, TypeError, ValueError, OSError) as error:
        msg = f"{path.name} cannot be read ({error!r:.120}); remove it, it is then made again."
        raise InputError(msg) from error
    asked = {**identity, "schema_version": SCHEMA_VERSION}
    differs = [name for name, value in asked.items() if made_with.get(name) != value]
    if differs:
        msg = (
            f"{path.name} was made with another {', '.join(differs)}; choose a new folder, so "
            "that results of two runs are not mixed."
        )
        raise InputError(msg)
    return result


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.stem + suffix)


def _palette() -> npt.NDArray[np.uint8]:
    """Color of every label code, (code, channel); white where more than one tissue is allowed."""
    colors = np.full((256, 3), 255, np.uint8)
    colors[: len(TISSUES)] = [tissue.color for tissue in TISSUES]
    return colors


def _case_json(result: CaseResult) -> dict[str, object]:
    judged, picture = result.judged, result.picture
    return {
        "name": judged.name,
        "patient": judged.patient,
        "bscans": judged.bscans,
        "answers": {head: dict(known) for head, known in judged.answers.items()},
        "opinions": [[_opinion_json(opinion) for opinion in row] for row in judged.opinions],
        "joint_opinions": [_opinion_json(opinion) for opinion in judged.joint_opinions],
        "voxel_nl": finite_or_none(result.voxel_nl),
        "maps": [_map_json(of_map) for of_map in result.maps],
        "picture": {"bscan": picture.bscan, "dice": finite_or_none(picture.dice)}
        if picture
        else None,
        "notes": list(result.notes),
    }


def _case(found: dict[str, Any], path: Path) -> CaseResult:
    opinions = tuple(tuple(_opinion(one) for one in row) for row in found["opinions"])
    joint = tuple(_opinion(one) for one in found.get("joint_opinions", ()))
    judged = JudgedCase(
        found["name"], found["patient"], found["bscans"], found["answers"], opinions, joint
    )
    picture = None
    if found["picture"] is not None:
        with Image.open(_beside(path, ".png")) as shown:
            gray = np.asarray(shown, np.uint8)
        with Image.open(_beside(path, TISSUES_SUFFIX)) as tissues:
            codes, predicted = np.split(np.asarray(tissues, np.uint8), 2, axis=1)
        dice = _number(found["picture"]["dice"])
        bscan = found["picture"]["bscan"]
        picture = CasePicture(judged.name, bscan, gray, codes, predicted, dice)
    maps = tuple(_map_result(of_map) for of_map in found["maps"])
    return CaseResult(judged, _number(found["voxel_nl"]), maps, picture, tuple(found["notes"]))


def _opinion_json(opinion: Opinion) -> dict[str, object]:
    scores = {head: values.tolist() for head, values in opinion.scores.items()}
    return {"classifier": opinion.classifier, "scores": scores}


def _opinion(found: dict[str, Any]) -> Opinion:
    scores = {head: np.array(values, np.float64) for head, values in found["scores"].items()}
    return Opinion(found["classifier"], scores)


def _map_json(of_map: MapResult) -> dict[str, object]:
    labeled = np.flatnonzero(of_map.counts.any(axis=1))
    return {
        "counts": {str(code): of_map.counts[code].tolist() for code in labeled},
        "surfaces": {name: _finite(asdict(found)) for name, found in of_map.surfaces.items()},
        "center": _finite(asdict(of_map.center)) if of_map.center else None,
    }


def _map_result(found: dict[str, Any]) -> MapResult:
    counts = np.zeros((CODES, len(TISSUES)), np.int64)
    for code, row in found["counts"].items():
        counts[int(code)] = row
    surfaces = {
        name: SurfaceDistance(**{key: _number(value) for key, value in fields.items()})
        for name, fields in found["surfaces"].items()
    }
    center = found["center"]
    return MapResult(
        counts,
        surfaces,
        CentralThickness(**{key: _number(value) for key, value in center.items()})
        if center
        else None,
    )


def _finite(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: finite_or_none(value) for key, value in fields.items()}


def _number(value: Any) -> Any:
    """Take null as NaN, which JSON does not have."""
    return float("nan") if value is None else value
