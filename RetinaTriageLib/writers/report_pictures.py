"""Pictures for the report: B-scans, label maps and colored en-face maps as embeddable bytes."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from RetinaTriageLib.volume import LabelArray

Bytes = npt.NDArray[np.uint8]

JPEG_QUALITY = 82
# Share of values clipped at either end where other than 8 bit gray is brought to 256 levels.
CLIPPED_PERCENT = 0.1


def gray_levels(voxels: npt.NDArray[Any], clipped_percent: float = CLIPPED_PERCENT) -> Bytes:
    """Values as 8 bit gray: uint8 as it is, other types stretched between two percentiles."""
    if voxels.dtype == np.uint8:
        return np.asarray(voxels, np.uint8)
    sample = voxels[:: max(1, len(voxels) // 16)]
    low, high = np.percentile(sample, (clipped_percent, 100 - clipped_percent))
    scaled = (voxels.astype(np.float32) - low) * (255 / max(high - low, 1e-12))
    levels: Bytes = np.clip(scaled, 0, 255).astype(np.uint8)
    return levels


def label_step(classes: int) -> int:
    """Distance in gray between two labels in a label picture.

    Labels are spread over all 256 gray levels, so a browser that alters a pixel a little (color
    management, protection against tracking) still shows the right tissue.
    """
    return 255 // max(classes - 1, 1)


def encode_all(encode: Callable[[Bytes], str], pictures: Bytes) -> list[str]:
    """Encode pictures (picture, row, column), each on its own, on all processors."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(encode, pictures))


def jpeg(picture: Bytes) -> str:
    """Gray picture (row, column) as base64 of a JPEG."""
    return _base64_of(Image.fromarray(picture), "JPEG", quality=JPEG_QUALITY)


def label_png(label_map: LabelArray, classes: int) -> str:
    """Label map (depth, width) as base64 of a palette PNG: index is label, gray is label x step."""
    picture = Image.fromarray(label_map, "P")
    levels = np.arange(classes) * label_step(classes)
    picture.putpalette(np.repeat(levels.astype(np.uint8), 3).tobytes())
    return _base64_of(picture, "PNG", compress_level=6)


def rgba_png(picture: Bytes) -> str:
    """Colored picture (row, column, RGBA) as base64 of a PNG."""
    return _base64_of(Image.fromarray(picture, "RGBA"), "PNG", compress_level=6)


def number_bytes(values: npt.NDArray[np.floating[Any]], scale: float) -> str:
    """Values x scale as base64 of 16 bit little-endian integers; 65535 where there is no value."""
    whole = np.clip(np.nan_to_num(values, nan=0.0) * scale, 0, 65534).round().astype("<u2")
    whole[~np.isfinite(values)] = 65535
    return base64.b64encode(whole.tobytes()).decode("ascii")


def _base64_of(picture: Image.Image, kind: str, **options: int) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
