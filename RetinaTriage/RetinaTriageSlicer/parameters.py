"""Parameters of the module, kept in the scene; names of enumeration members are a file format."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import slicer
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

# Lowest values of the spin boxes, which show them as "as stored" and "unknown".
AS_STORED_UM = 0.0
UNKNOWN_AGE = -1.0
UNKNOWN_ACUITY = -0.5


class BundleChoice(Enum):
    """Where the model bundle is."""

    SHIPPED = "shipped"
    FOLDER = "folder"
    ZIP = "zip"

    def label(self) -> str:
        """Text in the list."""
        return {
            "shipped": _("Comes with RetinaTriage"),
            "folder": _("Folder ..."),
            "zip": _("Zip file ..."),
        }[self.value]


class ComputeChoice(Enum):
    """Where networks run."""

    AUTO = "auto"
    CUDA = "cuda"
    MPS = "mps"
    CPU = "cpu"

    def label(self) -> str:
        """Text in the list."""
        return {
            "auto": _("Automatic: the fastest"),
            "cuda": _("NVIDIA GPU (CUDA)"),
            "mps": _("Apple GPU (MPS)"),
            "cpu": _("CPU: slow, always there"),
        }[self.value]


class LateralityChoice(Enum):
    """Which eye it is."""

    AS_STORED = "as stored"
    OD = "OD"
    OS = "OS"

    def label(self) -> str:
        """Text in the list."""
        return {
            "as stored": _("As stored"),
            "OD": _("Right eye (OD)"),
            "OS": _("Left eye (OS)"),
        }[self.value]


class ScannerChoice(Enum):
    """Which scanner took the scan."""

    AS_STORED = "as stored"
    SPECTRALIS = "spectralis"
    CIRRUS = "cirrus"
    TOPCON = "topcon"
    OPTOVUE = "optovue"

    def label(self) -> str:
        """Text in the list."""
        names = {
            "spectralis": "Heidelberg Spectralis",
            "cirrus": "Zeiss Cirrus",
            "topcon": "Topcon",
            "optovue": "Optovue",
        }
        return names.get(self.value, _("As stored"))


class AxisChoice(Enum):
    """Axis of the volume's array on which B-scans follow one another."""

    BY_SPACING = "by spacing"
    SLOWEST = "0"
    MIDDLE = "1"
    FASTEST = "2"

    def label(self) -> str:
        """Text in the list."""
        return {
            "by spacing": _("By spacing"),
            "0": _("K (slices)"),
            "1": _("J (rows)"),
            "2": _("I (columns)"),
        }[self.value]


class SexChoice(Enum):
    """Sex of the patient, as DICOM codes it."""

    UNKNOWN = "unknown"
    FEMALE = "F"
    MALE = "M"

    def label(self) -> str:
        """Text in the list."""
        return {"unknown": _("Unknown"), "F": _("Female"), "M": _("Male")}[self.value]


@parameterNodeWrapper
class RetinaTriageParameterNode:
    """What the panel shows."""

    inputVolume: slicer.vtkMRMLScalarVolumeNode
    outputSegmentation: slicer.vtkMRMLSegmentationNode
    bundleChoice: BundleChoice = BundleChoice.SHIPPED
    bundlePath: str = ""
    bscanBundlePath: str = ""
    compute: ComputeChoice = ComputeChoice.AUTO
    laterality: LateralityChoice = LateralityChoice.AS_STORED
    scanner: ScannerChoice = ScannerChoice.AS_STORED
    bscanAxis: AxisChoice = AxisChoice.BY_SPACING
    bscanSpacingUm: Annotated[float, WithinRange(AS_STORED_UM, 500.0)] = AS_STORED_UM
    depthSpacingUm: Annotated[float, WithinRange(AS_STORED_UM, 500.0)] = AS_STORED_UM
    widthSpacingUm: Annotated[float, WithinRange(AS_STORED_UM, 500.0)] = AS_STORED_UM
    runWithoutSpacing: bool = False
    ageYears: Annotated[float, WithinRange(UNKNOWN_AGE, 120.0)] = UNKNOWN_AGE
    sex: SexChoice = SexChoice.UNKNOWN
    acuityLogmar: Annotated[float, WithinRange(UNKNOWN_ACUITY, 3.0)] = UNKNOWN_ACUITY
