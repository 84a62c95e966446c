"""The scan that a case of a cohort was made of: found again, and known again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from RetinaTriageLib.cohort.cohort_rows import CohortRow
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.measures.enface import enface_projection
from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.result import EnFaceArray
from RetinaTriageLib.volume import DeviceFamily, Laterality, OCTVolume, VoxelSpacing
from RetinaTriageSlicer.volume_node import StatedGeometry

SAME_GRAY = 1e-3
"""Difference of mean gray values, relative to their range, up to which scans are the same."""


def findScan(outDir: Path, row: CohortRow, scans: Path | None) -> Path | None:
    """Path of the file or folder that a case was made of; None where it is nowhere.

    Parameters
    ----------
    scans : folder that the scans lie in now; None where they lie where they did
    """
    return next((path for path in _candidates(outDir, row, scans) if path.exists()), None)


def readScan(path: Path, row: CohortRow, fields: Mapping[str, Any], name: str) -> OCTVolume:
    """Scan of a case with the geometry of its run.

    Parameters
    ----------
    fields : of the ``result.json`` of the case
    name : of the volume, which says nothing of the file

    Raises
    ------
    RetinaTriageError
        If it cannot be read.
    """
    series = row.text("series")
    volume = read_volume(path, series=int(series) if series.isdecimal() else None)
    known = scanFacts(fields)
    return replace(
        volume,
        name=name,
        spacing=known.spacing,
        laterality=known.laterality,
        device=known.device,
        sources=dict(fields["volume"]["sources"]),
        assumed=tuple(
            sentence.replace(fields["volume"]["name"] or "\0", name)
            for sentence in fields["volume"]["assumed"]
        ),
    )


def scanFacts(fields: Mapping[str, Any]) -> StatedGeometry:
    """Distances, eye side and scanner that a case was worked with."""
    said = fields["volume"]
    spacing, eye, device = said["spacing_mm"], said["laterality"], said["device"]
    return StatedGeometry(
        None
        if spacing is None
        else VoxelSpacing(spacing["bscan"], spacing["depth"], spacing["width"]),
        None if eye is None else Laterality(eye),
        None if device is None else DeviceFamily(device),
        bscanAxis=0,
    )


def requireSameScan(volume: OCTVolume, enface: EnFaceArray) -> None:
    """Refuse a scan whose en-face projection is not that of the case.

    Raises
    ------
    InputError
        If it is another scan.
    """
    found = enface_projection(volume.voxels)
    if found.shape == enface.shape:
        span = max(float(np.ptp(enface)), 1e-6)
        if float(np.abs(found - enface).max()) <= SAME_GRAY * span:
            return
    msg = (
        "The file is not the scan that this case was made of: its en-face projection differs. "
        "Choose the folder that the scans lie in now."
    )
    raise InputError(msg)


def _candidates(outDir: Path, row: CohortRow, scans: Path | None) -> Iterator[Path]:
    """Where the scan may lie: below the chosen folder, or beside the cohort."""
    file = row.text("file")
    if not file:
        return
    if scans is not None:
        yield scans / file
        yield scans / Path(file).name
    else:
        yield outDir / file
        yield outDir.parent / file
