"""The whole job: an OCT volume and a model bundle in, hypotheses, verdict and measurements out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from RetinaTriageLib.decision import decide
from RetinaTriageLib.hypotheses import Hypothesis
from RetinaTriageLib.measures.measure import measure
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.result import Fovea, Provenance, TriageResult
from RetinaTriageLib.version import VERSION
from RetinaTriageLib.volume import OCTVolume

if TYPE_CHECKING:  # these import torch, which `import RetinaTriageLib` must not
    from RetinaTriageLib.bundle import Bundle
    from RetinaTriageLib.networks.classifier_input import ClassifierInput
    from RetinaTriageLib.networks.patient import Patient


@dataclass(frozen=True)
class TriageOptions:
    """How a case is worked; every field has a default that serves most cases.

    Attributes
    ----------
    compute : "auto", "cpu", "cuda" or "mps"
    slab_bscans : B-scans at a time; it changes memory and time, never the result. None for what
        suits the device
    classifier_input : what classification networks see; None is the bundle's own choice
    seed : of the draw where ``classifier_input`` is sampled
    fovea : position set by hand or by the device; None finds it
    scanner : one that the bundle lists, such as one that it was adapted to; None goes by the
        volume's device
    """

    operating_point: OperatingPoint = OperatingPoint.BALANCED
    patient: Patient | None = None
    compute: str = "auto"
    slab_bscans: int | None = None
    classifier_input: ClassifierInput | None = None
    seed: int = 0
    fovea: Fovea | None = None
    scanner: str | None = None


@dataclass
class _Stopwatch:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - start, 3)


def triage(
    volume: OCTVolume,
    bundle: Bundle | Path | str | None = None,
    options: TriageOptions | None = None,
    *,
    on_progress: OnProgress = ignore_progress,
) -> TriageResult:
    """Segment, classify, decide and measure one volume.

    Parameters
    ----------
    volume : from `read_volume`, or made of an array (B-scan, depth, width)
    bundle : a loaded bundle, or its folder or zip; None is the one that comes with the package
    on_progress : called at least once a B-scan; raise `CancelledError` from it to stop

    Raises
    ------
    GeometryError
        If the scan pattern cannot be segmented as a volume.
    BundleError
        If the bundle cannot be trusted or does not fit.
    DeviceError
        If the compute device is missing, or out of memory at the smallest slab.
    CancelledError
        If the caller stopped the work.

    Examples
    --------
    >>> from RetinaTriageLib import read_volume, triage
    >>> result = triage(read_volume("scan.nrrd"))  # doctest: +SKIP
    >>> result.verdict.decisions["referral"]  # doctest: +SKIP
    ('semi_urgent',)
    """
    import torch

    from RetinaTriageLib.bundle import Bundle, bundled_models, load_bundle
    from RetinaTriageLib.inference.compute import choose_compute
    from RetinaTriageLib.inference.ensemble import run_ensemble

    options = options or TriageOptions()
    volume.require_raster()
    watch = _Stopwatch()
    with watch.time("load"):
        loaded = (
            bundle if isinstance(bundle, Bundle) else load_bundle(Path(bundle or bundled_models()))
        )
        compute = choose_compute(options.compute)
    with watch.time("ensemble"):
        output = run_ensemble(
            volume,
            loaded,
            compute=compute,
            slab_bscans=options.slab_bscans,
            classifier_input=options.classifier_input,
            seed=options.seed,
            patient=options.patient,
            scanner=options.scanner,
            on_progress=on_progress,
        )
    hypotheses = tuple(
        Hypothesis(entry.name, tissue_map, opinions)
        for entry, tissue_map, opinions in zip(
            loaded.manifest.segmenters, output.tissue_maps, output.opinions, strict=True
        )
    )
    vocabulary = loaded.vocabulary
    verdict = decide(
        hypotheses,
        vocabulary,
        loaded.calibration_of(volume.shape[0]),
        options.operating_point,
        output.joint_opinions,
    )
    on_progress(Progress("measure", 0, 1))
    with watch.time("measure"):
        measurements = measure(
            volume, output.tissue_maps, output.consensus, vocabulary.tissues, fovea=options.fovea
        )
    on_progress(Progress("measure", 1, 1))
    provenance = Provenance(
        bundle_name=f"{loaded.manifest.name} {loaded.manifest.version}",
        bundle_sha256=loaded.sha256,
        trained_on=loaded.manifest.trained_on,
        library_version=VERSION,
        torch_version=torch.__version__,
        compute=output.compute,
        seed=options.seed,
        seconds=watch.seconds,
        notes=output.notes,
    )
    return TriageResult(
        volume,
        vocabulary,
        hypotheses,
        output.consensus,
        verdict,
        measurements,
        provenance,
        output.joint_opinions,
    )
