"""Tissue maps of a case folder, read back as arrays with their place in patient space."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.volume import FloatArray, LabelArray

CONSENSUS = "consensus"

# LPS (NRRD, ITK) to RAS (Slicer, OCTVolume): the first two axes point the other way.
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class StoredMap:
    """One tissue map of a case.

    Attributes
    ----------
    labels : uint8 array (B-scan, depth, width)
    ijk_to_ras : float array (4, 4) from (width, depth, B-scan) indices, in mm; None where the
        spacing of the scan is unknown
    """

    labels: LabelArray
    ijk_to_ras: FloatArray | None

    @property
    def superior_sign(self) -> int:
        """1 where B-scans follow one another towards superior, -1 towards inferior."""
        return 1 if self.ijk_to_ras is None or self.ijk_to_ras[2, 2] >= 0 else -1


def read_map(case: Path, name: str = CONSENSUS) -> StoredMap:
    """Tissue map of a case folder.

    Parameters
    ----------
    name : "consensus", or "hypothesis_1" and so on

    Raises
    ------
    InputError
        If the map is missing or cannot be read.
    """
    segmentation, plain = case / f"{name}.seg.nrrd", case / f"{name}.npy"
    try:
        found = _read_nrrd(segmentation) if segmentation.exists() else _read_array(plain)
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        msg = (
            f"{case.name} holds no readable {name}.seg.nrrd or {name}.npy ({error}); run the case "
            "again."
        )
        raise InputError(msg) from error
    if found.labels.ndim != 3 or found.labels.dtype != np.uint8:
        msg = (
            f"Found {found.labels.dtype} {found.labels.shape} in {name} of {case.name}; expected "
            "uint8 (B-scan, depth, width). Run the case again."
        )
        raise InputError(msg)
    return found


def _read_nrrd(path: Path) -> StoredMap:
    import SimpleITK  # takes 0.2 s

    image: Any = SimpleITK.ReadImage(str(path))
    if image.GetDimension() != 3:
        msg = f"{image.GetDimension()} dimensions"
        raise ValueError(msg)
    lps = np.eye(4)
    lps[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    lps[:3, 3] = image.GetOrigin()
    return StoredMap(SimpleITK.GetArrayFromImage(image), LPS_TO_RAS @ lps)


def _read_array(path: Path) -> StoredMap:
    return StoredMap(np.load(path, allow_pickle=False), None)
