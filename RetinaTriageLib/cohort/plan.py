"""How a cohort is worked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from RetinaTriageLib.cohort.units import Failure, Unit
from RetinaTriageLib.cohort.write_task import Save
from RetinaTriageLib.operating_points import OperatingPoint

READ_SECONDS = 600.0


@dataclass(frozen=True)
class Helpers:
    """Processes that read and write beside the one that computes.

    Attributes
    ----------
    read_seconds : after which a reader is taken to hang
    """

    readers: int = 1
    writers: int = 1
    read_seconds: float = READ_SECONDS

    @staticmethod
    def of(jobs: int, read_seconds: float = READ_SECONDS) -> Helpers:
        """Share processes among reading and writing, which takes longer."""
        readers = max(1, jobs // 4)
        return Helpers(readers, max(1, jobs - readers), read_seconds)

    @property
    def in_flight(self) -> int:
        """How many scans are in memory at most: one each, one computed, one waiting for it."""
        return self.readers + self.writers + 2


@dataclass(frozen=True)
class CohortPlan:
    """What is done with each scan, and where it goes.

    Attributes
    ----------
    bundle : folder or zip; all machines must see it, the scans and ``out_dir`` at the same path
    bscan_bundle : of whole-image classifiers that judge beside it; None without
    compute : "auto", "cpu", "cuda" or "mps"
    keep_identifiers : whether patient number, visit date and other identifiers of files are kept
    """

    out_dir: Path
    bundle: Path
    compute: str = "auto"
    slab_bscans: int | None = None
    operating_point: OperatingPoint = OperatingPoint.BALANCED
    save: Save = Save.MAPS
    keep_identifiers: bool = False
    helpers: Helpers = field(default_factory=Helpers)
    bscan_bundle: Path | None = None

    def settings(
        self, bundle_sha256: str, version: str, bscan_sha256: str | None = None
    ) -> dict[str, Any]:
        """State what every row of a cohort must share."""
        beside = {} if bscan_sha256 is None else {"bscan_bundle_sha256": bscan_sha256}
        return {
            "format": 1,
            "bundle_sha256": bundle_sha256,
            "version": version,
            "operating_point": self.operating_point.value,
            "save": self.save.value,
            "keep_identifiers": self.keep_identifiers,
            **beside,
        }


@dataclass(frozen=True)
class Outcome:
    """What became of one unit.

    Attributes
    ----------
    present : scans that have their case
    worked : those of them that were computed now
    compute_seconds : time in which the networks and measurements of its scans computed
    """

    unit: Unit
    present: int = 0
    worked: int = 0
    failures: tuple[Failure, ...] = ()
    compute_seconds: float = 0.0
