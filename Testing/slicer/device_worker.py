"""The pretending worker of the library's tests, on a computer with an NVIDIA GPU.

Run as a program it is the worker; imported it gives clients for it.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "library"))

import numpy as np
from fake_worker import ERRORS, FakeEngine, fake_client

from RetinaTriageLib.bscan_verdict import (
    BscanVerdict,
    ImageOrigin,
    ImageTask,
    volume_verdict,
)
from RetinaTriageLib.explain.explanation import Explanation, RegionEffect
from RetinaTriageLib.explain.lone_bscan import picture_of
from RetinaTriageLib.explain.occlusion_map import FloatArray, OcclusionMap
from RetinaTriageLib.explain.picture_occlusion import OcclusionPlan, occlusion_test
from RetinaTriageLib.explain.regions import find_regions
from RetinaTriageLib.hypotheses import Scores
from RetinaTriageLib.image_classes import Head, ImageClass, Pooling
from RetinaTriageLib.outcomes import CONDITIONS
from RetinaTriageLib.progress import OnProgress, Progress
from RetinaTriageLib.volume import LabelArray
from RetinaTriageLib.worker.client import WorkerClient
from RetinaTriageLib.worker.messages import (
    Device,
    DeviceList,
    DevicesRequest,
    ExplainRequest,
    JudgeBscansRequest,
    OccludeRequest,
    Request,
    TriageRequest,
    WorkerInfo,
)
from RetinaTriageLib.worker.server import serve

DEVICES = DeviceList(
    (Device("cuda", "test GPU (CUDA), bfloat16", 80 * 10**9, 72 * 10**9), Device("cpu", "test CPU"))
)


def device_client(**options: Any) -> WorkerClient:
    return fake_client(arguments=(__file__,), **options)


def pretended_explanation(tissue_map: LabelArray, on_progress: OnProgress) -> Explanation:
    """Real regions of a map with made-up scores: the larger a region, the more it counts."""
    regions = [found.region for found in find_regions(tissue_map)]
    total = 1 + len(regions)
    for done in range(total + 1):
        on_progress(Progress("explain", done, total))
    largest = max(region.voxels for region in regions)
    effects = tuple(
        RegionEffect(region, _scores(0.93 - 0.5 * region.voxels / largest, 0.3 + 0.1 * at))
        for at, region in enumerate(regions)
    )
    return Explanation(_scores(0.93, 0.8), effects)


def pretended_occlusion(request: OccludeRequest, on_progress: OnProgress) -> OcclusionMap:
    """Drops of a judge that is the surer, the brighter the upper right of the B-scan is."""
    picture = picture_of(request.bscan)

    def judge(pictures: FloatArray) -> FloatArray:
        depths, widths = picture.shape
        part = pictures[:, : depths // 2, widths // 2 :].mean(axis=(1, 2))
        sure = part / max(float(picture.max()), 1e-6)
        return np.stack([sure, 1 - sure], axis=1)

    at = 1 if "observation" in request.score else 0
    plan = OcclusionPlan(request.mode, request.box, finest=8)
    return occlusion_test(picture, judge, at, plan, on_progress=on_progress)


def _scores(urgent: float, drusen: float) -> Scores:
    conditions = np.full(len(CONDITIONS.outcomes), 0.1)
    conditions[CONDITIONS.names.index("drusen")] = drusen
    return {"referral": np.array([urgent, 1 - urgent, 0, 0]), "conditions": conditions}


def pretended_verdict(request: JudgeBscansRequest, on_progress: OnProgress) -> BscanVerdict:
    """Drusen where a B-scan is bright, as a share of the brightest one; never the other classes."""
    means = request.volume.voxels.mean(axis=(1, 2))
    count = len(means)
    for done in range(count + 1):
        on_progress(Progress("judge images", done, count))
    drusen = 0.9 * (means - means.min()) / max(float(np.ptp(means)), 1e-6)
    scores = np.stack([np.full(count, 0.05), drusen, 0.95 - drusen], axis=1)
    classes = (
        ImageClass("CNV", "Choroidal neovascularization", referral="urgent", condition="cnv"),
        ImageClass("DRUSEN", "Drusen", referral="routine", condition="drusen"),
        ImageClass("NORMAL", "Normal", finding=False, referral="observation", condition="normal"),
    )
    origin = ImageOrigin(
        "pictures 1.0", "0" * 64, "Any.", "Trained on nothing.", "0", "0", request.compute, 0.1
    )
    pooling = request.pooling or Pooling.MAXIMUM
    return volume_verdict(ImageTask(classes, Head.SOFTMAX), scores, pooling, origin)


class DeviceEngine(FakeEngine):
    """Writes what it was asked to the log, so that a test can read it there."""

    def info(self) -> WorkerInfo:
        return replace(super().info(), devices=DEVICES)

    def answer(self, request: Request[Any], on_progress: OnProgress) -> object:
        if isinstance(request, DevicesRequest):
            return DEVICES
        if isinstance(request, ExplainRequest):
            return pretended_explanation(request.tissue_map, on_progress)
        if isinstance(request, OccludeRequest):
            return pretended_occlusion(request, on_progress)
        if isinstance(request, JudgeBscansRequest):
            if request.bundle.name in ERRORS:
                raise ERRORS[request.bundle.name]
            return pretended_verdict(request, on_progress)
        if isinstance(request, TriageRequest):
            sys.stderr.write(f"asked for {request.options}\n")
            sys.stderr.write(f"spacing {request.volume.spacing}\n")
            sys.stderr.flush()
        return super().answer(request, on_progress)


if __name__ == "__main__":
    serve(DeviceEngine(raw_output=os.dup(1)))
