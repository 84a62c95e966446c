"""Grids for classifiers, made of drawn tissue maps or of those that a bundle's segmenters find.

Classifiers that learn from automatic maps learn to live with the errors of those segmenters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path

import numpy as np

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.bundle_networks import classifier_grid
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.inference.bscan_stream import bscan_stream
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.finish_maps import MapFinish, finish_of
from RetinaTriageLib.inference.segment import GridPlan, Segmentation, segment
from RetinaTriageLib.inference.slab import suiting_slab
from RetinaTriageLib.networks.classifier_input import (
    ClassifierGrid,
    ClassifierInput,
    GridArray,
    grid_from_labels,
)
from RetinaTriageLib.progress import OnProgress
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.training.answered_cases import AnsweredCase, AnsweredScan, write_missing
from RetinaTriageLib.training.map_errors import TRUE_MAP
from RetinaTriageLib.training.patients import PATIENT_ID
from RetinaTriageLib.training.stored_grid import StoredGrid, stored_grid
from RetinaTriageLib.volume import OCTVolume

Grids = Mapping[str, GridArray]
"""Name of the map, empty for the only one of a scan, to its grid."""


class Maps(Enum):
    """Where tissue maps come from."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"


def manual_grids(scan: AnsweredScan) -> Grids:
    """Grid of the tissues that were drawn.

    Raises
    ------
    InputError
        If nothing was drawn, or the tissue of some voxels is not known.
    """
    if scan.codes is None or scan.codes.max() >= len(TISSUES):
        found = "no segmentation" if scan.codes is None else "voxels of unknown tissue"
        msg = (
            f"{scan.volume.name}: found {found}; manual maps need the tissue of every voxel. Draw "
            'all tissues and state "background" in the .json, or take --maps automatic.'
        )
        raise InputError(msg)
    return {"": grid_from_labels(scan.codes, scan.volume.spacing)}


def automatic_grids(
    volume: OCTVolume, bundle: Bundle, compute: Compute, on_bscan: Callable[[int], None]
) -> Grids:
    """Grids of the maps of all segmenters of a bundle, in the form that its classifiers see."""
    found = automatic_maps(volume, bundle, compute, on_bscan, finish_of(bundle, compute))
    names = [entry.name for entry in bundle.manifest.segmenters]
    return dict(zip(names, found.grids, strict=True))


def automatic_maps(
    volume: OCTVolume,
    bundle: Bundle,
    compute: Compute,
    on_bscan: Callable[[int], None],
    finish: MapFinish,
) -> Segmentation:
    """Segment by all segmenters of a bundle, finish the maps as stated, and make grids."""
    entries, networks = bundle.manifest.segmenters, bundle.segmentation_networks()
    family = volume.device.value if volume.device else ""
    streams = tuple(
        bscan_stream(network, entry.branches.get(family, entry.default_branch), volume, compute)
        for entry, network in zip(entries, networks, strict=True)
    )
    source = ClassifierInput(bundle.manifest.classifier_input)
    plan = GridPlan(classifier_grid(bundle.manifest), bundle.vocabulary, source, seed=0)
    slab = suiting_slab(compute, volume.shape)
    return segment(volume, streams, plan, slab, on_bscan, compute.torch_device, finish)


def write_grids(
    cases: Sequence[AnsweredCase],
    grids_of: Callable[[AnsweredScan], Grids],
    names: Sequence[str],
    out_folder: Path,
    on_progress: OnProgress,
    *,
    truth_on: ClassifierGrid | None = None,
) -> int:
    """Write the grids of all cases with their answers; returns how many files are new.

    Parameters
    ----------
    names : of the maps of each scan, as ``grids_of`` gives them
    truth_on : grid on which the true map of a raster is written beside each, where the tissue of
        every voxel is known
    """

    def write(case: AnsweredCase, paths: Mapping[str, Path]) -> None:
        scan = case.load()
        truth = _true_map(scan, truth_on)
        for name, grid in grids_of(scan).items():
            _write(paths[name], grid, case, scan, truth)

    return write_missing(cases, names, out_folder, write, on_progress)


def _true_map(scan: AnsweredScan, grid: ClassifierGrid | None) -> StoredGrid | None:
    """Grid of the tissues that were drawn, None where that of some voxels is not known.

    None for a line scan too: it fills one row of the grid, and errors carried from it to a raster
    would leave all other rows without any.
    """
    if grid is None or scan.codes is None or scan.codes.max() >= len(TISSUES):
        return None
    if len(scan.codes) == 1:
        return None
    return stored_grid(grid_from_labels(scan.codes, scan.volume.spacing, grid))


def _write(
    path: Path, grid: GridArray, case: AnsweredCase, scan: AnsweredScan, truth: StoredGrid | None
) -> None:
    partial = path.with_suffix(".partial.npz")
    arrays = {"grid": stored_grid(grid), PATIENT_ID: np.array(case.patient), **scan.answers}
    if truth is not None:
        arrays[TRUE_MAP] = truth
    np.savez_compressed(partial, **arrays)  # type: ignore[arg-type]  # numpy's stub takes bools too
    partial.replace(path)
