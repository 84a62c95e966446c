"""Seconds of the first epoch of transfer learning and of the next ones, which use cached features.

Run ``python benchmarks/cached_features.py``. An epoch is one turn of all pictures through a frozen
backbone and the head that learns. The pictures are noise; only their number and size matter.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402 - after the path
import torch  # noqa: E402
from PIL import Image  # noqa: E402

from RetinaTriageLib.inference.allocator import keep_freed_memory  # noqa: E402
from RetinaTriageLib.progress import ignore_progress  # noqa: E402
from RetinaTriageLib.training.feature_head import StandardizedHead  # noqa: E402
from RetinaTriageLib.training.image_patients import PatientRule  # noqa: E402
from RetinaTriageLib.training.image_sets import ImageSet, class_folders  # noqa: E402
from RetinaTriageLib.training.image_store import content_digests  # noqa: E402
from RetinaTriageLib.training.transfer_backbone import bscan_network  # noqa: E402
from RetinaTriageLib.training.transfer_inputs import cached_inputs  # noqa: E402
from RetinaTriageLib.training.transfer_plan import Parts, TransferPlan  # noqa: E402
from RetinaTriageLib.training.transfer_task import TransferTask, answer_tables  # noqa: E402

EPOCHS = 6
GOAL = 20


def main() -> None:
    """Print the seconds of every run, their medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--pictures", type=int, default=160)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    stated = parser.parse_args()
    torch.set_num_threads(stated.threads)
    keep_freed_memory()
    plan = TransferPlan(size=(stated.size, stated.size), copies=1)
    print(f"{stated.pictures} pictures of {stated.size} x {stated.size}, {stated.threads} threads")
    firsts, laters = [], []
    with tempfile.TemporaryDirectory() as folder:
        pictures = noise(Path(folder) / "pictures", stated.pictures, stated.size)
        for run in range(stated.runs):
            first, later = epochs(pictures, plan, Path(folder) / f"cache{run}")
            firsts.append(first)
            laters += later
            print(f"run {run + 1}: first epoch {first:.2f} s, next ones {median(later):.4f} s")
    first, later = median(firsts), median(laters)
    print(
        f"medians: first {first:.2f} s, next {later:.4f} s, {first / later:.0f} x (goal {GOAL} x)"
    )


def epochs(pictures: ImageSet, plan: TransferPlan, cache: Path) -> tuple[float, list[float]]:
    """Seconds of the first epoch, which fills the cache, and of those that follow."""
    network = bscan_network(plan.source, pictures.classes, plan.head, plan.size, plan.seed)
    start = time.perf_counter()
    digests = content_digests(pictures.images)
    inputs = cached_inputs(network, plan, pictures.images, (), digests, cache, ignore_progress)
    features = np.concatenate([batch.numpy() for batch in inputs.unchanged(pictures.images)])
    head = StandardizedHead(features, len(pictures.classes))
    task = TransferTask(plan, Parts(pictures.images), inputs, answer_tables(plan, pictures.images))
    optimizer = torch.optim.AdamW(head.parameters(), lr=1e-3, fused=True)
    learn(head, task, optimizer, 0)
    first = time.perf_counter() - start
    later = []
    for epoch in range(1, EPOCHS):
        start = time.perf_counter()
        learn(head, task, optimizer, epoch)
        later.append(time.perf_counter() - start)
    return first, later


def learn(
    head: StandardizedHead, task: TransferTask, optimizer: torch.optim.Optimizer, epoch: int
) -> None:
    """One epoch of batches."""
    batches = len(task.parts.training) // task.plan.batch_size
    for number in range(epoch * batches, (epoch + 1) * batches):
        optimizer.zero_grad(set_to_none=True)
        task.loss(head, task.batch(number)).backward()
        optimizer.step()


def noise(folder: Path, count: int, size: int) -> ImageSet:
    """Pictures of two classes, every one of another patient."""
    rng = np.random.default_rng(0)
    for number in range(count):
        label = folder / "ab"[number % 2]
        label.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (size, size), np.uint8)
        Image.fromarray(pixels).save(label / f"{number}.png")
    return class_folders(folder, PatientRule(".+"))


if __name__ == "__main__":
    main()
