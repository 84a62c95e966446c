"""The manifest of a model bundle: what its networks are, see and answer, and how well.

It needs no torch, so a program may show what a bundle is before any network is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from RetinaTriageLib.calibration import IDENTITY, Calibration
from RetinaTriageLib.outcomes import OUTCOME_HEADS, OutcomeHead
from RetinaTriageLib.result import Vocabulary
from RetinaTriageLib.tissues import TISSUES, Tissue

ClassifierInputName = Literal["most-likely", "sampled", "probabilities"]
"""Values of `networks.classifier_input.ClassifierInput`, which needs torch and this does not."""

UNET, RANDOM_FOREST, GRAPH_SEARCH = "unet", "random_forest", "graph_search"
"""Kinds of segmenters."""

DENSENET, GRADIENT_BOOSTED, JOINT = "densenet", "gradient_boosted", "joint"
"""Kinds of classifiers; the joint one judges all tissue maps of a scan together."""

LESION_NAMER = "lesion_namer"
"""Kind of the trees that name the lesions of every tissue map."""

FLUID_NETWORK = "fluid_network"
"""Kind of the network that looks for intraretinal fluid once the maps are made."""

Limits = tuple[float, float]
Penalties = Mapping[str, tuple[tuple[float, ...], ...]]


@dataclass(frozen=True)
class GridSpec:
    """Grid on which classifiers see a tissue map, (B-scan, depth, width)."""

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]


@dataclass(frozen=True)
class SpacingLimits:
    """Smallest and largest voxel spacing that the segmenters were trained on, in mm."""

    bscan: Limits
    depth: Limits
    width: Limits


@dataclass(frozen=True)
class Measured:
    """One measured result: what, how much, on which data."""

    name: str
    value: float | str
    data: str


@dataclass(frozen=True)
class ClassifierEntry:
    """One classification network; `save_bundle` fills in ``file``, ``sha256`` and ``size``."""

    name: str
    config: Mapping[str, Any]
    kind: str = DENSENET
    file: str = ""
    sha256: str = ""
    size: int = 0


@dataclass(frozen=True)
class SegmenterEntry:
    """One segmentation network; `save_bundle` fills in ``file``, ``sha256`` and ``size``.

    Attributes
    ----------
    branches : device family ("spectralis", ...) to scanner adaptation branch; empty where the
        kind has no branches
    default_branch : branch for scanners that are unknown or have none
    """

    name: str
    config: Mapping[str, Any]
    branches: Mapping[str, str] = field(default_factory=dict)
    default_branch: str = ""
    kind: str = UNET
    file: str = ""
    sha256: str = ""
    size: int = 0


@dataclass(frozen=True)
class FinishEntry:
    """What finishes tissue maps; `save_bundle` fills in ``file``, ``sha256`` and ``size``."""

    name: str
    config: Mapping[str, Any]
    file: str = ""
    sha256: str = ""
    size: int = 0
    kind: ClassVar[str]


class NamerEntry(FinishEntry):
    """The trees that name lesions."""

    kind = LESION_NAMER


class FluidEntry(FinishEntry):
    """The network that looks for intraretinal fluid."""

    kind = FLUID_NETWORK


NetworkEntry = SegmenterEntry | ClassifierEntry | FinishEntry


@dataclass(frozen=True)
class LineScans:
    """How scans of a single B-scan are decided, where that was fitted on such scans.

    Attributes
    ----------
    measured : the rates of these decisions
    """

    calibration: Calibration
    measured: tuple[Measured, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """Everything that a bundle says about itself.

    Attributes
    ----------
    lesion_namer : what names the lesions of every tissue map; None leaves them as segmenters do
    fluid_network : what looks for intraretinal fluid once more; None leaves it as the maps have it
    trained_on : one sentence, shown beside each score
    calibration : `IDENTITY` where no score was ever calibrated
    line_scans : what stands in for ``calibration`` and ``measured`` where there is one B-scan
    penalties : head to penalty matrix, rows actual, columns predicted
    """

    name: str
    version: str
    license: str
    description: str
    trained_on: str
    trained_on_phantoms_only: bool
    segmenters: tuple[SegmenterEntry, ...]
    classifiers: tuple[ClassifierEntry, ...]
    classifier_grid: GridSpec
    classifier_input: ClassifierInputName = "most-likely"
    tissues: tuple[Tissue, ...] = TISSUES
    heads: tuple[OutcomeHead, ...] = OUTCOME_HEADS
    calibration: Calibration = IDENTITY
    penalties: Penalties = field(default_factory=dict)
    measured: tuple[Measured, ...] = ()
    spacing_limits_mm: SpacingLimits | None = None
    lesion_namer: NamerEntry | None = None
    fluid_network: FluidEntry | None = None
    line_scans: LineScans | None = None

    def of_scan(self, bscans: int) -> Manifest:
        """Manifest with the calibration and rates that hold for a scan of so many B-scans."""
        if bscans != 1 or self.line_scans is None:
            return self
        own = self.line_scans
        return replace(self, calibration=own.calibration, measured=own.measured)

    @property
    def vocabulary(self) -> Vocabulary:
        """The tissues and outcome heads that the networks speak of."""
        return Vocabulary(self.tissues, self.heads)

    @property
    def networks(self) -> tuple[NetworkEntry, ...]:
        """Segmenters, what finishes their maps, then classifiers."""
        finish = (entry for entry in (self.lesion_namer, self.fluid_network) if entry is not None)
        return (*self.segmenters, *finish, *self.classifiers)

    @property
    def map_classifiers(self) -> tuple[ClassifierEntry, ...]:
        """Classifiers that judge one tissue map at a time."""
        return tuple(entry for entry in self.classifiers if entry.kind != JOINT)

    @property
    def joint_classifiers(self) -> tuple[ClassifierEntry, ...]:
        """Classifiers that judge all tissue maps of a scan together."""
        return tuple(entry for entry in self.classifiers if entry.kind == JOINT)
