"""Images of a Heidelberg ``.E2E`` file: gray values of B-scans; the en-face picture is left out.

No field is known that states how many degrees the picture covers, and its pixels do not tell (768
cover 30° in the high-speed mode, 15° in the high-resolution one).

References
----------
Fields: see ``e2e_directory``. The mantissa of a pixel is read in its natural order, as LibOctData
does; eyepy 0.21 and OCT-Converter 0.7 read its bits backwards, which scatters gray values. Picture
sizes: SPECTRALIS Accessories Hardware Manual, 8.1, as quoted in eyepy's issue 66.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.binary import part, record
from RetinaTriageLib.readers.e2e_directory import E2EFile, ScanKey
from RetinaTriageLib.readers.sizes import require_sides

IMAGE_TYPE = 1073741824
IMAGE = np.dtype(
    [("size", "<u4"), ("kind", "<u4"), ("count", "<u4"), ("depths", "<u4"), ("widths", "<u4")]
)
BSCAN_KIND, PICTURE_KIND = 0x20, 0x01  # third byte of an image's kind: 16 bit, 8 bit en face

EMPTY = 1.99  # A-scans without data hold the largest value, 1.999


def bscan_voxels(
    file: E2EFile, images: Sequence[np.void], depths: int, widths: int
) -> npt.NDArray[np.uint8]:
    """Gray values of B-scans, array (B-scan, depth, width), 8 bit: fourth root of reflectivity.

    Parameters
    ----------
    images : directory items, one a B-scan

    Raises
    ------
    InputError
        If an image is of another size or kind, or ends early.
    """
    require_sides((len(images), depths, widths), file.name)
    # Items may lie anywhere, and a damaged directory could name one B-scan a million times.
    if len(images) * depths * widths * 2 > len(file.content):
        msg = (
            f"{file.name} states {len(images)} B-scans of {depths} x {widths} in "
            f"{len(file.content)} bytes; it is damaged, copy or export it again."
        )
        raise InputError(msg)
    voxels = np.empty((len(images), depths, widths), np.uint8)
    for number, item in enumerate(images):
        what = f"B-scan {number} of {file.name}"
        payload = file.payload(item)
        image = record(payload, 0, IMAGE, what)
        found = (int(image["depths"]), int(image["widths"]))
        if found != (depths, widths) or int(image["kind"]) >> 16 & 0xFF != BSCAN_KIND:
            msg = (
                f"{what} is an image of kind {int(image['kind']):#x} and {found} pixels; expected "
                f"a 16 bit B-scan of {(depths, widths)}. Export the scan again."
            )
            raise InputError(msg)
        stored = part(payload, IMAGE.itemsize, depths * widths * 2, what)
        pixels = np.frombuffer(stored.tobytes(), "<u2").reshape(depths, widths)
        np.take(_gray_table(), pixels, out=voxels[number])
    return voxels


def picture_left_out(file: E2EFile, key: ScanKey) -> tuple[str, ...]:
    """Sentence on the en-face picture, where there is one."""
    for item in file.of(key, IMAGE_TYPE):
        if item["index"]:
            continue
        image = record(file.payload(item), 0, IMAGE, f"En-face picture of {file.name}")
        if int(image["kind"]) >> 16 & 0xFF == PICTURE_KIND:
            return (
                f"The en-face picture of {int(image['depths'])} x {int(image['widths'])} pixels "
                "is left out: the file does not say how many degrees it covers, so B-scans have "
                "no place on it; export .vol or XML for it.",
            )
    return ()


@cache
def _gray_table() -> npt.NDArray[np.uint8]:
    """Gray value of each 16 bit pixel: 6 bits of exponent, 10 of mantissa, no sign."""
    stored = np.arange(2**16)
    exponent, mantissa = stored >> 10, stored & 1023
    reflectivity = np.ldexp(1 + mantissa / 1024, exponent - 63)
    reflectivity[(exponent == 0) | (reflectivity > EMPTY)] = 0
    gray: npt.NDArray[np.uint8] = np.rint(255 * reflectivity.clip(0, 1) ** 0.25).astype(np.uint8)
    return gray
