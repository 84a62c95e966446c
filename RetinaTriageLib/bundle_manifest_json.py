"""A bundle's manifest as the JSON text of ``bundle.json``, which follows ``bundle.schema.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from RetinaTriageLib.bundle_json import (
    FORMAT,
    WHOLE_IMAGE,
    bundle_fields,
    bundle_text,
    require_schema,
)
from RetinaTriageLib.bundle_manifest import (
    ClassifierEntry,
    FluidEntry,
    GridSpec,
    LineScans,
    Manifest,
    Measured,
    NamerEntry,
    SegmenterEntry,
    SpacingLimits,
)
from RetinaTriageLib.bundle_vocabulary import (
    head_from_json,
    head_to_json,
    require_unique,
    tissue_from_json,
    tissue_to_json,
)
from RetinaTriageLib.calibration import (
    IDENTITY,
    Calibration,
    calibration_from_json,
    calibration_to_json,
)
from RetinaTriageLib.errors import BundleError, InputError
from RetinaTriageLib.tissues import TISSUES

SCHEMA_VERSION = 2  # networks see gray by `networks.gray.tissue_scale`; before, as displayed


def parse_manifest(text: bytes) -> Manifest:
    """Manifest from the bytes of ``bundle.json``.

    Raises
    ------
    BundleError
        If it is no JSON, no manifest, of a newer version, or contradicts itself.
    """
    found = bundle_fields(text)
    if found.get("kind") == WHOLE_IMAGE:
        msg = (
            "Found a whole-image classifier; expected a bundle of segmenters and classifiers of "
            "tissue maps. Give this one with --bscan-bundle, beside the other."
        )
        raise BundleError(msg)
    require_schema(found, "bundle.schema.json", SCHEMA_VERSION)
    manifest = _manifest(found)
    _require_sense(manifest)
    return manifest


def manifest_json(manifest: Manifest) -> bytes:
    """Bytes of ``bundle.json``; standard tissues and heads are written as their names."""
    fields = {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        **asdict(replace(manifest, tissues=(), heads=(), calibration=IDENTITY, line_scans=None)),
        "tissues": [tissue_to_json(tissue) for tissue in manifest.tissues],
        "heads": [head_to_json(head) for head in manifest.heads],
        "calibration": _calibration_json(manifest.calibration),
    }
    if manifest.line_scans is not None:
        fields["line_scans"] = {
            "calibration": _calibration_json(manifest.line_scans.calibration),
            "measured": [asdict(one) for one in manifest.line_scans.measured],
        }
    if manifest.calibration == IDENTITY:
        del fields["calibration"]
    for optional in ("spacing_limits_mm", "lesion_namer", "fluid_network", "line_scans"):
        if fields[optional] is None:
            del fields[optional]
    return bundle_text(fields)


def _manifest(found: dict[str, Any]) -> Manifest:
    known = {key: found[key] for key in found if key not in ("format", "schema_version")}
    limits, namer = known.get("spacing_limits_mm"), known.get("lesion_namer")
    fluid = known.get("fluid_network")
    tissues = [tissue_from_json(label, entry) for label, entry in enumerate(known["tissues"])]
    penalties = known.get("penalties", {})
    return Manifest(
        **{
            **known,
            "tissues": tuple(tissues),
            "heads": tuple(head_from_json(entry) for entry in known["heads"]),
            "segmenters": tuple(SegmenterEntry(**entry) for entry in known["segmenters"]),
            "classifiers": tuple(ClassifierEntry(**entry) for entry in known["classifiers"]),
            "classifier_grid": GridSpec(**_tuples(known["classifier_grid"])),
            "calibration": _calibration(known.get("calibration")),
            "penalties": {head: tuple(map(tuple, rows)) for head, rows in penalties.items()},
            "measured": _measured(known.get("measured", ())),
            "spacing_limits_mm": None if limits is None else SpacingLimits(**_tuples(limits)),
            "lesion_namer": None if namer is None else NamerEntry(**namer),
            "fluid_network": None if fluid is None else FluidEntry(**fluid),
            "line_scans": _line_scans(known.get("line_scans")),
        }
    )


def _line_scans(fields: dict[str, Any] | None) -> LineScans | None:
    if fields is None:
        return None
    return LineScans(_calibration(fields["calibration"]), _measured(fields["measured"]))


def _measured(rows: Sequence[dict[str, Any]]) -> tuple[Measured, ...]:
    return tuple(Measured(**row) for row in rows)


def _calibration_json(calibration: Calibration) -> Any:
    return json.loads(calibration_to_json(calibration))


def _calibration(fields: dict[str, Any] | None) -> Calibration:
    if fields is None:
        return IDENTITY
    try:
        return calibration_from_json(json.dumps(fields))
    except InputError as error:
        msg = f"Found an unusable calibration in bundle.json. {error}"
        raise BundleError(msg) from error


def _require_sense(manifest: Manifest) -> None:
    """Refuse what a schema cannot see: doubles and names that nothing stands behind."""
    require_unique("tissue", (tissue.name for tissue in manifest.tissues))
    require_unique("head", (head.name for head in manifest.heads))
    require_unique("network", (entry.name for entry in manifest.networks))
    require_unique("weight file", (entry.file.lower() for entry in manifest.networks))
    finish = [e.name for e in (manifest.lesion_namer, manifest.fluid_network) if e is not None]
    if finish and manifest.tissues != TISSUES:
        msg = (
            f"Found {' and '.join(finish)} in bundle.json beside tissues of another vocabulary; "
            "expected the standard one, which is all they know. Leave them out."
        )
        raise BundleError(msg)
    if not manifest.map_classifiers:
        msg = (
            "Found classifiers in bundle.json that judge all tissue maps jointly and no other; "
            "expected at least one that judges a map alone, as an edited one has to be. Add one."
        )
        raise BundleError(msg)
    outcomes = {head.name: head.names for head in manifest.heads}
    calibrations = [manifest.calibration, manifest.of_scan(1).calibration]
    for heads in (heads for one in calibrations for heads in one.factors.values()):
        for head, factors in heads.items():
            if set(factors) != set(outcomes.get(head, ())):
                msg = (
                    f"Found calibration factors of head {head!r} for {sorted(factors)}; expected "
                    f"one for each of {sorted(outcomes.get(head, ()))}. Calibrate the bundle again."
                )
                raise BundleError(msg)
    for head, rows in manifest.penalties.items():
        size = len(outcomes.get(head, ()))
        if len(rows) != size or any(len(row) != size for row in rows):
            msg = (
                f"Found a penalty matrix of {len(rows)} rows for head {head!r}; expected "
                f"{size} x {size}, actual by predicted outcomes. Correct it in the bundle."
            )
            raise BundleError(msg)


def _tuples(fields: dict[str, list[float]]) -> dict[str, Any]:
    return {key: tuple(value) for key, value in fields.items()}
