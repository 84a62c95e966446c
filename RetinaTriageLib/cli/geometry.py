"""Options of all commands that read a scan: what the user states about its geometry."""

from __future__ import annotations

import argparse
from pathlib import Path

from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.volume import (
    DeviceFamily,
    Laterality,
    OCTVolume,
    VoxelSpacing,
    with_geometry,
)

FAMILIES = tuple(family.value for family in DeviceFamily)


def add_geometry_options(
    parser: argparse.ArgumentParser, *, adapted_scanners: bool = False
) -> None:
    """Add the input and the options that state what its file does not say.

    Parameters
    ----------
    adapted_scanners : whether the scanner may be any that a bundle was adapted to
    """
    parser.add_argument("input", type=Path, help="OCT file, or a folder of B-scans or an export")
    group = parser.add_argument_group("scan geometry", "stated facts are marked as assumed")
    group.add_argument(
        "--spacing-um",
        type=float,
        nargs=3,
        metavar=("BSCAN", "DEPTH", "WIDTH"),
        help="distance between B-scans, axial and lateral spacing, in µm",
    )
    group.add_argument("--laterality", choices=[eye.value for eye in Laterality], help="which eye")
    group.add_argument(
        "--scanner",
        choices=None if adapted_scanners else FAMILIES,
        metavar="NAME" if adapted_scanners else None,
        help=f"scanner family ({', '.join(FAMILIES)}), which selects the adaptation branch"
        + (", or a scanner that the bundle was adapted to" if adapted_scanners else ""),
    )
    group.add_argument(
        "--bscan-axis", type=int, choices=(0, 1, 2), help="array axis along which B-scans follow"
    )


def read_stated_volume(parsed: argparse.Namespace) -> OCTVolume:
    """Volume of the input with the facts of the command line."""
    volume = read_volume(parsed.input, bscan_axis=parsed.bscan_axis)
    spacing = VoxelSpacing.from_um(*parsed.spacing_um) if parsed.spacing_um else None
    laterality = Laterality(parsed.laterality) if parsed.laterality else None
    device = DeviceFamily(parsed.scanner) if parsed.scanner in FAMILIES else None
    return with_geometry(volume, spacing=spacing, laterality=laterality, device=device)
