"""Zeiss Cirrus ``.img`` files: bare 8 bit voxels, all else stands in the file's name.

Such a name is ``PATIENT_Macular Cube 512x128_DATE_TIME_OD_sn1234_cube_z.img``. B-scans are stored
turned by 180 degrees. The name begins with the patient's number, so it does not become the name of
the volume.

References
----------
Names, sizes and the turn: LibOctData, retimat and OCT-Converter (MIT), which agree. OCT-Converter's
spacing of 2 x 2 x 4 µm is a placeholder. Fields of the cubes: Cirrus HD-OCT data sheet. Not
checked on a real file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.readers.binary import open_content
from RetinaTriageLib.readers.sizes import require_sides
from RetinaTriageLib.readers.spacing import believed_spacing
from RetinaTriageLib.volume import DeviceFamily, Laterality, OCTVolume, ScanPattern, VoxelSpacing

DEPTHS = 1024  # of every Cirrus scan
DEPTH_MM = 2.0
CUBE_MM = 6.0  # side of the square that macular and optic disc cubes cover
CUBES = ("Macular Cube", "Optic Disc Cube")
SIZE = re.compile(r"(\d{2,4})x(\d{1,4})")
# A-scans and B-scans of files that name no size; no two protocols of the retina share a number
# of voxels.
SIZES = {512 * 128: (512, 128), 200 * 200: (200, 200), 1024 * 5: (1024, 5), 1024 * 21: (1024, 21)}

ORIENTATION = (
    "Orientation is assumed as other readers of .img files take it: B-scans turned by 180°, left "
    "edge towards the patient's right, first B-scan inferior; the file does not state it."
)


@dataclass(frozen=True)
class _Name:
    protocol: str
    ascans: int | None
    bscans: int | None
    laterality: Laterality | None
    hidef: bool


def read_zeiss_img(path: Path) -> OCTVolume:
    """Volume of a cube.

    Raises
    ------
    InputError
        If its number of voxels fits neither its name nor a known protocol.
    GeometryError
        If it holds the two crossed B-scans of a "hidef" file.
    """
    name = _parse_name(path.stem)
    if name.hidef:
        msg = (
            f"{path.name} holds two crossed B-scans (hidef); expected a cube. Choose the file that "
            "ends in cube_z.img or cube_raw.img."
        )
        raise GeometryError(msg)
    content = open_content(path)
    ascans, bscans = _sides(name, len(content), path.name)
    stored = np.frombuffer(content, np.uint8).reshape(bscans, DEPTHS, ascans)
    voxels = np.ascontiguousarray(stored[:, ::-1, ::-1])
    spacing, assumed = _spacing(name, ascans, bscans)
    facts = {"device": ".img file"}
    if spacing is not None:
        facts["spacing"] = "protocol in the file name: 6 x 6 x 2 mm"
    if name.laterality is not None:
        facts["laterality"] = "file name"
    eye = f" {name.laterality.value}" if name.laterality else ""
    return OCTVolume(
        voxels,
        spacing,
        name.laterality,
        DeviceFamily.CIRRUS,
        ScanPattern.LINE if bscans == 1 else ScanPattern.RASTER,
        name=f"{name.protocol or 'Cirrus scan'} {ascans}x{bscans}{eye}",
        sources=MappingProxyType(facts),
        assumed=(*assumed, ORIENTATION),
    )


def _parse_name(stem: str) -> _Name:
    fields = stem.split("_")
    protocol = next((cube for cube in CUBES if cube in stem), "")
    size = SIZE.search(stem)
    eyes = {eye for eye in Laterality if eye.value in fields}
    return _Name(
        protocol,
        int(size[1]) if size else None,
        int(size[2]) if size else None,
        eyes.pop() if len(eyes) == 1 else None,
        "hidef" in fields,
    )


def _sides(name: _Name, voxels: int, file_name: str) -> tuple[int, int]:
    """Numbers of A-scans and B-scans."""
    columns, rest = divmod(voxels, DEPTHS)
    if name.ascans is not None and name.bscans is not None:
        require_sides((name.bscans, DEPTHS, name.ascans), file_name)
        if name.ascans * name.bscans * DEPTHS == voxels:
            return name.ascans, name.bscans
    elif rest == 0 and columns in SIZES:
        return SIZES[columns]
    stated = f"{name.ascans}x{name.bscans}" if name.ascans else "no size"
    msg = (
        f"{file_name} has {voxels} voxels and its name states {stated}; expected a Cirrus cube of "
        f"A-scans x B-scans x {DEPTHS} depths. Keep the name that the Cirrus gave it."
    )
    raise InputError(msg)


def _spacing(name: _Name, ascans: int, bscans: int) -> tuple[VoxelSpacing | None, tuple[str, ...]]:
    if not name.protocol:
        sentence = (
            "Spacing is unknown: an .img file does not hold it, and the file name states no cube; "
            "state it with --spacing-um."
        )
        return None, (sentence,)
    bscan_mm = None if bscans == 1 else CUBE_MM / bscans
    spacing, doubts = believed_spacing(bscan_mm, DEPTH_MM / DEPTHS, CUBE_MM / ascans)
    if spacing is None:
        return None, doubts
    sentence = (
        f"Spacing is that of the protocol in the file name, {name.protocol}: nominally 6 x 6 mm "
        "and 2 mm deep; the file does not hold it."
    )
    return spacing, (sentence,)
