"""Parameters of the module, kept in the scene; names of enumeration members are a file format."""

from __future__ import annotations

from enum import Enum

import slicer
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import parameterNodeWrapper


class ComputeChoice(Enum):
    """Where networks run."""

    AUTO = "auto"
    CUDA = "cuda"
    MPS = "mps"
    CPU = "cpu"

    def label(self) -> str:
        """Text in the list."""
        return {
            "auto": _("Automatic (fastest at hand)"),
            "cuda": _("NVIDIA GPU"),
            "mps": _("Apple GPU"),
            "cpu": _("CPU (slow, always there)"),
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


@parameterNodeWrapper
class RetinaTriageParameterNode:
    """What the panel shows; 0 is the volume's own spacing, an empty path the bundled bundle."""

    inputVolume: slicer.vtkMRMLScalarVolumeNode
    bundlePath: str = ""
    compute: ComputeChoice = ComputeChoice.AUTO
    laterality: LateralityChoice = LateralityChoice.AS_STORED
    scanner: ScannerChoice = ScannerChoice.AS_STORED
    bscanAxis: AxisChoice = AxisChoice.BY_SPACING
    bscanSpacingUm: float = 0.0
    depthSpacingUm: float = 0.0
    widthSpacingUm: float = 0.0
