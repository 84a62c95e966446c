"""Training sets made of phantoms: short stacks of B-scans, and whole tissue maps as grids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.labels.label_sets import UNKNOWN
from RetinaTriageLib.networks.classifier_input import grid_from_labels
from RetinaTriageLib.outcomes import CONDITIONS, PROGRESSION, REFERRAL, TREATMENT
from RetinaTriageLib.phantoms.clinical_rule import Truth
from RetinaTriageLib.phantoms.devices import (
    CIRRUS,
    SPECTRALIS,
    SPECTRALIS_WIDE,
    TOPCON,
    DeviceProfile,
    with_bscans,
)
from RetinaTriageLib.phantoms.eye import Disease
from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.training.augment import CLIPPING
from RetinaTriageLib.training.stored_grid import stored_grid
from RetinaTriageLib.volume import LabelArray, VoxelSpacing

STACK_BSCANS = 6


@dataclass(frozen=True)
class StackKind:
    """What a stack shows; diseases of None are left to chance."""

    diseases: tuple[Disease, ...] | None = None
    near_fovea: bool = True


# The kind of a seed, by its remainder. Drusen and membranes fill few voxels, and most rare tissues
# come with neovascularization, so all three come by themselves; so does atrophy, whose bright
# choroid looks like a fibrovascular PED; so does what shows on a few B-scans at the fovea alone and
# chance would leave out: a network that has hardly seen holes fills them with retina. Half of the
# stacks are as scans are: anywhere in the raster, most without a lesion. A network that never sees
# those paints lesions on every scan.
STACK_KINDS = (
    StackKind((Disease.DRUSEN,)),
    StackKind((Disease.CNV,)),
    StackKind(),
    StackKind((Disease.ATROPHY,)),
    StackKind((Disease.EDEMA, Disease.MEMBRANE)),
    StackKind((Disease.FULL_HOLE,)),
    StackKind((Disease.PARTIAL_HOLE, Disease.MEMBRANE)),
    StackKind((Disease.CENTRAL_SEROUS, Disease.TRACTION)),
    *[StackKind(near_fovea=False)] * 8,
)

# A third of the stacks is of each scanner; each has an adaptation branch to train.
_STACK_DEVICES = (*[SPECTRALIS] * 3, SPECTRALIS_WIDE, *[CIRRUS] * 4, *[TOPCON] * 4)

_RASTERS = (25, 49, 128)  # numbers of B-scans over the field: neighbors 47 to 250 µm apart

# Whole maps: each scanner as often, coarse rasters twice as often. A hole that one B-scan shows is
# blurred by the classification grid, one that five show is not; classifiers have to know both.
_GRID_DEVICES = (SPECTRALIS, CIRRUS, TOPCON)
_GRID_RASTERS = (25, 25, 49, 97)
_GRID_ASCAN_STEP = 4  # A-scans are 12 µm apart, cells of the grid 60 µm wide


def sample_path(seed: int, folder: Path) -> Path:
    """Where the sample of a seed is written."""
    return folder / f"phantom_{seed:06d}.npz"


def write_stack(seed: int, folder: Path) -> Path:
    """Write the stack of a seed: neighboring B-scans, pictures and labels."""
    rng = np.random.default_rng((seed, 1))
    device = _STACK_DEVICES[int(rng.integers(len(_STACK_DEVICES)))]
    kind = STACK_KINDS[seed % len(STACK_KINDS)]
    if kind.near_fovea:
        bscans = _near_fovea(seed, device, kind.diseases, rng)
    else:
        device = with_bscans(device, int(rng.choice(_RASTERS)))
        first = int(rng.integers(device.shape[0] - STACK_BSCANS + 1))
        bscans = tuple(range(first, first + STACK_BSCANS))
    phantom = make_phantom(seed, device, diseases=kind.diseases, bscans=bscans)
    path = sample_path(seed, folder)
    _write(
        path,
        {
            "image": phantom.volume.voxels,
            "codes": without_black_bottom(phantom.volume.voxels, phantom.tissue_map),
            "device": np.array(device.family.value),
        },
    )
    return path


def without_black_bottom(image: LabelArray, codes: LabelArray) -> LabelArray:
    """Codes with black fill below the retina made unknown, arrays (B-scan, depth, width).

    It looks like the depth that no light comes back from; a network cannot tell the two apart.
    """
    filled = (codes == CLIPPING) & (image == 0)
    filled[:, : image.shape[1] // 2] = False
    return np.where(filled, np.uint8(UNKNOWN), codes)


def write_grid(seed: int, folder: Path) -> Path:
    """Write the true tissue map of a seed as a classification grid, with all answers."""
    scanner, raster = seed % len(_GRID_DEVICES), seed // len(_GRID_DEVICES) % len(_GRID_RASTERS)
    device = _fewer_ascans(with_bscans(_GRID_DEVICES[scanner], _GRID_RASTERS[raster]))
    phantom = make_phantom(seed, device, pictured=False)
    grid = grid_from_labels(phantom.tissue_map, device.spacing)
    path = sample_path(seed, folder)
    _write(path, {"grid": stored_grid(grid), **answers(phantom.truth)})
    return path


def _fewer_ascans(device: DeviceProfile) -> DeviceProfile:
    """Change a scanner to one that skips A-scans, over the same field."""
    spacing, (bscans, depths, widths) = device.spacing, device.shape
    wide = VoxelSpacing(spacing.bscan_mm, spacing.depth_mm, spacing.width_mm * _GRID_ASCAN_STEP)
    return replace(device, shape=(bscans, depths, widths // _GRID_ASCAN_STEP), spacing=wide)


def answers(truth: Truth) -> dict[str, npt.NDArray[np.generic]]:
    """Targets of every head: an index for exclusive heads, zeros and ones for conditions."""
    return {
        "referral": np.array(REFERRAL.names.index(truth.referral)),
        "conditions": np.isin(CONDITIONS.names, truth.conditions).astype(np.uint8),
        "progression": np.array(PROGRESSION.names.index(truth.progression)),
        "treatment": np.array(TREATMENT.names.index(truth.treatment)),
    }


def _near_fovea(
    seed: int,
    device: DeviceProfile,
    diseases: tuple[Disease, ...] | None,
    rng: np.random.Generator,
) -> tuple[int, ...]:
    """Choose neighboring B-scans near the fovea, where most lesions lie."""
    placement = make_phantom(seed, device, diseases=diseases, bscans=(0,), pictured=False).placement
    assert device.spacing.bscan_mm is not None
    offset_mm = placement.fovea_mm[1] + rng.normal(0, 0.6)
    middle = (device.shape[0] - 1) / 2 + offset_mm / device.spacing.bscan_mm
    first = int(np.clip(round(middle) - STACK_BSCANS // 2, 0, device.shape[0] - STACK_BSCANS))
    return tuple(range(first, first + STACK_BSCANS))


def _write(path: Path, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
    """Write an archive under its final name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(partial, **arrays)  # type: ignore[arg-type]  # numpy's stub takes bools too
    partial.replace(path)
