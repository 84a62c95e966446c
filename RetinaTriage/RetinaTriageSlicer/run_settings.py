"""Settings of one run, read from what the panel shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from slicer.i18n import tr as _

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.volume import DeviceFamily, Laterality, VoxelSpacing
from RetinaTriageLib.worker.messages import PatientFacts
from RetinaTriageSlicer.parameters import (
    UNKNOWN_ACUITY,
    UNKNOWN_AGE,
    AxisChoice,
    BundleChoice,
    LateralityChoice,
    RetinaTriageParameterNode,
    ScannerChoice,
    SexChoice,
)
from RetinaTriageSlicer.stored_scan import StoredScan
from RetinaTriageSlicer.volume_node import StatedGeometry


@dataclass(frozen=True)
class RunSettings:
    """How a volume is worked; ``bundle`` None is the one that comes with the extension."""

    bundle: Path | None = None
    compute: str = "auto"
    stated: StatedGeometry = field(default_factory=StatedGeometry)
    patient: PatientFacts = field(default_factory=PatientFacts)


def settingsOf(parameters: RetinaTriageParameterNode, scan: StoredScan) -> RunSettings:
    """Read the settings that the panel shows for a scan.

    Raises
    ------
    GeometryError
        If the stated spacing is not that of any scanner, or not complete.
    """
    laterality, scanner = parameters.laterality, parameters.scanner
    stated = StatedGeometry(
        statedSpacing(parameters, scan),
        None if laterality is LateralityChoice.AS_STORED else Laterality(laterality.value),
        None if scanner is ScannerChoice.AS_STORED else DeviceFamily(scanner.value),
        statedAxis(parameters),
    )
    return RunSettings(
        bundlePath(parameters), parameters.compute.value, stated, patientFacts(parameters)
    )


def bundlePath(parameters: RetinaTriageParameterNode) -> Path | None:
    """Path of the bundle that the user chose; None is the one that comes with RetinaTriage."""
    if parameters.bundleChoice is BundleChoice.SHIPPED:
        return None
    return Path(parameters.bundlePath.strip())


def statedAxis(parameters: RetinaTriageParameterNode) -> int | None:
    """B-scan axis of the node's array that the user stated, 0 is the slowest."""
    axis = parameters.bscanAxis
    return None if axis is AxisChoice.BY_SPACING else int(axis.value)


def statedSpacing(parameters: RetinaTriageParameterNode, scan: StoredScan) -> VoxelSpacing | None:
    """Spacing with the lengths that the user stated, others as stored; None if none is stated.

    Raises
    ------
    GeometryError
        If a length is neither stated nor stored, or is not that of any scanner.
    """
    stated = (parameters.bscanSpacingUm, parameters.depthSpacingUm, parameters.widthSpacingUm)
    if not any(stated):
        return None
    stored = scan.spacing
    storedMm = (
        (None,) * 3 if stored is None else (stored.bscan_mm, stored.depth_mm, stored.width_mm)
    )
    bscanMm, depthMm, widthMm = (
        lengthUm / 1000 if lengthUm else lengthMm
        for lengthUm, lengthMm in zip(stated, storedMm, strict=True)
    )
    if depthMm is None or widthMm is None or (bscanMm is None and not scan.single):
        raise GeometryError(
            _("State all distances under Scan geometry, since the volume has none that is known.")
        )
    return VoxelSpacing(None if scan.single else bscanMm, depthMm, widthMm)


def patientFacts(parameters: RetinaTriageParameterNode) -> PatientFacts:
    """Facts on the patient that the user stated."""
    age, acuity, sex = parameters.ageYears, parameters.acuityLogmar, parameters.sex
    return PatientFacts(
        None if age <= UNKNOWN_AGE else age,
        None if sex is SexChoice.UNKNOWN else sex.value,
        None if acuity <= UNKNOWN_ACUITY else acuity,
    )
