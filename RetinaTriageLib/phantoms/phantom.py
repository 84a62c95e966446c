"""A phantom: a synthetic OCT volume with its tissue map and the truth about the eye."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.phantoms.anatomy import vessel_reach
from RetinaTriageLib.phantoms.clinical_rule import Truth, judge_eye
from RetinaTriageLib.phantoms.devices import SPECTRALIS, DeviceProfile
from RetinaTriageLib.phantoms.exposure import PURE_BLACK, Exposure, draw_exposure
from RetinaTriageLib.phantoms.eye import Disease, Eye, draw_diseases, draw_eye
from RetinaTriageLib.phantoms.fields import Array
from RetinaTriageLib.phantoms.paint import paint_regions, tissue_labels
from RetinaTriageLib.phantoms.picture import take_picture
from RetinaTriageLib.phantoms.surfaces import find_surfaces
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.volume import LabelArray, Laterality, OCTVolume

_MIRROR = TISSUE_BY_NAME["mirror_artifact"].label
_CLIPPING = TISSUE_BY_NAME["clipping_artifact"].label
_BLINK = TISSUE_BY_NAME["blink_artifact"].label


@dataclass(frozen=True)
class Placement:
    """How the eye lies in the scan.

    Attributes
    ----------
    bruch_depth_mm : depth of Bruch's membrane at the fovea
    fovea_mm : where the fovea lies from the scan center, (width, B-scan)
    wedge : slope and offset (px) of the registration border at top and bottom, or None
    wedge_gray : 0 or 255, what fills the border
    blinks : B-scans without signal
    """

    bruch_depth_mm: float
    fovea_mm: tuple[float, float]
    laterality: Laterality
    wedge: tuple[float, float, float] | None
    wedge_gray: int
    blinks: frozenset[int]


@dataclass(frozen=True)
class Phantom:
    """One synthetic scan: ``tissue_map`` is a uint8 array (B-scan, depth, width)."""

    volume: OCTVolume
    tissue_map: LabelArray
    eye: Eye
    placement: Placement
    exposure: Exposure
    truth: Truth


def make_phantom(
    seed: int,
    device: DeviceProfile = SPECTRALIS,
    *,
    diseases: tuple[Disease, ...] | None = None,
    bscans: tuple[int, ...] | None = None,
    pictured: bool = True,
    on_progress: OnProgress = ignore_progress,
) -> Phantom:
    """Make the phantom of a seed; equal seeds and options give equal phantoms.

    Parameters
    ----------
    diseases : what the eye has; None draws it
    bscans : indices of the B-scans to make, None for the whole raster; a part of a raster equals
        that part of the whole in anatomy, though not in speckle
    pictured : False leaves the picture at a gray ramp, for work on tissue maps alone
    """
    rng = np.random.default_rng(seed)
    eye = draw_eye(rng, draw_diseases(rng) if diseases is None else diseases)
    placement = _draw_placement(rng, device)
    exposure = draw_exposure(rng, device)
    if exposure.black > PURE_BLACK:  # nobody could tell a black border from such a vitreous
        placement = replace(placement, wedge_gray=255)
    chosen = tuple(range(device.shape[0])) if bscans is None else bscans
    x_mm, y_mm = _positions(device, placement, chosen)
    surfaces = find_surfaces(eye.anatomy, eye.lesions, x_mm, y_mm, placement.bruch_depth_mm)
    vessels = vessel_reach(eye.anatomy, x_mm, y_mm) if pictured else None
    depths, widths = device.shape[1:]
    extra = depths // 3
    depth_mm = np.arange(-extra + 0.5, depths) * device.spacing.depth_mm
    voxels = np.zeros((len(chosen), depths, widths), dtype=np.uint8)
    tissue_map = np.zeros_like(voxels)
    for index, bscan in enumerate(chosen):
        regions = paint_regions(surfaces, eye.lesions, index, depth_mm)
        labels = tissue_labels(regions, surfaces.ped_label[index])
        folded = labels[extra - 1 :: -1] > 1
        tissue_map[index] = labels[extra:]
        tissue_map[index, :extra][folded] = _MIRROR
        if vessels is not None:
            picture = take_picture(
                regions, surfaces, vessels, index, depth_mm, exposure, device, rng
            )
            voxels[index] = _fold(picture, folded, extra)
        if bscan in placement.blinks:
            tissue_map[index] = _BLINK
            voxels[index] = np.minimum(voxels[index], 30) // 2
        _cut_border(voxels[index], tissue_map[index], placement)
        on_progress(Progress("phantom", index + 1, len(chosen)))
    if vessels is None:
        voxels[:] = np.linspace(0, 255, depths, dtype=np.uint8)[:, None]
    volume = OCTVolume(
        voxels,
        device.spacing,
        placement.laterality,
        device.family,
        name=f"phantom_{seed}",
        sources={"spacing": "phantom", "laterality": "phantom", "device": "phantom"},
    )
    truth = judge_eye(eye.diseases, eye.lesions)
    return Phantom(volume, tissue_map, eye, placement, exposure, truth)


def _draw_placement(rng: np.random.Generator, device: DeviceProfile) -> Placement:
    bscans, depths, _ = device.shape
    extent_mm = depths * device.spacing.depth_mm
    deep = rng.uniform(0.3, 0.8) if rng.random() > 0.1 else rng.uniform(0.08, 0.18)
    wedge = None
    if rng.random() < 0.35:
        wedge = (float(rng.normal(0, 0.07)), float(rng.uniform(-60, 60)), float(rng.uniform(0, 60)))
    blinks: frozenset[int] = frozenset()
    if rng.random() < 0.08:
        first = int(rng.integers(0, bscans))
        blinks = frozenset(range(first, min(bscans, first + int(rng.integers(1, 4)))))
    return Placement(
        bruch_depth_mm=float(deep * extent_mm),
        fovea_mm=(float(rng.normal(0, 0.35)), float(rng.normal(0, 0.3))),
        laterality=Laterality.OD if rng.random() < 0.5 else Laterality.OS,
        wedge=wedge,
        wedge_gray=int(rng.choice([0, 255])),
        blinks=blinks if bscans > 1 else frozenset(),  # a blinked line scan is taken again
    )


def _positions(
    device: DeviceProfile, placement: Placement, bscans: tuple[int, ...]
) -> tuple[Array, Array]:
    """Positions (x nasal, y superior) of every A-scan in mm, each (B-scan, A-scan)."""
    spacing, (total, _, widths) = device.spacing, device.shape
    bscan_mm = spacing.bscan_mm or 0.0  # a line scan has one B-scan, at the scan center
    across = (np.arange(widths) - (widths - 1) / 2) * spacing.width_mm - placement.fovea_mm[0]
    along = (np.array(bscans) - (total - 1) / 2) * bscan_mm - placement.fovea_mm[1]
    nasal = across if placement.laterality is Laterality.OD else -across
    x_mm, y_mm = np.broadcast_arrays(nasal[None], along[:, None])
    return x_mm, y_mm


def _fold(
    picture: npt.NDArray[np.uint8], folded: npt.NDArray[np.bool_], extra: int
) -> npt.NDArray[np.uint8]:
    """Show what lies above the scan as its mirror image, a little weaker."""
    shown = picture[extra:].copy()
    if folded.any():
        ghost = (picture[extra - 1 :: -1] * 0.85).astype(np.uint8)
        shown[:extra] = np.where(folded, np.maximum(shown[:extra], ghost), shown[:extra])
    return shown


def _cut_border(
    image: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8], placement: Placement
) -> None:
    """Fill the wedges that registration leaves at the top and bottom."""
    if placement.wedge is None:
        return
    slope, top, bottom = placement.wedge
    depths, widths = image.shape
    line = slope * (np.arange(widths) - widths / 2)
    rows = np.arange(depths)[:, None]
    outside = (rows < line + top) | (rows >= depths + line + bottom)
    image[outside] = placement.wedge_gray
    labels[outside] = _CLIPPING
