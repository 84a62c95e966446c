"""The work behind the messages, done with torch; nothing of it is loaded before it is needed."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

from RetinaTriageLib.errors import DeviceError
from RetinaTriageLib.progress import OnProgress, Progress
from RetinaTriageLib.version import VERSION
from RetinaTriageLib.worker.errors import WorkerMemoryError, WorkerSetupError
from RetinaTriageLib.worker.messages import (
    BundleFact,
    CheckBundleRequest,
    DevicesRequest,
    ExplainRequest,
    JudgeBscansRequest,
    Judgement,
    JudgeRequest,
    OccludeRequest,
    Request,
    TriageRequest,
    WorkerInfo,
)
from RetinaTriageLib.worker.plain_facts import operating_point, patient_of, triage_options

if TYPE_CHECKING:
    from RetinaTriageLib.bscan_verdict import BscanVerdict
    from RetinaTriageLib.bundle import Bundle
    from RetinaTriageLib.explain.explanation import Explanation
    from RetinaTriageLib.explain.occlusion_map import OcclusionMap
    from RetinaTriageLib.measures.map_place import MapMeasures
    from RetinaTriageLib.result import TriageResult
    from RetinaTriageLib.worker.warm_bundle import BundleShelf


class TorchEngine:
    """Answers requests; keeps the bundle of the last one in memory."""

    def __init__(self) -> None:
        self._shelf: BundleShelf | None = None

    def info(self) -> WorkerInfo:
        """Load torch and all that a run needs, and say what there is.

        Raises
        ------
        WorkerSetupError
            If a package is missing or cannot be loaded.
        """
        try:
            import torch

            import RetinaTriageLib.inference.ensemble
            import RetinaTriageLib.pipeline  # noqa: F401 - loaded now, so that runs need not
            from RetinaTriageLib.inference.allocator import keep_freed_memory
            from RetinaTriageLib.worker.devices import find_devices
            from RetinaTriageLib.worker.warm_bundle import BundleShelf
        except (ImportError, OSError) as error:  # OSError: a library that torch needs
            raise WorkerSetupError(_missing(error)) from error
        keep_freed_memory()
        self._shelf = BundleShelf()
        return WorkerInfo(
            os.getpid(), VERSION, platform.python_version(), torch.__version__, find_devices()
        )

    def answer(self, request: Request[Any], on_progress: OnProgress) -> object:
        """Answer to a request.

        Raises
        ------
        WorkerMemoryError
            If memory did not suffice; all that was kept has been freed.
        """
        from RetinaTriageLib.inference.memory import is_out_of_memory

        try:
            return self._answer(request, on_progress)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error.__cause__ or error):
                raise
            message = str(error) if isinstance(error, DeviceError) else _no_memory(error)
        # Here and not in the handler: there, the traceback keeps the tensors alive.
        self._free()
        raise WorkerMemoryError(message)

    def _answer(self, request: Request[Any], on_progress: OnProgress) -> object:
        match request:
            case TriageRequest():
                return self._triage(request, on_progress)
            case JudgeRequest():
                return self._judge(request, on_progress)
            case ExplainRequest():
                return self._explain(request, on_progress)
            case OccludeRequest():
                return self._occlude(request, on_progress)
            case JudgeBscansRequest():
                return _judge_bscans(request, on_progress)
            case CheckBundleRequest():
                return _check_bundle(request)
            case DevicesRequest():
                from RetinaTriageLib.worker.devices import find_devices

                return find_devices()
        msg = f"Expected a request that this engine knows, got {type(request).__name__}."
        raise TypeError(msg)

    def _triage(self, request: TriageRequest, on_progress: OnProgress) -> TriageResult:
        from RetinaTriageLib.pipeline import triage

        options = triage_options(request.options)
        bundle = self._load(request.bundle, on_progress)
        return triage(request.volume, bundle, options, on_progress=on_progress)

    def _judge(self, request: JudgeRequest, on_progress: OnProgress) -> Judgement:
        from RetinaTriageLib.decision import decide
        from RetinaTriageLib.hypotheses import Hypothesis
        from RetinaTriageLib.inference.compute import choose_compute
        from RetinaTriageLib.inference.ensemble import judge_labels

        patient, point = patient_of(request.patient), operating_point(request.operating_point)
        compute = choose_compute(request.compute)
        bundle = self._load(request.bundle, on_progress)
        opinions = judge_labels(
            request.tissue_map, request.spacing, bundle, compute=compute, patient=patient
        )
        alone = (Hypothesis("judged alone", request.tissue_map, opinions),)
        calibration = bundle.calibration_of(request.tissue_map.shape[0])
        return Judgement(
            opinions,
            decide(alone, bundle.vocabulary, calibration, point),
            _measures(request, bundle),
            f"{bundle.manifest.name} {bundle.manifest.version}",
            {head.name: head.names for head in bundle.vocabulary.heads},
        )

    def _explain(self, request: ExplainRequest, on_progress: OnProgress) -> Explanation:
        from RetinaTriageLib.explain.occlusion import explain_map
        from RetinaTriageLib.inference.compute import choose_compute

        patient, point = patient_of(request.patient), operating_point(request.operating_point)
        compute = choose_compute(request.compute)
        bundle = self._load(request.bundle, on_progress)
        return explain_map(
            request.tissue_map,
            request.spacing,
            bundle,
            compute=compute,
            patient=patient,
            operating_point=point,
            max_regions=request.max_regions,
            on_progress=on_progress,
        )

    def _occlude(self, request: OccludeRequest, on_progress: OnProgress) -> OcclusionMap:
        from RetinaTriageLib.bundle import bundled_models
        from RetinaTriageLib.bundle_images import is_image_bundle, load_image_bundle
        from RetinaTriageLib.explain.bundle_occlusion import occlude_bscan
        from RetinaTriageLib.explain.picture_occlusion import OcclusionPlan
        from RetinaTriageLib.inference.compute import choose_compute

        patient, point = patient_of(request.patient), operating_point(request.operating_point)
        compute = choose_compute(request.compute)
        path = request.bundle or bundled_models()
        bundle = (
            load_image_bundle(path)
            if is_image_bundle(path)
            else self._load(request.bundle, on_progress)
        )
        return occlude_bscan(
            request.bscan,
            bundle,
            request.score,
            OcclusionPlan(request.mode, request.box),
            compute=compute,
            patient=patient,
            operating_point=point,
            on_progress=on_progress,
        )

    def _load(self, path: Path | None, on_progress: OnProgress) -> Bundle:
        from RetinaTriageLib.bundle import bundled_models

        assert self._shelf is not None  # `info` comes first
        on_progress(Progress("load", 0, 1))
        bundle = self._shelf.get(path or bundled_models())
        on_progress(Progress("load", 1, 1))
        return bundle

    def _free(self) -> None:
        import torch

        if self._shelf is not None:
            self._shelf.clear()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _measures(request: JudgeRequest, bundle: Bundle) -> MapMeasures | None:
    if request.place is None:
        return None
    from RetinaTriageLib.measures.map_measures import measure_map

    return measure_map(
        request.tissue_map, request.spacing, request.place, bundle.vocabulary.tissues
    )


def _judge_bscans(request: JudgeBscansRequest, on_progress: OnProgress) -> BscanVerdict:
    from RetinaTriageLib.bundle_images import load_image_bundle
    from RetinaTriageLib.inference.compute import choose_compute
    from RetinaTriageLib.inference.judge_images import judge_bscans

    compute = choose_compute(request.compute)
    on_progress(Progress("load", 0, 1))
    bundle = load_image_bundle(request.bundle)
    on_progress(Progress("load", 1, 1))
    return judge_bscans(
        request.volume, bundle, request.pooling, compute=compute, on_progress=on_progress
    )


def _check_bundle(request: CheckBundleRequest) -> tuple[BundleFact, ...]:
    from RetinaTriageLib.bundle import bundled_models, check_bundle
    from RetinaTriageLib.bundle_images import check_image_bundle, is_image_bundle

    path = request.bundle or bundled_models()
    checks = check_image_bundle(path) if is_image_bundle(path) else check_bundle(path)
    return tuple(BundleFact(check.what, check.found) for check in checks)


def _no_memory(error: Exception) -> str:
    return (
        f"Memory ran out ({str(error) or type(error).__name__}). Close other programs, choose the "
        "device cpu, or use a computer with more memory."
    )


def _missing(error: ImportError | OSError) -> str:
    package = error.name if isinstance(error, ImportError) and error.name else "torch"
    package = package.partition(".")[0]
    where = (
        "Install it in Slicer's PyTorch module, then restart Slicer"
        if package == "torch"
        else f"Install it with pip_install('{package}') in Slicer's Python console"
    )
    return (
        f"Found no {package} that loads in the worker's Python ({error}); it is needed to run the "
        f"networks. {where}; outside Slicer: pip install {package}."
    )
