"""Optovue ``.OCT`` files: bare 32 bit floats, described by a ``.txt`` file of the same name.

The description lists groups of B-scans, each a scan of its own. It states no distance between
voxels: "Physical video width" is the size of the video of the eye, which OCT-Converter takes for
that of the scan. A-scans are stored from the choroid upwards.

References
----------
OCT-Converter ``readers/poct.py`` (MIT) and oct-to-tiff, which agree on the order of the voxels.
Optovue publishes no description. Not checked on a real file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.binary import open_content, part
from RetinaTriageLib.readers.series import SeriesEntry, choose_series
from RetinaTriageLib.readers.sizes import require_sides
from RetinaTriageLib.volume import DeviceFamily, Laterality, OCTVolume, ScanPattern

ZIP_MAGIC = b"PK\x03\x04"
LARGEST_DESCRIPTION = 2**20
NUMBER = re.compile(r"(?<![\w.])\d{1,9}(?![\w.])")
ASSUMED = (
    "Spacing is unknown: Optovue's .txt states the size of a video, not that of the scan; state it "
    "with --spacing-um.",
    "Orientation is assumed as other readers of .OCT files take it: vitreous on top, left edge "
    "towards the patient's right, first B-scan inferior; the file does not state it.",
)


@dataclass(frozen=True)
class _Group:
    bscans: int
    depths: int
    widths: int

    @property
    def voxels(self) -> int:
        return self.bscans * self.depths * self.widths


def read_optovue(path: Path, series: int | None = None) -> OCTVolume:
    """One scan of a file.

    Raises
    ------
    InputError
        If the ``.txt`` file is missing, does not fit the voxels, or lists several scans and none
        was chosen.
    """
    groups, laterality = _describe(path)
    chosen = choose_series(_entries(groups), series, path.name)
    group = groups[chosen]
    require_sides((group.bscans, group.depths, group.widths), path.name)
    first = 4 * sum(other.voxels for other in groups[:chosen])
    content = open_content(path)
    stored = part(content, first, 4 * group.voxels, f"Series {chosen + 1} of {path.name}")
    ascans = np.frombuffer(stored.tobytes(), "<f4")
    upwards = ascans.reshape(group.bscans, group.widths, group.depths)
    voxels = np.ascontiguousarray(upwards.transpose(0, 2, 1)[:, ::-1])
    facts = {"device": ".OCT file"}
    if laterality is not None:
        facts["laterality"] = "Optovue .txt"
    eye = f" {laterality.value}" if laterality else ""
    return OCTVolume(
        voxels,
        None,
        laterality,
        DeviceFamily.OPTOVUE,
        ScanPattern.LINE if group.bscans == 1 else ScanPattern.RASTER,
        name=f"Optovue scan{eye}",
        sources=MappingProxyType(facts),
        assumed=ASSUMED,
    )


def list_optovue(path: Path) -> tuple[SeriesEntry, ...]:
    """List the scans of a file."""
    return _entries(_describe(path)[0])


def _entries(groups: list[_Group]) -> tuple[SeriesEntry, ...]:
    return tuple(
        SeriesEntry(number, f"{group.bscans} B-scans of {group.depths} x {group.widths}")
        for number, group in enumerate(groups, 1)
    )


def _describe(path: Path) -> tuple[list[_Group], Laterality | None]:
    with path.open("rb") as file:
        if file.read(len(ZIP_MAGIC)) == ZIP_MAGIC:
            msg = f"{path.name} is a zip archive; expected Optovue's voxels. Archives are not read."
            raise InputError(msg)
    description = next(
        (p for p in sorted(path.parent.iterdir()) if p.name.lower() == f"{path.stem.lower()}.txt"),
        None,
    )
    if description is None:
        msg = (
            f"Found no {path.stem}.txt beside {path.name}; expected Optovue's description of the "
            "scan. Copy both files. (Bioptigen files, which also end in .OCT, are not read.)"
        )
        raise InputError(msg)
    if description.stat().st_size > LARGEST_DESCRIPTION:
        msg = f"{description.name} has more than {LARGEST_DESCRIPTION} bytes; it is no description."
        raise InputError(msg)
    lines = description.read_text(encoding="latin-1").splitlines()
    return _groups(lines, description.name), _eye(lines)


def _groups(lines: list[str], name: str) -> list[_Group]:
    depths: int | None = None
    groups = []
    for line, following in pairwise([*lines, ""]):
        if "Window Height" in line:
            depths = _number(line, name)
        if "Scan Length" in line and "Scan Usage" in following:
            if depths is None:
                msg = f"{name} states no Window Height before its scans; export the scan again."
                raise InputError(msg)
            groups.append(_Group(_number(following, name), depths, _number(line, name)))
    return groups


def _number(line: str, name: str) -> int:
    found = NUMBER.search(line.rpartition("=")[2])
    if found is None:
        msg = f"Found no number in {line[:60]!r} of {name}; export the scan again."
        raise InputError(msg)
    return int(found[0])


def _eye(lines: list[str]) -> Laterality | None:
    stated = [line for line in lines if "Eye Scanned" in line]
    eyes = {eye for eye in Laterality for line in stated if eye.value in line}
    return eyes.pop() if len(eyes) == 1 else None
