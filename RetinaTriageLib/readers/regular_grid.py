"""NRRD, NIfTI and MetaImage volumes, read with SimpleITK."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.detached_data import data_file
from RetinaTriageLib.readers.gray import lossless_gray, refuse_label_map, single_channel
from RetinaTriageLib.readers.grid_axes import Grid, choose_axes, orient
from RetinaTriageLib.readers.meta_image_header import SUFFIXES, require_sound_header
from RetinaTriageLib.readers.nifti_file import nifti_voxels
from RetinaTriageLib.readers.sizes import require_unpackable
from RetinaTriageLib.readers.spacing import believed_spacing
from RetinaTriageLib.volume import STANDARD_DIRECTIONS, OCTVolume, ScanPattern, VoxelSpacing

MOST_VOXELS = 2**31
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


def read_regular_grid(path: Path, bscan_axis: int | None = None) -> OCTVolume:
    """Volume of a file that states a regular grid, turned to (B-scan, depth, width).

    Parameters
    ----------
    bscan_axis : which axis the B-scans follow one another on, as the file's array is read (0 is
        the slowest one); derived from the spacing where None

    Raises
    ------
    InputError
        If the file is damaged, a segmentation, in color, or of more than three dimensions.
    """
    stored, metadata = _load(path)
    pixels, dimension = _pixels(stored)
    image = stored.image
    voxels = lossless_gray(pixels)
    refuse_label_map(voxels, path.name)
    spacing_mm = tuple(reversed(image.GetSpacing()))[-dimension:]
    unstated, assumed = _unstated_spacing(spacing_mm)
    if dimension == 2:
        return _single_bscan(path, voxels, None if unstated else spacing_mm, assumed, bscan_axis)
    steps, origin = _steps_and_origin(image)
    grid = Grid(voxels, spacing_mm, steps, origin)
    axes, axes_assumed = choose_axes(voxels.shape, spacing_mm, bscan_axis)
    oriented, orientation_assumed = orient(grid, axes, stated=_states_orientation(path, metadata))
    bscan_mm, depth_mm, width_mm = oriented.spacing_mm
    single = oriented.voxels.shape[0] == 1
    spacing: VoxelSpacing | None = None
    if not unstated:
        spacing, doubts = believed_spacing(None if single else bscan_mm, depth_mm, width_mm)
        assumed = (*assumed, *doubts)
    return OCTVolume(
        oriented.voxels,
        spacing,
        pattern=ScanPattern.LINE if single else ScanPattern.RASTER,
        directions=oriented.steps[[2, 1, 0]].T.copy(),
        origin_mm=oriented.origin_mm,
        name=stem(path),
        sources=_sources(path, spacing, oriented=not orientation_assumed),
        assumed=(*assumed, *axes_assumed, *orientation_assumed),
    )


def stem(path: Path) -> str:
    """File name without its format, ".nii.gz" taken as one."""
    return path.name.removesuffix(".gz").rpartition(".")[0]


def _simple_itk() -> Any:
    import SimpleITK  # takes 0.2 s and is needed for these formats only

    return SimpleITK


@dataclass(frozen=True)
class _Stored:
    """Voxels in the order of the file, and the SimpleITK image or reader that knows their grid."""

    pixels: npt.NDArray[Any]
    image: Any


def _load(path: Path) -> tuple[_Stored, MappingProxyType[str, str]]:
    voxels = nifti_voxels(path) if path.name.lower().endswith((".nii", ".nii.gz")) else None
    if path.suffix.lower() in SUFFIXES:
        require_sound_header(path)
    packed_bytes = data_file(path).stat().st_size
    reader = _simple_itk().ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        metadata = {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}
        if any(key.startswith(("Segment0_", "Segmentation_")) for key in metadata):
            msg = (
                f"{path.name} is a segmentation; expected the gray OCT scan. Choose the scan that "
                "it was drawn on."
            )
            raise InputError(msg)
        size = reader.GetSize()
        if np.prod(np.array(size, dtype=float)) > MOST_VOXELS:
            msg = f"{path.name} states {size} voxels; expected at most 2^31. Is the header damaged?"
            raise InputError(msg)
        components = max(1, reader.GetNumberOfComponents())
        require_unpackable(size, components, packed_bytes, path.name)
        return _read(reader, voxels), MappingProxyType(metadata)
    # Keys that are not UTF-8 are a TypeError in SimpleITK.
    except (RuntimeError, TypeError, UnicodeError, MemoryError) as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[-1][:300]
        msg = f"{path.name} cannot be read ({reason}); copy or export it again."
        raise InputError(msg) from error


def _read(reader: Any, voxels: npt.NDArray[Any] | None) -> _Stored:
    if voxels is not None and voxels.shape == tuple(reversed(reader.GetSize())):
        return _Stored(voxels, reader)
    image = reader.Execute()
    pixels = _simple_itk().GetArrayFromImage(image)
    return _Stored(
        pixels if image.GetNumberOfComponentsPerPixel() == 1 else single_channel(pixels), image
    )


def _pixels(stored: _Stored) -> tuple[npt.NDArray[Any], int]:
    """Gray array in the order of the file, and its number of dimensions, 2 or 3."""
    pixels = stored.pixels
    while pixels.ndim > 3 and pixels.shape[0] == 1:
        pixels = pixels[0]
    if pixels.ndim not in (2, 3):
        msg = f"Found {pixels.ndim} dimensions {pixels.shape}; expected one scan. Split the series."
        raise InputError(msg)
    return pixels, pixels.ndim


def _steps_and_origin(image: Any) -> tuple[npt.NDArray[np.float64], tuple[float, float, float]]:
    """Rows of unit steps in RAS, one for each array axis, and the first voxel's position."""
    size = image.GetDimension()
    lps = np.array(image.GetDirection()).reshape(size, size)[:3, :3]
    right, anterior, superior = LPS_TO_RAS @ np.array(image.GetOrigin()[:3])
    return (LPS_TO_RAS @ lps).T[::-1], (float(right), float(anterior), float(superior))


def _unstated_spacing(spacing_mm: tuple[float, ...]) -> tuple[bool, tuple[str, ...]]:
    if not np.allclose(spacing_mm, 1.0):
        return False, ()
    sentence = (
        "Spacing is unknown: the file holds 1 × 1 × 1, which stands for a missing spacing and is "
        "never taken as 1 mm; state it with --spacing-um."
    )
    return True, (sentence,)


def _single_bscan(
    path: Path,
    voxels: npt.NDArray[Any],
    spacing_mm: tuple[float, ...] | None,
    assumed: tuple[str, ...],
    bscan_axis: int | None,
) -> OCTVolume:
    if bscan_axis is not None:
        msg = f"{path.name} holds one B-scan; --bscan-axis applies to volumes only."
        raise InputError(msg)
    spacing: VoxelSpacing | None = None
    if spacing_mm is not None:
        spacing, doubts = believed_spacing(None, spacing_mm[0], spacing_mm[1])
        assumed = (*assumed, *doubts)
    sentence = "Orientation is assumed: vitreous on top, left edge towards the patient's right."
    return OCTVolume(
        voxels[np.newaxis],
        spacing,
        pattern=ScanPattern.LINE,
        directions=STANDARD_DIRECTIONS.copy(),
        name=stem(path),
        sources=_sources(path, spacing, oriented=False),
        assumed=(*assumed, sentence),
    )


def _states_orientation(path: Path, metadata: MappingProxyType[str, str]) -> bool:
    """Whether axes were written on purpose; MetaImage does not tell and is believed."""
    if path.suffix.lower() in (".nrrd", ".nhdr"):
        return "NRRD_space" in metadata
    if "qform_code" in metadata:
        return any(metadata.get(f"{form}form_code", "0") != "0" for form in "qs")
    return True


def _sources(
    path: Path, spacing: VoxelSpacing | None, *, oriented: bool
) -> MappingProxyType[str, str]:
    header = f"{path.suffixes[-1].removeprefix('.')} header"
    facts = {"spacing": spacing is not None, "directions": oriented}
    return MappingProxyType({fact: header for fact, known in facts.items() if known})
