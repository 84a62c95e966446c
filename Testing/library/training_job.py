"""Training of a tiny segmentation network as a program of its own, to be killed or run in several.

``python training_job.py DATA RUN [PAUSE]``: a pause, in s, after every iteration. Stacks in DATA
are of the scanners "one" and "two".
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import torch

from RetinaTriageLib.networks.segmentation import SegmentationConfig
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.training.augment import AugmentationPlan
from RetinaTriageLib.training.optimization import OptimizationPlan
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.segmentation_loop import SegmentationPlan, train_segmentation
from RetinaTriageLib.training.stack_batches import CropSize

BRANCHES = ("one", "two")


PLAN = SegmentationPlan(
    optimization=OptimizationPlan(
        iterations=6, warm_up_iterations=2, log_iterations=1, save_minutes=0.0
    ),
    network=SegmentationConfig(channels=(4, 8), slice_levels=(1,), branches=BRANCHES),
    augmentation=AugmentationPlan(geometry_chance=0.0, focus_chance=0.0),
    crops=(CropSize(1, 24, 24),),
    half_precision=False,
)


def main(data: str, run: str, pause_s: str = "0") -> None:
    def wait(_progress: Progress) -> None:
        time.sleep(float(pause_s))

    torch.set_num_threads(1)
    train_segmentation(PLAN, [Folder(Path(data))], Path(run), on_progress=wait)


if __name__ == "__main__":
    main(*sys.argv[1:])
