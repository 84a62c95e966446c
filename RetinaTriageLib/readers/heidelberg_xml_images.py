"""Images of a Heidelberg XML export: image 0 is the localizer, the others are B-scans.

``ExamURL`` holds the path of the TIFF on the machine that exported it; its base name lies beside
the XML.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.heidelberg_xml_spacing import CONTEXT
from RetinaTriageLib.readers.pictures import read_pages
from RetinaTriageLib.readers.safe_xml import number, text
from RetinaTriageLib.readers.sizes import LARGEST_SIDE, MOST_BYTES


def images_of(series: Element, kind: str) -> list[Element]:
    """Images of one kind, "OCT" or "LOCALIZER"."""
    images = series.findall("Image")
    return [image for image in images if image.findtext("ImageType/Type", "").strip() == kind]


def gray_pages(images: Sequence[Element], folder: Path) -> list[npt.NDArray[Any]]:
    """Gray arrays (row, column) of images, each of the size that the XML states.

    Raises
    ------
    InputError
        If a file is missing, or holds something else than the XML states.
    """
    in_folder = {path.name.lower(): path for path in folder.iterdir()}
    pages: list[npt.NDArray[Any]] = []
    for image in images:
        url = text(image, "ImageData/ExamURL")
        base_name = re.split(r"[\\/]", url)[-1]
        path = in_folder.get(base_name.lower())
        if path is None or not path.is_file():
            msg = f"Found no {base_name!r} beside the XML; copy the whole exported folder."
            raise InputError(msg)
        stated = tuple(int(number(image, f"{CONTEXT}/{side}")) for side in ("Height", "Width"))
        if max(stated) > LARGEST_SIDE:
            msg = (
                f"The XML states {stated} pixels for {base_name}; expected at most {LARGEST_SIDE}."
            )
            raise InputError(msg)
        content = read_pages(path)
        expected = pages[0].shape if pages else stated
        if [page.shape for page in content] != [stated] or stated != expected:
            shapes = [page.shape for page in content]
            msg = (
                f"{base_name} holds pages of {shapes} (row, column) pixels; expected one of "
                f"{stated} as the XML states, and {expected} as the first. Export the scan again."
            )
            raise InputError(msg)
        pages.append(content[0])
        # An export may name one file many times, so the size of its files sets no limit.
        if sum(page.nbytes for page in pages) > MOST_BYTES:
            msg = "The XML lists B-scans of more than 2 GiB; expected one OCT scan."
            raise InputError(msg)
    return pages
