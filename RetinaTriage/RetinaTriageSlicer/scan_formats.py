"""Which files Slicer leaves to RetinaTriage; loads nothing, as Slicer asks at its start.

Formats that Slicer reads itself (NRRD, NIfTI, pictures) stay with Slicer. Of endings that others
use too, such as .xml and .img, only files whose content or name is that of a scan are taken.
"""

from __future__ import annotations

from pathlib import Path

# Title in Slicer's list of formats, and ending.
FORMATS = (
    ("Heidelberg OCT", ".vol"),
    ("Heidelberg OCT", ".e2e"),
    ("Heidelberg OCT export", ".xml"),
    ("Topcon OCT", ".fda"),
    ("Topcon OCT", ".fds"),
    ("Zeiss Cirrus OCT", ".img"),
    ("Optovue OCT", ".oct"),
    ("DICOM Ophthalmic Tomography", ".dcm"),
)
SURE, NOT_MINE = 0.9, 0.0
OPT = b"1.2.840.10008.5.1.4.1.1.77.1.5.4"
# How the content of a format starts, or what its first bytes hold.
STARTS = {
    ".vol": (b"HSF-OCT-",),
    ".e2e": (b"CMDb", b"E2EMultipleVolumeFile"),
    ".fda": (b"FOCT",),
    ".fds": (b"FOCT",),
}
HELD = {".xml": b"<HEDX", ".dcm": OPT}
HEAD_BYTES = 4096


def extensions() -> list[str]:
    """List formats as Slicer's file dialog shows them."""
    return [f"{title} (*{ending})" for title, ending in FORMATS]


def confidence(path: Path) -> float:
    """Say how surely a file is a scan that is read here, 0 to 1; Slicer's own readers say 0.5."""
    ending = path.suffix.lower()
    if not path.is_file() or ending not in {known for _, known in FORMATS}:
        return NOT_MINE
    if ending == ".img":
        # Analyze images have a header file; Cirrus names its cubes so and has none.
        plain = "cube" in path.name.lower() and not path.with_suffix(".hdr").exists()
        return SURE if plain else NOT_MINE
    if ending == ".oct":  # bare numbers, described by a text file beside them
        return SURE if path.with_suffix(".txt").exists() else NOT_MINE
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if ending in STARTS:
        return SURE if head.startswith(STARTS[ending]) else NOT_MINE
    if ending in HELD:
        return SURE if HELD[ending] in head else NOT_MINE
    return NOT_MINE
