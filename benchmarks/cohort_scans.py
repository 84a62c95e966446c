"""Scans of the cohort benchmark: small phantoms, and files that no run can work."""

from __future__ import annotations

import os
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np

BAD_FILES = 15
SHAPE = (5, 128, 128)


def make_scans(scans: Path, count: int) -> None:
    """Write the phantoms and plant the bad files, unless they are there."""
    from RetinaTriageLib.phantoms.devices import SPECTRALIS
    from RetinaTriageLib.phantoms.phantom import make_phantom
    from RetinaTriageLib.volume import VoxelSpacing
    from RetinaTriageLib.writers.volume_file import write_volume

    done = scans / ".done"
    if done.exists():
        return
    scans.mkdir(parents=True, exist_ok=True)
    small = replace(SPECTRALIS, shape=SHAPE, spacing=VoxelSpacing.from_um(490.0, 14.9, 46.8))
    for number in range(count - BAD_FILES):
        write_volume(make_phantom(number, small).volume, scans / f"eye_{number:03d}.nrrd")
    plant_bad_files(scans)
    done.touch()


def plant_bad_files(scans: Path) -> None:
    """Fifteen files that give no row, each in another way."""
    from RetinaTriageLib.readers.registry import read_volume
    from RetinaTriageLib.volume import OCTVolume
    from RetinaTriageLib.writers.volume_file import write_volume

    eyes = [(scans / f"eye_{number:03d}.nrrd").read_bytes() for number in range(4)]
    for number, part in enumerate((0.1, 0.5, 0.95)):
        content = eyes[number][: int(len(eyes[number]) * part)]
        (scans / f"bad_truncated_{number}.nrrd").write_bytes(content)
    (scans / "bad_type_pdf.nrrd").write_bytes(b"%PDF-1.7\n" + os.urandom(3000))
    (scans / "bad_type_text.dcm").write_text("a letter\n" * 99, encoding="utf-8")
    (scans / "bad_type_zip.fda").write_bytes(b"PK\3\4" + os.urandom(3000))
    sizes = struct.pack("<8h", 3, 32000, 32000, 32000, 1, 1, 1, 1)
    header = struct.pack("<i", 348) + bytes(36) + sizes + bytes(14) + struct.pack("<hh", 2, 8)
    header += bytes(344 - len(header)) + b"n+1\0"
    (scans / "bad_header.nii").write_bytes(header + bytes(1000))
    (scans / "bad_header.nrrd").write_text(
        "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 60000 60000 60000\nencoding: raw\n\nx",
        encoding="ascii",
    )
    volume = read_volume(scans / "eye_000.nrrd")
    for number, value in enumerate((np.nan, np.inf)):
        voxels = volume.voxels.astype(np.float32)
        voxels[2, 60, 60] = value
        hollow = object.__new__(OCTVolume)  # the library refuses to make such a volume
        for name, fact in {**vars(volume), "voxels": voxels}.items():
            object.__setattr__(hollow, name, fact)
        write_volume(hollow, scans / f"bad_nan_{number}.nrrd")
    (scans / "bad_empty.nrrd").touch()
    (scans / "bad_empty.vol").touch()
    (scans / "eye_001_again.nrrd").write_bytes(eyes[1])
    (scans / "eye_002_again.nrrd").write_bytes(eyes[2])
    flat = np.zeros(SHAPE, np.uint8)
    write_flat(flat, scans / "bad_constant.nrrd")


def write_flat(voxels: np.ndarray, path: Path) -> None:
    """Write an NRRD file without asking whether it is a scan."""
    depth_first = " ".join(str(size) for size in reversed(voxels.shape))
    head = f"NRRD0004\ntype: uint8\ndimension: 3\nsizes: {depth_first}\nspacings: .0468 .0149 .49\n"
    path.write_bytes((head + "encoding: raw\n\n").encode() + voxels.tobytes())
