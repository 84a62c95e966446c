"""`retina-triage train`: train networks on one's own labeled scans."""

from __future__ import annotations

import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this command."""
    from RetinaTriageLib.training.cli import add_train_commands

    add_train_commands(commands)
