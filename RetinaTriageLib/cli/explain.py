"""`retina-triage explain`: which part of a picture a score rests on."""

from __future__ import annotations

import argparse

from RetinaTriageLib.cli import explain_occlusion

ACTIONS = (explain_occlusion,)
"""A module an action, in the order of the help."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one action for each kind of explanation."""
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    for module in ACTIONS:
        module.add_action(actions)
