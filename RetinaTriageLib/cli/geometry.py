"""Options of all commands that read a scan: what the user states about its geometry."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from RetinaTriageLib.readers.identifiers import FILE_NAME, read_identifiers
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
    add_input_options(parser)


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """Add which scan of the input is read and what of it is kept."""
    parser.add_argument(
        "--series", type=int, metavar="N", help="which scan of a file that holds several, from 1"
    )
    parser.add_argument(
        "--keep-identifiers",
        action="store_true",
        help="keep file name, names and numbers of the patient, and say which; default: none",
    )


def read_stated_volume(parsed: argparse.Namespace) -> OCTVolume:
    """Volume of the input with the facts of the command line."""
    volume = read_volume(parsed.input, bscan_axis=parsed.bscan_axis, series=parsed.series)
    if parsed.keep_identifiers:
        volume = _with_identifiers(volume, parsed.input)
    spacing = VoxelSpacing.from_um(*parsed.spacing_um) if parsed.spacing_um else None
    laterality = Laterality(parsed.laterality) if parsed.laterality else None
    device = DeviceFamily.named(parsed.scanner)
    return with_geometry(volume, spacing=spacing, laterality=laterality, device=device)


def _with_identifiers(volume: OCTVolume, path: Path) -> OCTVolume:
    """Volume named after its file, with the file's identifiers among the sources of its facts."""
    kept = read_identifiers(path)
    sys.stderr.write(f"Identifiers kept in every output: {', '.join(kept)}.\n")
    written = "; ".join(f"{name}: {value}" for name, value in kept.items())
    sources = MappingProxyType({**volume.sources, "identifiers": written})
    return replace(volume, name=kept[FILE_NAME], sources=sources)
