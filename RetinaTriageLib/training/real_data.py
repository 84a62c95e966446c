"""Real B-scans with partial labels for training, from the public research sets that may be used.

Each function reads one set from its folder as published (README of the data lists the licenses)
and returns B-scans with codes of `label_sets`. Nothing of it may be redistributed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import loadmat

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.graph_search import Surfaces, find_surfaces
from RetinaTriageLib.readers.heidelberg_vol import read_heidelberg_vol
from RetinaTriageLib.training.weak_labels import weak_codes
from RetinaTriageLib.volume import FloatArray, LabelArray, VoxelSpacing

DUKE_SPACING = VoxelSpacing.from_um(123, 3.87, 11.5)  # assumed: not recorded for each patient
DUKE_VALIDATION_PATIENTS = ("8", "9")
RATHKE_SPACING = VoxelSpacing.from_um(None, 3.872, 14.24)  # fields ScaleZ and ScaleX of the file
MISSING = 1e6  # Heidelberg marks absent pixels with the largest float
UNUSABLE_LINES = ("valid.vol",)  # folded over by mirror artifacts; the device's lines are wrong


@dataclass(frozen=True)
class RealSample:
    """One B-scan and what is known of it; arrays uint8 (depth, width)."""

    image: LabelArray
    codes: LabelArray
    patient: str
    source: str
    bscan: str

    @property
    def name(self) -> str:
        """File name without ending."""
        return f"{self.source}_{self.patient}_{self.bscan}"


def duke_samples(folder: Path) -> Iterator[RealSample]:
    """B-scans of seven patients with diabetic macular edema; a grader marked all fluid.

    Parameters
    ----------
    folder : with ``images``, ``fluid_grader1`` and ``index.csv``

    References
    ----------
    Chiu et al., Biomed. Opt. Express 6:1172 (2015).
    """
    for path in _require_files(folder / "images", "*.png"):
        patient, bscan = path.stem.removeprefix("S").split("_")
        image = _gray(path)
        fluid = _gray(folder / "fluid_grader1" / path.name) > 0
        codes = weak_codes(image, find_surfaces(image[None], DUKE_SPACING), DUKE_SPACING, fluid)
        yield RealSample(image, codes, str(int(patient)), "duke", bscan)


def duke_volume_samples(folder: Path) -> Iterator[RealSample]:
    """B-scans of the whole volume of patient 1 that no grader looked at.

    Parameters
    ----------
    folder : with ``volume_subject_01`` and ``images``
    """
    paths = _require_files(folder / "volume_subject_01", "*.png")
    voxels = np.stack([_gray(path) for path in paths])
    surfaces = find_surfaces(voxels, DUKE_SPACING)
    graded = {path.stem.removeprefix("S01_") for path in (folder / "images").glob("S01_*.png")}
    for index, path in enumerate(paths):
        if path.stem in graded:
            continue
        codes = weak_codes(voxels[index], one_bscan(surfaces, index), DUKE_SPACING)
        yield RealSample(voxels[index], codes, "1", "dukevolume", path.stem)


def spectralis_line_samples(folder: Path) -> Iterator[RealSample]:
    """Single B-scans of ``.vol`` files with the ILM and BM lines that the device drew."""
    for path in _require_files(folder, "*.vol"):
        if path.name in UNUSABLE_LINES:
            continue
        patient, scan = path.stem.rsplit("_", 1)  # several scans of one eye stay together
        volume = read_heidelberg_vol(path)
        spacing, lines = volume.require_spacing(), volume.record.lines
        found = with_lines(find_surfaces(volume.voxels, spacing), lines["ILM"], lines["BM"])
        # No grader looked at these scans; to our own eye they hold no fluid.
        codes = weak_codes(volume.voxels[0], found, spacing, fluid_free=True)
        yield RealSample(volume.voxels[0], codes, patient.replace("_", ""), "spectralisvol", scan)


def rathke_samples(folder: Path) -> Iterator[RealSample]:
    """One circular scan with nine layer boundaries; no fluid in it to our own eye, ungraded.

    References
    ----------
    Rathke et al., Med. Image Anal. 18:781 (2014).
    """
    scan, lines = (
        loadmat(path)
        for path in (folder / "circularScan.mat", folder / "circularScan_0_coordinates.mat")
    )
    image = _display_gray(scan["B0"])
    drawn = lines["interpolation"].astype(np.float32)  # (boundary, width), from ILM to BM
    found = with_lines(find_surfaces(image[None], RATHKE_SPACING), drawn[:1], drawn[8:])
    codes = weak_codes(image, found, RATHKE_SPACING, fluid_free=True)
    yield RealSample(image, codes, "1", "rathke", "z00")


def write_samples(samples: Iterable[RealSample], folder: Path) -> int:
    """Write each sample as ``<source>_<patient>_<B-scan>.npz`` and return how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for sample in samples:
        np.savez_compressed(folder / f"{sample.name}.npz", image=sample.image, codes=sample.codes)
        names.append(sample.name)
    return len(names)


def write_all(data_folder: Path, folder: Path) -> dict[str, int]:
    """Write the samples of every set that training may use; number of samples by set."""
    duke = data_folder / "duke_dme"
    sets = {
        "duke": duke_samples(duke),
        "dukevolume": duke_volume_samples(duke),
        "spectralisvol": spectralis_line_samples(data_folder / "spectralis_vol"),
        "rathke": rathke_samples(data_folder / "rathke_circular_scan"),
    }
    return {name: write_samples(samples, folder) for name, samples in sets.items()}


def one_bscan(surfaces: Surfaces, index: int) -> Surfaces:
    """Surfaces of one B-scan of a volume."""
    part = slice(index, index + 1)
    return Surfaces(
        surfaces.ilm[part],
        surfaces.ellipsoid[part],
        surfaces.rpe[part],
        surfaces.rpe_outer[part],
        surfaces.bm[part],
        {name: sure[part] for name, sure in surfaces.confidence.items()},
        surfaces.clipped[part],
    )


def with_lines(surfaces: Surfaces, ilm: FloatArray, bm: FloatArray) -> Surfaces:
    """Surfaces with ILM and BM replaced by lines (B-scan, width), sure wherever they are finite."""
    has_ilm, has_bm = np.isfinite(ilm), np.isfinite(bm)
    return replace(
        surfaces,
        ilm=np.where(has_ilm, ilm, surfaces.ilm).astype(np.float32),
        bm=np.where(has_bm, bm, surfaces.bm).astype(np.float32),
        confidence={
            **surfaces.confidence,
            "ilm": has_ilm.astype(np.float32),
            "bm": has_bm.astype(np.float32),
        },
    )


def _display_gray(raw: FloatArray) -> LabelArray:
    """Reflectivity as the Spectralis shows it, fourth root in 8 bit; missing pixels are black."""
    shown = np.where(raw < MISSING, raw, 0.0).clip(0, 1) ** 0.25
    return np.asarray(np.round(shown * 255), dtype=np.uint8)


def _gray(path: Path) -> LabelArray:
    return np.asarray(Image.open(path).convert("L"), dtype=np.uint8)


def _require_files(folder: Path, pattern: str) -> list[Path]:
    paths = sorted(folder.glob(pattern))
    if not paths:
        msg = f"Found no {pattern} in {folder}; expected the data set there, unpacked as published."
        raise InputError(msg)
    return paths
