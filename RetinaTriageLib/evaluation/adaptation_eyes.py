"""Eyes of an adaptation study: which they are, how they are scanned, and which are labeled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.labeled_set import LabeledCase, phantom_case
from RetinaTriageLib.evaluation.unseen_device import UnseenDevice, unseen_phantom
from RetinaTriageLib.phantoms.devices import SPECTRALIS, with_bscans
from RetinaTriageLib.phantoms.eye import Disease
from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.training.phantom_sets import without_black_bottom


@dataclass(frozen=True)
class AdaptationStudy:
    """Which eyes, and how they are scanned.

    Attributes
    ----------
    eyes : evaluated; their seeds follow one another from ``first_seed``
    labeled_eyes : eyes of the B-scans that the adaptation learns from, of the seeds just before;
        each has one disease, in turn
    labeled_bscans : of each of them, side by side near the fovea
    bscans : of a whole scan, over the scanner's field
    """

    device: UnseenDevice
    eyes: int
    first_seed: int
    labeled_eyes: int = 18
    labeled_bscans: int = 3
    bscans: int = 25

    def __post_init__(self) -> None:
        """Refuse studies without eyes, or with seeds below 0."""
        if self.eyes < 1 or self.labeled_eyes < 1 or self.first_seed < self.labeled_eyes:
            msg = (
                f"Found {self.eyes} eyes from seed {self.first_seed} after {self.labeled_eyes} "
                "labeled ones; expected at least one of each, and room for their seeds."
            )
            raise InputError(msg)
        if not 1 <= self.labeled_bscans <= self.bscans:
            msg = (
                f"Found {self.labeled_bscans} labeled B-scans of {self.bscans}; expected at least "
                "one, and no more than a scan has."
            )
            raise InputError(msg)

    @property
    def seeds(self) -> range:
        """Seeds of the evaluated eyes; none of them may have served training."""
        return range(self.first_seed, self.first_seed + self.eyes)

    @property
    def labeled_seeds(self) -> range:
        """Seeds of the eyes that the adaptation learns from."""
        return range(self.first_seed - self.labeled_eyes, self.first_seed)


def scanned_eye(study: AdaptationStudy, seed: int, *, new: bool) -> LabeledCase:
    """Scan one eye with the new scanner or with the known one."""
    profile = with_bscans(study.device.profile if new else SPECTRALIS, study.bscans)
    if new:
        return phantom_case(unseen_phantom(seed, study.device, study.bscans), profile)
    return phantom_case(make_phantom(seed, profile), profile)


def write_labeled(study: AdaptationStudy, seed: int, folder: Path) -> Path:
    """Write labeled B-scans of one eye as training stack, unless they are there."""
    path = folder / f"labeled_{seed:06d}.npz"
    if path.exists():
        return path
    diseases = list(Disease)
    number = study.labeled_seeds.index(seed)
    rng = np.random.default_rng((seed, study.bscans))
    spare = study.bscans - study.labeled_bscans
    first = int(np.clip(spare // 2 + rng.integers(-2, 3), 0, spare))
    phantom = unseen_phantom(
        seed,
        study.device,
        study.bscans,
        diseases=(diseases[number % len(diseases)],),
        bscans=tuple(range(first, first + study.labeled_bscans)),
    )
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(
        partial,
        image=phantom.volume.voxels,
        codes=without_black_bottom(phantom.volume.voxels, phantom.tissue_map),
        device=np.array(study.device.name),
    )
    partial.replace(path)
    return path
