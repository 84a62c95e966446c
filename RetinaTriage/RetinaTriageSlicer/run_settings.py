"""Settings of one run, and every reason why it cannot start, in words for the user."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.volume import DeviceFamily, Laterality, VoxelSpacing
from RetinaTriageLib.worker.messages import PatientFacts
from RetinaTriageSlicer.parameters import (
    AxisChoice,
    LateralityChoice,
    RetinaTriageParameterNode,
    ScannerChoice,
)
from RetinaTriageSlicer.volume_node import StatedGeometry


@dataclass(frozen=True)
class RunSettings:
    """How a volume is worked; ``bundle`` None is the one that comes with the extension."""

    bundle: Path | None = None
    compute: str = "auto"
    stated: StatedGeometry = field(default_factory=StatedGeometry)
    patient: PatientFacts = field(default_factory=PatientFacts)


def settingsOf(parameters: RetinaTriageParameterNode) -> RunSettings:
    """Read the settings that the panel shows.

    Raises
    ------
    GeometryError
        If the stated spacing is not that of any scanner.
    """
    laterality, scanner, axis = parameters.laterality, parameters.scanner, parameters.bscanAxis
    stated = StatedGeometry(
        _statedSpacing(parameters),
        None if laterality is LateralityChoice.AS_STORED else Laterality(laterality.value),
        None if scanner is ScannerChoice.AS_STORED else DeviceFamily(scanner.value),
        None if axis is AxisChoice.BY_SPACING else int(axis.value),
    )
    bundle = Path(parameters.bundlePath) if parameters.bundlePath else None
    return RunSettings(bundle, parameters.compute.value, stated)


def problems(volumeNode: Any, parameters: RetinaTriageParameterNode) -> list[str]:
    """Every reason why a run cannot start; empty if it can."""
    found = []
    if volumeNode is None:
        found.append(_("Choose an OCT volume."))
    elif volumeNode.GetImageData() is None:
        found.append(_("The input volume holds no voxels; load the scan again."))
    if parameters.bundlePath and not Path(parameters.bundlePath).exists():
        found.append(_("There is no model bundle at {path}.").format(path=parameters.bundlePath))
    try:
        _statedSpacing(parameters)
    except GeometryError as error:
        found.append(str(error))
    return found


def _statedSpacing(parameters: RetinaTriageParameterNode) -> VoxelSpacing | None:
    lengths = (parameters.bscanSpacingUm, parameters.depthSpacingUm, parameters.widthSpacingUm)
    if not any(lengths):
        return None
    bscanUm, depthUm, widthUm = lengths
    if not (depthUm and widthUm):
        raise GeometryError(_("State the spacing of depth and width, or leave all at 0."))
    return VoxelSpacing.from_um(bscanUm or None, depthUm, widthUm)
