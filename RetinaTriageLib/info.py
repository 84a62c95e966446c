"""What a file is, as data that can be written as JSON; identifies nobody unless asked to."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from RetinaTriageLib.readers.identifiers import read_identifiers
from RetinaTriageLib.readers.registry import find_reader, list_series, read_volume
from RetinaTriageLib.volume import (
    DeviceThicknessTable,
    FloatArray,
    Localizer,
    OCTVolume,
    VoxelSpacing,
)

# The end of each RAS axis that a positive and a negative step goes to.
ENDS = (("right", "left"), ("anterior", "posterior"), ("superior", "inferior"))


def file_info(
    path: Path,
    *,
    bscan_axis: int | None = None,
    series: int | None = None,
    keep_identifiers: bool = False,
) -> dict[str, object]:
    """Facts on a scan: format, geometry with its sources, gray range, what the scanner stored.

    Lengths are in µm. Unknown facts are None. Of a file with several scans, none chosen, only the
    list of scans is returned.

    Parameters
    ----------
    series : which scan of a file that holds several, counted from 1
    keep_identifiers : whether to add what identifies the patient

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    listed = list_series(path)
    facts: dict[str, object] = {"format": find_reader(path).title}
    if len(listed) > 1:
        facts["series"] = [str(entry) for entry in listed]
    if keep_identifiers:
        facts["identifiers"] = dict(read_identifiers(path))
    if len(listed) > 1 and series is None:
        return facts
    return {**facts, **_volume_info(read_volume(path, bscan_axis=bscan_axis, series=series))}


def _volume_info(volume: OCTVolume) -> dict[str, object]:
    bscans, depths, widths = volume.shape
    return {
        "name": volume.name,
        "shape": {"bscans": bscans, "depths": depths, "widths": widths},
        "spacing_um": _spacing(volume.spacing),
        "laterality": volume.laterality.value if volume.laterality else None,
        "device": volume.device.value if volume.device else None,
        "pattern": volume.pattern.value,
        "directions": _directions(volume.directions),
        "gray": _gray(volume),
        "device_lines": {
            name: round(float(np.isfinite(line).mean()), 4)
            for name, line in volume.record.lines.items()
        },
        "localizer": _localizer(volume.record.localizer),
        "thickness_table": _table(volume.record.thickness_table),
        "sources": dict(volume.sources),
        "assumed": list(volume.assumed),
    }


def _spacing(spacing: VoxelSpacing | None) -> dict[str, float | None] | None:
    if spacing is None:
        return None
    bscan_um = None if spacing.bscan_mm is None else round(spacing.bscan_mm * 1000, 3)
    depth_um, width_um = round(spacing.depth_mm * 1000, 4), round(spacing.width_mm * 1000, 4)
    return {"bscan": bscan_um, "depth": depth_um, "width": width_um}


def _directions(directions: FloatArray) -> dict[str, object]:
    """Where each axis grows towards, and how far B-scans are turned against the horizontal."""
    words: dict[str, object] = {}
    for name, step in zip(("width", "depth", "bscan"), directions.T, strict=True):
        axis = int(np.argmax(np.abs(step)))
        words[name] = ENDS[axis][0 if step[axis] > 0 else 1]
    width = directions[:, 0]
    words["tilt_degrees"] = round(math.degrees(math.atan2(abs(width[2]), abs(width[0]))), 2)
    return words


def _gray(volume: OCTVolume) -> dict[str, object]:
    low, high = volume.voxels.min(), volume.voxels.max()
    mean = volume.voxels.mean(dtype=np.float64)
    return {
        "type": str(volume.voxels.dtype),
        "minimum": float(low),
        "maximum": float(high),
        "mean": round(float(mean), 2),
    }


def _localizer(localizer: Localizer | None) -> dict[str, object] | None:
    if localizer is None:
        return None
    row_mm, column_mm = localizer.spacing_mm
    rows, columns = localizer.pixels.shape
    return {
        "rows": rows,
        "columns": columns,
        "row_um": round(row_mm * 1000, 3),
        "column_um": round(column_mm * 1000, 3),
    }


def _table(table: DeviceThicknessTable | None) -> dict[str, object] | None:
    if table is None:
        return None
    thickness_um = {
        sector: None if math.isnan(thickness) else round(thickness, 1)
        for sector, thickness in table.thickness_um.items()
    }
    return {
        "thickness_um": thickness_um,
        "total_mm3": None if math.isnan(table.total_mm3) else table.total_mm3,
        "center": {"bscan": round(table.center[0], 2), "width": round(table.center[1], 2)},
        "boundaries": table.boundaries,
    }
