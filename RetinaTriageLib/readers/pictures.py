"""Pictures of B-scans: a folder of PNG, JPEG or TIFF files, one such file, or a TIFF stack.

Pictures hold neither spacing nor laterality; both stay unknown until the user states them.
Resolution tags (dots per inch) describe paper, not the eye, and are not used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.embedded_picture import DECODER_ERRORS
from RetinaTriageLib.readers.gray import lossless_gray, refuse_label_map, single_channel
from RetinaTriageLib.readers.sizes import LARGEST_SIDE, MOST_BYTES
from RetinaTriageLib.readers.tinted_picture import tinted_gray
from RetinaTriageLib.volume import OCTVolume, ScanPattern

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
MOST_PICTURES = 2048

ASSUMED = (
    "Spacing is unknown: pictures do not hold it; state it with --spacing-um.",
    "Orientation is assumed: vitreous on top, left edge towards the patient's right, "
    "first B-scan inferior.",
)


def read_picture_file(path: Path) -> OCTVolume:
    """One B-scan from a picture, or one B-scan a page from a TIFF stack."""
    return _volume(read_pages(path), path.stem)


def read_picture_folder(folder: Path) -> OCTVolume:
    """One B-scan a file, in the order of the numbers in the file names.

    Raises
    ------
    InputError
        If pictures differ in size, are not gray, or hold more than one page.
    """
    paths = picture_paths(folder)
    pages: list[npt.NDArray[Any]] = []
    for path in paths:
        picture = _only_page(path)
        if pages and picture.shape != pages[0].shape:
            msg = (
                f"{path.name} is {_size(picture)} and {paths[0].name} is {_size(pages[0])} "
                "pixels; expected B-scans of one size. Remove what is not a B-scan; separate "
                "pictures are judged with --pictures."
            )
            raise InputError(msg)
        pages.append(picture)
    return _volume(pages, folder.resolve().name)


def read_separate_pictures(path: Path) -> list[tuple[str, npt.NDArray[Any]]]:
    """File names and gray pictures (depth, width) of a folder, of any sizes, or of one file.

    A faintly tinted JPEG is taken as gray, see `only_picture`.

    Raises
    ------
    InputError
        If there is no picture, or one is not gray or holds more than one page.
    """
    paths = picture_paths(path) if path.is_dir() else [path]
    if not paths:
        msg = (
            f"{path.name} holds no picture; expected files ending in {', '.join(PICTURE_SUFFIXES)}."
        )
        raise InputError(msg)
    return [(each.name, only_picture(each)) for each in paths]


def picture_paths(folder: Path) -> list[Path]:
    """Pictures of a folder, hidden files left out, in the order of the numbers in their names."""
    paths = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
    ]
    return sorted(paths, key=lambda path: _numbers_by_value(path.name.lower()))


def read_pages(path: Path) -> list[npt.NDArray[Any]]:
    """Pages of one picture file as gray arrays (depth, width).

    Raises
    ------
    InputError
        If the file is no picture, is damaged, oversized, colored or partly transparent.
    """
    try:
        with Image.open(path, formats=("PNG", "JPEG", "TIFF")) as picture:
            count = getattr(picture, "n_frames", 1)
            if max(picture.size) > LARGEST_SIDE or count > MOST_PICTURES:
                msg = (
                    f"{path.name} has {count} pages of {picture.size} pixels; expected at most "
                    f"{MOST_PICTURES} of {LARGEST_SIDE} pixels a side."
                )
                raise InputError(msg)
            pages = []
            for page in range(count):
                picture.seek(page)
                if max(picture.size) > LARGEST_SIDE:
                    msg = f"Page {page} of {path.name} has {picture.size} pixels; it is too large."
                    raise InputError(msg)
                pages.append(_gray(picture, path.name))
                # Pages of a TIFF file may share their data, so its size sets no limit.
                if sum(gray.nbytes for gray in pages) > MOST_BYTES:
                    msg = f"{path.name} unpacks to more than 2 GiB; expected one OCT scan."
                    raise InputError(msg)
            return pages
    except InputError:
        raise
    except DECODER_ERRORS as error:
        msg = f"{path.name} cannot be read as PNG, JPEG or TIFF ({error}); copy or export it again."
        raise InputError(msg) from error


def only_picture(path: Path) -> npt.NDArray[Any]:
    """Gray array (depth, width) of a picture file of one page; a faint tint counts as gray.

    Colors of a JPEG that differ by no more than its compression makes them are averaged. This is
    for pictures that are judged alone: B-scans of a volume are read as they are, or refused.

    Raises
    ------
    InputError
        If it cannot be read, is colored, or has more than one page.
    """
    try:
        return _only_page(path)
    except InputError:
        tinted = tinted_gray(path)
        if tinted is None:
            raise
        return tinted


def _only_page(path: Path) -> npt.NDArray[Any]:
    """Gray array (depth, width) of a picture of one page."""
    pages = read_pages(path)
    if len(pages) != 1:
        msg = f"{path.name} holds {len(pages)} pages; expected one picture a file. Part them."
        raise InputError(msg)
    return pages[0]


def _gray(picture: Image.Image, name: str) -> npt.NDArray[Any]:
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    pixels = np.asarray(picture)
    if picture.mode in ("LA", "RGBA"):
        if pixels[..., -1].min() < 255:
            msg = f"{name} is partly transparent; expected a gray B-scan. Export it again."
            raise InputError(msg)
        pixels = pixels[..., :-1]
    if pixels.ndim == 3:
        try:
            pixels = single_channel(pixels)
        except InputError as error:
            msg = f"{name}: {error}"
            raise InputError(msg) from error
    return lossless_gray(pixels)


def _volume(pages: Sequence[npt.NDArray[Any]], name: str) -> OCTVolume:
    kinds = {(page.shape, str(page.dtype)) for page in pages}
    if len(kinds) > 1:
        msg = f"Found B-scans of different size or type: {sorted(kinds)}; expected one kind."
        raise InputError(msg)
    voxels = np.stack(pages)
    refuse_label_map(voxels, name)
    pattern = ScanPattern.LINE if len(pages) == 1 else ScanPattern.RASTER
    return OCTVolume(voxels, None, pattern=pattern, name=name, assumed=ASSUMED)


def _numbers_by_value(name: str) -> list[tuple[int, str]]:
    """Sort key that puts "b2" before "b10"."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _size(page: npt.NDArray[Any]) -> str:
    return f"{page.shape[1]} × {page.shape[0]}"
