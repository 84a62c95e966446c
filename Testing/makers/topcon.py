"""Topcon ``.fda`` and ``.fds`` files."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from makers.scan import NAMES, jpeg_2000
from RetinaTriageLib.readers.topcon_chunks import PARAM_SCAN_04, REGIST_INFO
from RetinaTriageLib.readers.topcon_frames import PACKED_HEADER, RAW_HEADER
from RetinaTriageLib.readers.topcon_fundus import HEADER as FUNDUS_HEADER
from RetinaTriageLib.volume import Laterality, OCTVolume

FUNDUS_BOX = (4, 6, 44, 36)  # columns 4 to 44 and rows 6 to 36 of the 50 x 40 fundus picture


def write_fda(path: Path, volume: OCTVolume, *, mode: int = 2, fundus: bool = True) -> Path:
    """JPEG 2000 B-scans, with a gray fundus picture that says which box of it was scanned."""
    bscans, depths, widths = volume.shape
    header = np.zeros(1, PACKED_HEADER)
    header["mode"], header["widths"] = mode, widths
    header["depths"], header["bscans"] = depths, bscans
    streams = [jpeg_2000(bscan) for bscan in volume.voxels]
    frames = b"".join(struct.pack("<I", len(stream)) + stream for stream in streams)
    chunks = [("@IMG_JPEG", header.tobytes() + frames), *_facts(volume)]
    return _write(path, b"FDA", [*chunks, *(_fundus() if fundus else ())])


def write_fds(path: Path, volume: OCTVolume, *, mode: int = 2) -> Path:
    """Raw B-scans, 16 bits a pixel."""
    bscans, depths, widths = volume.shape
    header = np.zeros(1, RAW_HEADER)
    header["mode"], header["bits"], header["widths"] = mode, 16, widths
    header["depths"], header["bscans"] = depths, bscans
    voxels = volume.voxels.astype("<u2") * 257
    return _write(
        path, b"FDS", [*_facts(volume), ("@IMG_SCAN_03", header.tobytes() + voxels.tobytes())]
    )


def _facts(volume: OCTVolume) -> list[tuple[str, bytes]]:
    bscans, _, widths = volume.shape
    spacing = volume.require_spacing()
    parameters = np.zeros(1, PARAM_SCAN_04)
    parameters["width_mm"] = spacing.width_mm * widths
    parameters["height_mm"] = (spacing.bscan_mm or 0) * bscans
    parameters["depth_um"] = spacing.depth_mm * 1000
    eye = {Laterality.OD: 0, Laterality.OS: 1, None: 255}[volume.laterality]
    return [
        ("@PATIENT_INFO_02", b"".join(name.encode().ljust(32, b"\0") for name in NAMES)),
        ("@CAPTURE_INFO_02", bytes([eye]) + bytes(117)),
        ("@PARAM_SCAN_04", parameters.tobytes().ljust(54, b"\0")),
    ]


def _fundus() -> list[tuple[str, bytes]]:
    picture = np.arange(2000, dtype=np.uint16).reshape(40, 50).astype(np.uint8)
    stream = jpeg_2000(np.repeat(picture[..., np.newaxis], 3, axis=2))
    header = np.zeros(1, FUNDUS_HEADER)
    header["columns"], header["rows"], header["bits"] = 50, 40, 24
    header["pictures"], header["size"] = 1, len(stream)
    place = np.zeros(1, REGIST_INFO)
    place["gray_fundus"] = FUNDUS_BOX
    return [("@IMG_TRC_02", header.tobytes() + stream), ("@REGIST_INFO", place.tobytes())]


def _write(path: Path, kind: bytes, chunks: list[tuple[str, bytes]]) -> Path:
    content = b"FOCT" + kind + struct.pack("<II", 2, 1000)
    for title, data in chunks:
        name = title.encode()
        content += bytes([len(name)]) + name + struct.pack("<I", len(data)) + data
    path.write_bytes(content + b"\0")
    return path
