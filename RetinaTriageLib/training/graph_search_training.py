"""Table of tissue shares for graph search: counted on labeled B-scans."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from RetinaTriageLib.bundle_manifest import GRAPH_SEARCH
from RetinaTriageLib.networks.graph_search import find_surfaces
from RetinaTriageLib.networks.graph_segmentation import (
    GraphSearchConfig,
    GraphSearchSegmenter,
    Region,
    region_counts,
    regions,
    shares_of,
)
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.training.bscan_validation import bscan_figures, spread_bscans
from RetinaTriageLib.training.checkpoints import save_weights
from RetinaTriageLib.training.optimization import BEST
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.stack_spacing import spacing_of
from RetinaTriageLib.training.stacks import StackLibrary
from RetinaTriageLib.volume import VoxelSpacing


@dataclass(frozen=True)
class GraphSearchPlan:
    """How much is counted: at most ``stacks`` of each folder, ``bscans`` of each stack."""

    stacks: int = 100
    bscans: int = 2


def train_graph_search(
    plan: GraphSearchPlan,
    folders: Sequence[Folder],
    spacings: Mapping[str, VoxelSpacing],
    out_folder: Path,
    *,
    held_out: Sequence[Path] = (),
    on_progress: OnProgress = ignore_progress,
) -> dict[str, float]:
    """Count tissue shares into ``best.safetensors`` of a folder; gives Dice on held-out folders.

    Parameters
    ----------
    folders : stacks of labeled B-scans; none makes the table that the regions' names imply
    spacings : device to the spacing of its stacks

    Raises
    ------
    InputError
        If a device has no spacing.
    """
    config = GraphSearchConfig()
    counts = torch.zeros(len(Region), config.classes)
    for folder in folders:
        library = StackLibrary(folder.path, cache_bytes=0)
        for done in range(min(plan.stacks, len(library))):
            on_progress(Progress("count", done, plan.stacks))
            stack = library[done]
            chosen = spread_bscans(len(stack.image), plan.bscans)
            spacing = spacing_of(stack, spacings)
            found = regions(find_surfaces(stack.image[chosen], spacing), spacing)
            counted = region_counts(found, stack.codes[chosen], config.classes)
            counts += folder.weight * counted
    segmenter = GraphSearchSegmenter(config)
    segmenter.shares.copy_(shares_of(counts))
    facts = {"kind": GRAPH_SEARCH, "config": json.dumps(asdict(config))}
    facts["plan"] = json.dumps(asdict(plan))
    save_weights(out_folder / BEST, segmenter, facts)
    return bscan_figures(segmenter, held_out, spacings, plan.bscans)
