"""The ensemble of one bundle, run on one scan after another."""

from __future__ import annotations

from dataclasses import dataclass

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.decision import decide
from RetinaTriageLib.hypotheses import Hypothesis
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.ensemble import EnsembleOutput, run_ensemble
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.result import Verdict
from RetinaTriageLib.tissues import Tissue
from RetinaTriageLib.volume import OCTVolume

CASES = "cases"
"""Stage that progress is reported in."""


@dataclass(frozen=True)
class EnsembleRuns:
    """A bundle and where it runs; ``slab_bscans`` changes memory and time, never the result.

    Attributes
    ----------
    scanner : one that the bundle lists; None goes by the device of each volume
    """

    bundle: Bundle
    compute: Compute
    slab_bscans: int | None = None
    scanner: str | None = None

    @property
    def tissues(self) -> tuple[Tissue, ...]:
        """The tissues of its maps, in the order of their labels."""
        return self.bundle.vocabulary.tissues

    def run(self, volume: OCTVolume, on_progress: OnProgress = ignore_progress) -> EnsembleOutput:
        """Segment and judge one scan; errors as of `run_ensemble`."""
        volume.require_raster()
        return run_ensemble(
            volume,
            self.bundle,
            compute=self.compute,
            slab_bscans=self.slab_bscans,
            scanner=self.scanner,
            on_progress=on_progress,
        )

    def verdict(self, output: EnsembleOutput, point: OperatingPoint) -> Verdict:
        """Decide on what the ensemble said of one scan, as a user of the bundle gets it."""
        hypotheses = [
            Hypothesis(entry.name, tissue_map, opinions)
            for entry, tissue_map, opinions in zip(
                self.bundle.manifest.segmenters, output.tissue_maps, output.opinions, strict=True
            )
        ]
        return decide(
            hypotheses,
            self.bundle.vocabulary,
            self.bundle.calibration_of(output.consensus.shape[0]),
            point,
            output.joint_opinions,
        )


def case_progress(on_progress: OnProgress, number: int, total: int) -> OnProgress:
    """Progress function for one of several scans, which counts scans and passes messages on."""

    def report(progress: Progress) -> None:
        on_progress(Progress(CASES, number, total, progress.message))

    return report
