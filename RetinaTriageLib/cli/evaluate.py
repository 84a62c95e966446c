"""`retina-triage evaluate`: how well a bundle does on scans whose answers are known."""

from __future__ import annotations

import argparse

from RetinaTriageLib.cli import (
    evaluate_adaptation,
    evaluate_agreement,
    evaluate_classification,
    evaluate_condition,
    evaluate_contact_sheet,
    evaluate_device_table,
    evaluate_fluid,
    evaluate_labeled,
    evaluate_occlusion,
    evaluate_phantoms,
    evaluate_pictures,
    evaluate_surfaces,
)

ACTIONS = (
    evaluate_phantoms,
    evaluate_adaptation,
    evaluate_labeled,
    evaluate_device_table,
    evaluate_surfaces,
    evaluate_fluid,
    evaluate_pictures,
    evaluate_condition,
    evaluate_contact_sheet,
    evaluate_agreement,
    evaluate_classification,
    evaluate_occlusion,
)
"""A module an action, in the order of the help."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one action for each kind of evaluation."""
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    for module in ACTIONS:
        module.add_action(actions)
