"""`retina-triage train`: train networks on one's own labeled scans."""

from __future__ import annotations

import argparse

from RetinaTriageLib.training.cli import add_train_commands


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one action for each kind of network."""
    add_train_commands(parser.add_subparsers(title="networks", required=True, metavar="NETWORK"))
