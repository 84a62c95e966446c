"""Occlusion test: the fast mode beside the paper's way, a box of 20 x 20 pixels at every position.

For each picture the fast mode is timed as it is. The paper's way is timed on some positions, evenly
spread, and scaled to all of them; this is said in the output. Whether both find the same region is
seen against boxes at every fourth pixel with straight lines between, or every pixel with
``--step 1``. One picture at reduced size is then done in both ways to the end, nothing scaled.

Without ``--bundle`` the judge is the encoder of bundle macula with a head that was never trained:
its drops mean nothing, but cost as much to find and lie anywhere. Pictures are phantoms unless
named.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from RetinaTriageLib.bundle_images import load_image_bundle
from RetinaTriageLib.explain.bundle_occlusion import class_index
from RetinaTriageLib.explain.hidden_box import hide
from RetinaTriageLib.explain.lone_bscan import lone_bscan, picture_of
from RetinaTriageLib.explain.occlusion_map import (
    FloatArray,
    OcclusionBox,
    OcclusionMap,
    OcclusionMode,
)
from RetinaTriageLib.explain.picture_occlusion import (
    Judge,
    OcclusionPlan,
    occlusion_test,
    region_of_interest,
)
from RetinaTriageLib.image_classes import Head
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.inference.judge_images import image_judge
from RetinaTriageLib.networks.image_input import resampled
from RetinaTriageLib.phantoms.devices import SCANNERS, with_bscans
from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.training.transfer_backbone import BackboneSource, bscan_network

SHAPE, REDUCED = (496, 512), (248, 256)
SUBSET = 256
PHANTOM_SEEDS = (9_300_001, 9_300_002)
BSCANS = 13  # of a phantom, whose middle one is taken
WARM_UP = 16


def main() -> None:
    """Print both times and the overlap of both regions."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("pictures", type=Path, nargs="*", help="B-scans; default: two phantoms")
    parser.add_argument("--bundle", type=Path, help="of whole-image classifiers")
    parser.add_argument("--class", dest="score", help="of the bundle")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(112, 112), help="of the judge's input"
    )
    parser.add_argument("--subset", type=int, default=SUBSET, help="positions timed (default 256)")
    parser.add_argument("--step", type=int, default=4, help="of the reference map; 0: none")
    parser.add_argument("--reduced", type=int, nargs=2, default=REDUCED, help="of the whole check")
    parser.add_argument("--threads", type=int, default=1)
    stated = parser.parse_args()
    torch.set_num_threads(stated.threads)
    judge, at = _judge(stated)
    pictures = _pictures(stated.pictures)
    print(f"{stated.threads} threads, load {os.getloadavg()[0]:.1f}; seconds of the processor")
    print(
        f"{'picture':22} {'boxes':>6} {'fast s':>7} {'paper s':>9} {'times':>6} {'region':>7} "
        f"{'apart':>6}"
    )
    for name, picture in pictures.items():
        judge(np.repeat(picture[None], WARM_UP, axis=0))
        fast, seconds = _timed(lambda one=picture: occlusion_test(one, judge, at))
        paper = _paper_seconds(picture, judge, stated.subset)
        line = f"{name:22} {fast.judged:6} {seconds:7.1f} {paper:9.0f} {paper / seconds:6.0f}"
        if stated.step:
            drop = reference_drops(picture, judge, at, fast.probability, stated.step)
            line += f" {_agreement(fast, drop)}"
        print(line, flush=True)
    print(
        f"paper s is scaled from {stated.subset} positions to all; region: overlap (intersection "
        f"over union) with boxes at every {stated.step} pixels; apart: pixels between the places "
        "of the largest drop"
    )
    _whole_check(next(iter(pictures.values())), judge, at, tuple(stated.reduced))


def reference_drops(
    picture: FloatArray, judge: Judge, at: int, probability: float, step: int
) -> FloatArray:
    """Find the drops with boxes at every so many pixels, straight lines between."""
    rows, columns = (np.arange(step // 2, size, step) for size in picture.shape)
    box = OcclusionBox()
    found = np.zeros((len(rows), len(columns)), np.float32)
    for number, row in enumerate(rows):
        boxed = np.repeat(picture[None], len(columns), axis=0)
        for one, column in zip(boxed, columns, strict=True):
            hide(one, box, int(row), int(column))
        found[number] = probability - judge(boxed)[:, at]
    down, across = (
        np.stack([np.interp(np.arange(size), known, unit) for unit in np.eye(len(known))], axis=1)
        for size, known in zip(picture.shape, (rows, columns), strict=True)
    )
    return np.asarray(down @ found @ across.T, np.float32)


def _whole_check(picture: FloatArray, judge: Judge, at: int, size: tuple[int, ...]) -> None:
    """Both ways to the end on one picture at a reduced size."""
    small = Image.fromarray(picture).resize(size[::-1], Image.Resampling.BOX)
    reduced = np.clip(np.asarray(small, np.float32), 0, 1)
    fast, fast_seconds = _timed(lambda: occlusion_test(reduced, judge, at))
    plan = OcclusionPlan(OcclusionMode.EXHAUSTIVE)
    slow, slow_seconds = _timed(lambda: occlusion_test(reduced, judge, at, plan))
    print(
        f"whole check at {size[0]} x {size[1]}: every position {slow.judged} boxes, "
        f"{slow_seconds:.1f} s (nothing scaled); fast {fast.judged} boxes, {fast_seconds:.1f} s: "
        f"{slow_seconds / fast_seconds:.0f} times; region and places apart: "
        f"{_agreement(fast, slow.drop)}"
    )


def _agreement(fast: OcclusionMap, drop: FloatArray) -> str:
    region = region_of_interest(drop)
    union = (fast.region | region).sum()
    overlap = float((fast.region & region).sum() / union) if union else 1.0
    place = np.unravel_index(int(drop.argmax()), drop.shape)
    return f"{overlap:7.3f} {float(np.hypot(*np.subtract(fast.place, place))):6.1f}"


def _paper_seconds(picture: FloatArray, judge: Judge, positions: int) -> float:
    """Seconds that every position would take, from some of them in the same batches."""
    box, plan = OcclusionBox(), OcclusionPlan()
    chosen = np.linspace(0, picture.size - 1, positions).astype(int)

    def some() -> None:
        for first in range(0, positions, plan.batch):
            part = chosen[first : first + plan.batch]
            boxed = np.repeat(picture[None], len(part), axis=0)
            for one, place in zip(boxed, part, strict=True):
                hide(one, box, *divmod(int(place), picture.shape[1]))
            judge(boxed)

    return _timed(some)[1] * picture.size / positions


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Do some work; gives its result, and seconds of the processor, as others work here too."""
    start = time.process_time()
    return work(), time.process_time() - start


def _judge(stated: argparse.Namespace) -> tuple[Judge, int]:
    if stated.bundle is not None:
        bundle = load_image_bundle(stated.bundle)
        at = class_index(bundle.manifest.class_names, stated.score)
        return image_judge(bundle, choose_compute("cpu")), at
    size = (stated.size[0], stated.size[1])
    network = bscan_network(BackboneSource(), ("one", "other"), Head.SOFTMAX, size, 0).eval()

    @torch.inference_mode()
    def judge(images: FloatArray) -> npt.NDArray[np.float64]:
        tensor = resampled(torch.from_numpy(np.ascontiguousarray(images)), size)
        with torch.autocast("cpu", torch.bfloat16):
            features = network.backbone(tensor)
        scores = network.probabilities(network.head(features.float()))
        return np.asarray(scores.double().numpy())

    likely = int(judge(np.zeros((1, *SHAPE), np.float32))[0].argmin())
    return judge, likely


def _pictures(paths: list[Path]) -> dict[str, FloatArray]:
    if paths:
        return {path.stem: picture_of(lone_bscan(read_volume(path), 0)) for path in paths}
    device = with_bscans(SCANNERS["spectralis"], BSCANS)
    phantoms = {seed: make_phantom(seed, device).volume for seed in PHANTOM_SEEDS}
    return {
        f"phantom {seed}": picture_of(lone_bscan(volume, BSCANS // 2))
        for seed, volume in phantoms.items()
    }


if __name__ == "__main__":
    main()
