"""Tissue maps as NIfTI, for software that reads neither segmentations of Slicer nor DICOM.

Voxel values are the labels of the tissue map; what they mean is in ``result.json``. NIfTI keeps
lengths in single precision, so spacings agree with those of the scan to one part in ten million.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.volume import LabelArray, OCTVolume
from RetinaTriageLib.writers.case_folder import FileWriter
from RetinaTriageLib.writers.segmentation import RAS_TO_LPS


def nifti_writers(result: TriageResult) -> Mapping[str, FileWriter]:
    """File names and writers of the consensus and of every hypothesis.

    Raises
    ------
    GeometryError
        If the spacing is unknown.
    """
    result.volume.require_spacing()
    maps = {"consensus": result.consensus}
    for number, hypothesis in enumerate(result.hypotheses, start=1):
        maps[f"hypothesis_{number}"] = hypothesis.tissue_map
    return {
        f"{name}.nii.gz": partial(write_nifti, tissue_map, result.volume)
        for name, tissue_map in maps.items()
    }


def write_nifti(tissue_map: LabelArray, volume: OCTVolume, path: Path) -> None:
    """Write one tissue map in the space of its volume.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    path : file to write, ending in ``.nii.gz``

    Raises
    ------
    GeometryError
        If the spacing is unknown.
    OSError
        If the file cannot be written.
    """
    import SimpleITK  # takes 0.2 s

    lps = RAS_TO_LPS @ volume.ijk_to_ras()
    spacing_mm = np.linalg.norm(lps[:3, :3], axis=0)
    image: Any = SimpleITK.GetImageFromArray(tissue_map)
    image.SetSpacing(spacing_mm.tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    image.SetDirection((lps[:3, :3] / spacing_mm).ravel().tolist())
    try:
        SimpleITK.WriteImage(image, str(path), useCompression=True)
    except RuntimeError as error:
        # SimpleITK hides the system's reason, such as a full disk, in its own error.
        msg = f"Tissue map could not be written: {error}"
        raise OSError(msg) from error
