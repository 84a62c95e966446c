"""Command ``train grow``."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from RetinaTriageLib.bundle_manifest import UNET
from RetinaTriageLib.networks.segmentation import SegmentationNetwork
from RetinaTriageLib.networks.segmentation_shape import segmentation_config
from RetinaTriageLib.training.checkpoints import load_weights, read_weights, save_weights
from RetinaTriageLib.training.grow import grown
from RetinaTriageLib.training.optimization import FINAL


def add_grow_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command; it sets ``command``, which takes the options."""
    parser = subparsers.add_parser(
        "grow",
        help="make a trained segmentation network wider or deeper, with the same answers",
        description="Writes a network of more channels or levels that gives the same answers; "
        "train segmentation --init-from goes on from there.",
    )
    parser.add_argument("weights", type=Path, metavar="WEIGHTS.safetensors")
    parser.add_argument(
        "--channels",
        type=int,
        nargs="+",
        required=True,
        help="feature maps of every level, the first at half the depth of the B-scan",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the new weights")
    parser.add_argument("--out", type=Path, required=True, help="folder of the new weights")
    parser.set_defaults(command=run_grow)


def run_grow(options: argparse.Namespace) -> int:
    """Write the larger network that the options ask for."""
    network = SegmentationNetwork(segmentation_config(read_weights(options.weights)))
    load_weights(options.weights, network)
    torch.manual_seed(options.seed)
    larger = grown(network, tuple(options.channels))
    path = options.out / FINAL
    save_weights(path, larger, {"kind": UNET, "config": json.dumps(asdict(larger.config))})
    sys.stdout.write(f"{path}\n")
    return 0
