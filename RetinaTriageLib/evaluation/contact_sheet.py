"""Contact sheets: many B-scans in one picture, each beside its tissue map in color."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from RetinaTriageLib.labels.label_sets import SOME_FLUID
from RetinaTriageLib.tissues import TISSUE_BY_NAME, TISSUES, Tissue
from RetinaTriageLib.volume import LabelArray, OCTVolume
from RetinaTriageLib.writers.report_file import whole_file
from RetinaTriageLib.writers.report_pictures import gray_levels

Rgb = npt.NDArray[np.uint8]

OPACITY = 0.42
GAP_PX = 6
TITLE_PX = 16
LEGEND_COLUMNS, LEGEND_LINE_PX = 3, 17

# The vitreous and all that is open stay gray, so that the picture below can be judged.
_CLEAR = ("vitreous_subhyaloid",)


@dataclass(frozen=True)
class Tile:
    """One or more pictures of equal height side by side, uint8 (row, column, RGB), and a title."""

    title: str
    pictures: tuple[Rgb, ...]


def overlay(gray: LabelArray, labels: LabelArray, tissues: tuple[Tissue, ...] = TISSUES) -> Rgb:
    """B-scan with the colors of its tissues over it, uint8 (depth, width, RGB).

    Parameters
    ----------
    gray, labels : uint8 arrays (depth, width); label codes of sets stay gray, but fluid of
        unknown kind gets the color of intraretinal fluid
    """
    colors = np.zeros((256, 3), np.float32)
    opacity = np.zeros((256, 1), np.float32)
    for tissue in tissues:
        colors[tissue.label] = tissue.color
        opacity[tissue.label] = 0.0 if tissue.name in _CLEAR else OPACITY
    if tissues == TISSUES:
        colors[SOME_FLUID], opacity[SOME_FLUID] = (
            TISSUE_BY_NAME["intraretinal_fluid"].color,
            OPACITY,
        )
    shown = gray[..., np.newaxis] * (1 - opacity[labels]) + colors[labels] * opacity[labels]
    return np.asarray(np.round(shown), np.uint8)


def volume_tiles(
    volume: OCTVolume,
    tissue_map: LabelArray,
    count: int,
    tissues: tuple[Tissue, ...] = TISSUES,
) -> list[Tile]:
    """Tiles of evenly spaced B-scans: as scanned, and with the tissue map over it.

    Parameters
    ----------
    count : how many; all of them where the volume has fewer
    """
    gray, bscans = gray_levels(volume.voxels), volume.shape[0]
    # The middle of equal parts: the first and last B-scans of a raster show little.
    chosen = ((np.arange(min(count, bscans)) + 0.5) * bscans / min(count, bscans)).astype(int)
    return [
        Tile(
            f"{volume.name}, B-scan {index + 1} of {bscans}" if bscans > 1 else volume.name,
            (as_rgb(gray[index]), overlay(gray[index], tissue_map[index], tissues)),
        )
        for index in chosen
    ]


def as_rgb(gray: LabelArray) -> Rgb:
    """Gray picture in three equal channels."""
    return np.repeat(gray[..., np.newaxis], 3, axis=2)


def contact_sheet(tiles: Sequence[Tile], columns: int = 2, tile_width: int = 640) -> Image.Image:
    """Picture of all tiles in rows, each scaled to one width, its title above it.

    Parameters
    ----------
    tile_width : in pixels, of all pictures of a tile together
    """
    pictures = [_scaled(tile, tile_width) for tile in tiles]
    rows = [pictures[first : first + columns] for first in range(0, len(pictures), columns)]
    heights = [max(picture.height for picture in row) + TITLE_PX + GAP_PX for row in rows]
    width = columns * (tile_width + GAP_PX) + GAP_PX
    sheet = Image.new("RGB", (width, sum(heights) + GAP_PX), "white")
    draw = ImageDraw.Draw(sheet)
    top, number = GAP_PX, 0
    for row, height in zip(rows, heights, strict=True):
        for column, picture in enumerate(row):
            left = GAP_PX + column * (tile_width + GAP_PX)
            draw.text((left, top), tiles[number].title, fill="black")
            sheet.paste(picture, (left, top + TITLE_PX))
            number += 1
        top += height
    return sheet


def write_contact_sheet(
    tiles: Sequence[Tile], path: Path, columns: int = 2, tile_width: int = 640
) -> None:
    """Write a contact sheet as PNG; the file appears complete or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    sheet = contact_sheet(tiles, columns, tile_width)
    with whole_file(path) as unfinished:
        sheet.save(unfinished, "PNG", optimize=True)


def legend_tile(tissues: Sequence[Tissue] = TISSUES, width: int = 640) -> Tile:
    """Tile with the color and the title of every tissue, in columns."""
    rows = -(-len(tissues) // LEGEND_COLUMNS)
    picture = Image.new("RGB", (width, LEGEND_LINE_PX * rows), "white")
    draw = ImageDraw.Draw(picture)
    for number, tissue in enumerate(tissues):
        left = number // rows * (width // LEGEND_COLUMNS)
        top = number % rows * LEGEND_LINE_PX
        draw.rectangle((left + 2, top + 3, left + 20, top + 13), fill=tissue.color)
        draw.text((left + 26, top + 2), tissue.title, fill="black")
    return Tile("Tissues; what is gray has no color over it", (np.array(picture),))


def _scaled(tile: Tile, width: int) -> Image.Image:
    joined = np.concatenate(tile.pictures, axis=1)
    height = max(1, round(joined.shape[0] * width / joined.shape[1]))
    return Image.fromarray(joined).resize((width, height), Image.Resampling.LANCZOS)
