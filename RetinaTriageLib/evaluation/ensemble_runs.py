"""The ensemble of one bundle, run on one scan after another."""

from __future__ import annotations

from dataclasses import dataclass

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.ensemble import SLAB_BSCANS, EnsembleOutput, run_ensemble
from RetinaTriageLib.progress import OnProgress, ignore_progress
from RetinaTriageLib.tissues import Tissue
from RetinaTriageLib.volume import OCTVolume


@dataclass(frozen=True)
class EnsembleRuns:
    """A bundle and where it runs; ``slab_bscans`` changes memory and time, never the result."""

    bundle: Bundle
    compute: Compute
    slab_bscans: int = SLAB_BSCANS

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
            on_progress=on_progress,
        )
