"""The text of ``bundle.json``, whatever kind of bundle it describes: JSON that fits a schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from RetinaTriageLib.errors import BundleError

FORMAT = "retina-triage-bundle"
WHOLE_IMAGE = "whole_image"
"""Value of ``kind`` of bundles that classify images; bundles of tissue maps have none."""


def bundle_fields(text: bytes) -> dict[str, Any]:
    """Fields of ``bundle.json``; nothing of them is checked but that they are RetinaTriage's.

    Raises
    ------
    BundleError
        If it is no JSON or of another program.
    """
    try:
        found = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, or nested without end
        msg = (
            f"Found a bundle.json that cannot be read ({error}); expected JSON. "
            "The file was cut off or altered: get the bundle again."
        )
        raise BundleError(msg) from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        msg = (
            f"Found a bundle.json of another program; expected the format {FORMAT!r}. "
            "Choose a RetinaTriage bundle."
        )
        raise BundleError(msg)
    return found


def require_schema(found: Mapping[str, Any], schema_file: str, newest: int) -> None:
    """Refuse fields of another version than ``newest``, or that break their schema."""
    # Imported late: a program that only shows a result needs no JSON schema.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    version = found.get("schema_version")
    if isinstance(version, int) and version > newest:
        msg = (
            f"Found a bundle of schema version {version}; this RetinaTriage reads "
            f"{newest}. Update RetinaTriage or choose an older bundle."
        )
        raise BundleError(msg)
    if isinstance(version, int) and 1 <= version < newest:
        msg = (
            f"Found a bundle of schema version {version}; this RetinaTriage reads {newest}, whose "
            "networks see other numbers. Use the RetinaTriage that it was made with, or train its "
            "networks on and make the bundle again."
        )
        raise BundleError(msg)
    schema = json.loads((Path(__file__).parent / schema_file).read_text("utf-8"))
    error = best_match(Draft202012Validator(schema).iter_errors(found))
    if error is not None:
        where = error.json_path.removeprefix("$.")
        msg = (
            f"Found a bundle.json that breaks its schema at {where}: {error.message[:300]}. "
            "Ask whoever made the bundle, or write it again with this version."
        )
        raise BundleError(msg)


def bundle_text(fields: Mapping[str, Any]) -> bytes:
    """Bytes of ``bundle.json``."""
    try:
        text = json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        msg = "Found NaN or infinity in a manifest, which JSON lacks; leave that value out."
        raise BundleError(msg) from error
    return (text + "\n").encode()


def _refuse_constant(name: str) -> float:
    msg = f"{name} is no JSON"
    raise ValueError(msg)
