"""What a model bundle says of itself, read without its networks and without torch."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from slicer.i18n import tr as _

from RetinaTriageLib.bundle import bundled_models
from RetinaTriageLib.bundle_files import MANIFEST
from RetinaTriageLib.bundle_json import FORMAT, WHOLE_IMAGE
from RetinaTriageLib.errors import BundleError

MAX_MANIFEST_BYTES = 4 << 20  # that of a 5 x 5 ensemble takes 30 kB


@dataclass(frozen=True)
class BundleFacts:
    """Name, origin and size of one bundle, as its manifest states them."""

    name: str
    trainedOn: str
    license: str
    segmenters: int
    classifiers: int


def bundleFacts(path: Path | None) -> BundleFacts:
    """Facts on a bundle, folder or zip; None is the one that comes with RetinaTriage.

    Hashes are left to the worker, which checks all of them before each run.

    Raises
    ------
    BundleError
        If there is no bundle.
    """
    _bytes, found = readManifest(path or bundled_models())
    if found.get("kind") == WHOLE_IMAGE:
        msg = _(
            "{name} judges whole images and makes no tissue maps: choose it under B-scan "
            "classifier, and here a bundle of segmentation networks."
        ).format(name=_text(found, "name"))
        raise BundleError(msg)
    return BundleFacts(
        _text(found, "name") + " " + _text(found, "version"),
        _text(found, "trained_on"),
        _text(found, "license"),
        _count(found, "segmenters"),
        _count(found, "classifiers"),
    )


def readManifest(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Bytes and fields of the manifest of a bundle of either kind, as they stand there.

    Raises
    ------
    BundleError
        If there is no bundle.
    """
    try:
        text = manifestText(path)
        found = json.loads(text)
    except (OSError, ValueError, RecursionError, zipfile.BadZipFile, NotImplementedError) as error:
        raise BundleError(_noBundle(path, str(error))) from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise BundleError(_noBundle(path, _("its manifest is of another program")))
    return text, found


def manifestText(path: Path) -> bytes:
    """Bytes of the manifest of a bundle, folder or zip.

    Raises
    ------
    OSError, ValueError, BadZipFile
        If there is none, or more than one.
    """
    if path.is_dir():
        path = path / MANIFEST
    if path.name == MANIFEST:
        with path.open("rb") as file:
            return file.read(MAX_MANIFEST_BYTES)
    with zipfile.ZipFile(path) as archive:
        names = [PurePosixPath(name) for name in archive.namelist()]
        inside = [name for name in names if name.name == MANIFEST and len(name.parts) <= 2]
        if len(inside) != 1:
            raise ValueError(
                _("it holds {count} files {name}, not one").format(count=len(inside), name=MANIFEST)
            )
        with archive.open(str(inside[0])) as file:
            return file.read(MAX_MANIFEST_BYTES)


def _noBundle(path: Path, reason: str) -> str:
    return _(
        "There is no model bundle at {path}: {reason}. Choose a folder or zip that holds {name}."
    ).format(path=path, reason=reason.rstrip("."), name=MANIFEST)


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else _("not stated")


def _count(found: dict[str, Any], key: str) -> int:
    value = found.get(key)
    return len(value) if isinstance(value, list) else 0
