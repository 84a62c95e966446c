"""The result of one case: hypotheses, verdict, measurements and where each of them comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.bscan_verdict import BscanVerdict
from RetinaTriageLib.hypotheses import Hypothesis, Opinion, Scores, Spread
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.tissues import Tissue
from RetinaTriageLib.volume import LabelArray, OCTVolume

EnFaceArray = npt.NDArray[np.float32]

RESEARCH_USE = "Research use only. Not a medical device; not for diagnosis or treatment decisions."


@dataclass(frozen=True)
class Vocabulary:
    """The tissues and outcome heads of the bundle that made a result."""

    tissues: tuple[Tissue, ...]
    heads: tuple[OutcomeHead, ...]


@dataclass(frozen=True)
class Verdict:
    """The combined answer to every head.

    Attributes
    ----------
    raw : mean of all S x C opinions; one on all S maps together counts S times, once a map
    scores : ``raw`` re-weighted for the operating point
    spreads : head name to one Spread a class, over the same opinions re-weighted like ``scores``
    decisions : head name to the names of the outcomes decided for; one name for exclusive heads
    operating_point : name of the operating point
    calibration : what the re-weighting was measured on; "uncalibrated" where there is none
    """

    raw: Scores
    scores: Scores
    spreads: Mapping[str, tuple[Spread, ...]]
    decisions: Mapping[str, tuple[str, ...]]
    operating_point: str
    calibration: str = "uncalibrated"


@dataclass(frozen=True)
class Fovea:
    """Where the fovea lies: fractional (B-scan, width) index, its uncertainty and its source."""

    bscan: float
    width: float
    uncertainty_mm: float
    source: str


@dataclass(frozen=True)
class TissueMeasure:
    """Size of one tissue in each region ("1 mm", "3 mm", "6 mm", "all").

    Attributes
    ----------
    volume_mm3, area_mm2 : region to volume and en-face area, on the consensus map
    volume_spread : spread of the volume in "all" over the hypotheses, in mm³
    """

    tissue: Tissue
    volume_mm3: Mapping[str, float]
    area_mm2: Mapping[str, float]
    volume_spread: Spread


@dataclass(frozen=True)
class EtdrsTable:
    """Retinal thickness on the ETDRS grid.

    Attributes
    ----------
    thickness_um : sector ("C0", "S1", "N1", "I1", "T1", "S2", "N2", "I2", "T2") to mean thickness;
        NaN where less than half of the sector was scanned
    coverage : sector to the share of its area that was scanned
    spreads : sector to the spread over the hypotheses, in µm
    central_point_um, central_point_sd_um : thickness at the center (CPT) and its deviation around
    total_mm3 : volume of the retina in the 6 mm circle; NaN where under 90 % of it was scanned
    boundaries : which surfaces the thickness lies between
    """

    center: Fovea
    thickness_um: Mapping[str, float]
    coverage: Mapping[str, float]
    spreads: Mapping[str, Spread]
    central_point_um: float
    central_point_sd_um: float
    total_mm3: float
    boundaries: str


@dataclass(frozen=True)
class Measurements:
    """All measurements of one case; parts that could not be measured are None, with the reason.

    Attributes
    ----------
    enface : float32 array (B-scan, width), mean gray value along the depth
    thickness_um : map name to float32 array (B-scan, width), NaN without data
    disagreement : float32 array (B-scan, width), mean entropy between hypotheses along the depth
    refused : sentences on what could not be measured, and why
    """

    enface: EnFaceArray
    fovea: Fovea | None
    tissues: tuple[TissueMeasure, ...]
    etdrs: EtdrsTable | None
    thickness_um: Mapping[str, EnFaceArray]
    disagreement: EnFaceArray
    refused: tuple[str, ...]


@dataclass(frozen=True)
class Provenance:
    """How a result came about; holds nothing that identifies a person."""

    bundle_name: str
    bundle_sha256: str
    trained_on: str
    library_version: str
    torch_version: str
    compute: str
    seed: int
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TriageResult:
    """Everything that one case yields.

    Attributes
    ----------
    hypotheses : S tissue maps with C opinions each
    consensus : uint8 array (B-scan, depth, width), class of the highest mean probability
    joint_opinions : of classifiers that judge all S maps together, one each; none as a rule
    bscan_verdict : of whole-image classifiers, which never see a tissue map; None without them
    """

    volume: OCTVolume
    vocabulary: Vocabulary
    hypotheses: tuple[Hypothesis, ...]
    consensus: LabelArray
    verdict: Verdict
    measurements: Measurements
    provenance: Provenance
    joint_opinions: tuple[Opinion, ...] = ()
    bscan_verdict: BscanVerdict | None = None
