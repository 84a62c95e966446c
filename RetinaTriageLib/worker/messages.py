"""What a client asks of a worker, and what it gets back.

Everything here is plain values and arrays, so it loads where torch must not be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from RetinaTriageLib.bscan_verdict import BscanVerdict
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.explain.explanation import Explanation
from RetinaTriageLib.explain.occlusion_map import OcclusionBox, OcclusionMap, OcclusionMode
from RetinaTriageLib.hypotheses import Opinion
from RetinaTriageLib.image_classes import Pooling
from RetinaTriageLib.measures.map_place import MapMeasures, MapPlace
from RetinaTriageLib.result import Fovea, TriageResult, Verdict
from RetinaTriageLib.volume import LabelArray, OCTVolume, VoxelSpacing

Answer = TypeVar("Answer")


class Request(Generic[Answer]):
    """What a worker can be asked; the type parameter is what it answers with."""


@dataclass(frozen=True)
class PatientFacts:
    """Facts on the patient; None where unknown. ``sex`` is "F" or "M"."""

    age_years: float | None = None
    sex: str | None = None
    visual_acuity_logmar: float | None = None


@dataclass(frozen=True)
class RunOptions:
    """Fields of `pipeline.TriageOptions`, enumerations as their values."""

    operating_point: str = "balanced"
    patient: PatientFacts = field(default_factory=PatientFacts)
    compute: str = "auto"
    slab_bscans: int | None = None
    classifier_input: str | None = None
    seed: int = 0
    fovea: Fovea | None = None
    scanner: str | None = None


@dataclass(frozen=True)
class TriageRequest(Request[TriageResult]):
    """Segment, classify, decide and measure one volume.

    Attributes
    ----------
    bundle : folder or zip; None is the one that comes with the package
    """

    volume: OCTVolume
    bundle: Path | None = None
    options: RunOptions = field(default_factory=RunOptions)


@dataclass(frozen=True)
class Judgement:
    """Opinions of all classifiers on one tissue map, and the verdict on that map alone.

    Attributes
    ----------
    measures : of the map; None where none were asked for
    bundle : name and version of the bundle that judged
    outcomes : head to the names of its outcomes, in the order of the scores
    """

    opinions: tuple[Opinion, ...]
    verdict: Verdict
    measures: MapMeasures | None = None
    bundle: str = ""
    outcomes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class JudgeRequest(Request[Judgement]):
    """Judge one tissue map, such as one edited by hand.

    Attributes
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    spacing : of the volume that the map belongs to; None where it is not known
    bundle : folder or zip; None is the one that comes with the package
    place : how the map lies in the eye, to have it measured too; None measures nothing
    """

    tissue_map: LabelArray
    spacing: VoxelSpacing | None
    bundle: Path | None = None
    patient: PatientFacts = field(default_factory=PatientFacts)
    compute: str = "auto"
    operating_point: str = "balanced"
    place: MapPlace | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that are no tissue map."""
        _require_map(self.tissue_map)


@dataclass(frozen=True)
class ExplainRequest(Request[Explanation]):
    """Judge one tissue map again without each of its largest regions.

    Attributes
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    spacing : of the volume that the map belongs to; None where it is not known
    bundle : folder or zip; None is the one that comes with the package
    max_regions : how many regions are removed, one at a time
    """

    tissue_map: LabelArray
    spacing: VoxelSpacing | None
    bundle: Path | None = None
    patient: PatientFacts = field(default_factory=PatientFacts)
    compute: str = "auto"
    operating_point: str = "balanced"
    max_regions: int = 24

    def __post_init__(self) -> None:
        """Refuse arrays that are no tissue map."""
        _require_map(self.tissue_map)


@dataclass(frozen=True)
class OccludeRequest(Request[OcclusionMap]):
    """Hide a box of a B-scan wherever it fits, and see how far a score drops.

    Attributes
    ----------
    bscan : line scan of 8 bit, see `explain.lone_bscan`
    score : class of a whole-image classifier; otherwise head and outcome, as "referral.urgent"
    bundle : folder or zip of either kind; None is the one that comes with the package
    """

    bscan: OCTVolume
    score: str
    bundle: Path | None = None
    mode: OcclusionMode = OcclusionMode.FAST
    patient: PatientFacts = field(default_factory=PatientFacts)
    compute: str = "auto"
    operating_point: str = "balanced"
    box: OcclusionBox = field(default_factory=OcclusionBox)


@dataclass(frozen=True)
class JudgeBscansRequest(Request[BscanVerdict]):
    """Judge every B-scan of a volume with whole-image classifiers.

    Attributes
    ----------
    bundle : folder or zip of whole-image classifiers
    pooling : how B-scans become a volume; None is the bundle's own choice
    """

    volume: OCTVolume
    bundle: Path
    pooling: Pooling | None = None
    compute: str = "auto"


@dataclass(frozen=True)
class BundleFact:
    """One thing that was verified about a bundle, and what was found."""

    what: str
    found: str


@dataclass(frozen=True)
class CheckBundleRequest(Request[tuple[BundleFact, ...]]):
    """Verify a bundle, folder or zip, to the last tensor; None is the one of the package."""

    bundle: Path | None = None


@dataclass(frozen=True)
class Device:
    """One choice of ``compute``; memory is None where it is not known, free memory is of now."""

    compute: str
    title: str
    memory_bytes: int | None = None
    free_bytes: int | None = None


@dataclass(frozen=True)
class DeviceList:
    """Devices at hand, the one that "auto" takes first; ``hints`` say why a device is missing."""

    devices: tuple[Device, ...]
    hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class DevicesRequest(Request[DeviceList]):
    """Look again which devices there are and how much of their memory is free."""


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker is; said once, when it is ready."""

    pid: int
    library_version: str
    python_version: str
    torch_version: str
    devices: DeviceList


def _require_map(tissue_map: LabelArray) -> None:
    if tissue_map.ndim != 3 or tissue_map.dtype != "uint8":
        msg = (
            f"Found an array of {tissue_map.dtype} {tissue_map.shape}; expected a tissue map, "
            "uint8 (B-scan, depth, width). Convert it."
        )
        raise InputError(msg)
