"""What an occlusion test found as files: an overlay to look at, the drops, the region's table."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from RetinaTriageLib.explain.lone_bscan import picture_of
from RetinaTriageLib.explain.occlusion_map import SIDES, BoolArray, OcclusionMap
from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageLib.volume import OCTVolume
from RetinaTriageLib.writers.volume_file import write_voxels

OVERLAY, DROPS, DROP_VOLUME = "overlay.png", "drop.npy", "drop.nrrd"
REGION_TABLE, REGION_FACTS = "region.csv", "region.json"
INCHES, DOTS_AN_INCH = 9.0, 110
PICTURE_SHARE, MARGIN_INCHES = 0.84, 0.8
OPACITY = 0.75
COLORS = "inferno"


@dataclass(frozen=True)
class OcclusionCase:
    """One test with what it was of.

    Attributes
    ----------
    bscan : line scan that was tested
    bscan_number : of the B-scan in its volume, from 1
    score : name of the class or outcome
    bundle : name and version
    trained_on : sentence of the bundle
    """

    found: OcclusionMap
    bscan: OCTVolume
    bscan_number: int
    score: str
    bundle: str
    trained_on: str


def write_occlusion(case: OcclusionCase, folder: Path) -> None:
    """Write all files of a test; ``drop.nrrd`` only where distances are known.

    Parameters
    ----------
    folder : is there and empty

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    facts = region_facts(case)
    np.save(folder / DROPS, case.found.drop)
    write_overlay(case, folder / OVERLAY)
    (folder / REGION_FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    with (folder / REGION_TABLE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(facts))
        writer.writeheader()
        writer.writerow(facts)
    if case.bscan.spacing is not None:
        drops = case.found.drop[np.newaxis]
        write_voxels(drops, case.bscan.ijk_to_ras(), folder / DROP_VOLUME)


def region_facts(case: OcclusionCase) -> dict[str, Any]:
    """Facts on the region of interest as plain values; rows and columns count from 0.

    Without a region its extent is None. Areas are in mm², None where distances are unknown.
    """
    found, spacing = case.found, case.bscan.spacing
    depth, width = found.place
    extent = found.extent or (None, None, None, None)
    pixels = int(found.region.sum())
    return {
        "scan": case.bscan.name,
        "bscan": case.bscan_number,
        "score": case.score,
        "probability": round(found.probability, 6),
        "largest_drop": round(found.largest, 6),
        "depth": depth,
        "width": width,
        "region_share": found.share,
        "region_pixels": pixels,
        "region_mm2": None
        if spacing is None
        else round(pixels * spacing.depth_mm * spacing.width_mm, 6),
        "region_first_depth": extent[0],
        "region_last_depth": extent[1],
        "region_first_width": extent[2],
        "region_last_width": extent[3],
        "mode": found.mode.value,
        "box_depth": found.box.depth,
        "box_width": found.box.width,
        "box_gray": SIDES if found.box.gray is None else found.box.gray,
        "boxes_judged": found.judged,
        "bundle": case.bundle,
        "trained_on": case.trained_on,
        "notice": RESEARCH_USE,
    }


def write_overlay(case: OcclusionCase, path: Path, lesion: BoolArray | None = None) -> None:
    """Picture of the B-scan with the drops over it, the region outlined, the best box framed.

    Parameters
    ----------
    lesion : bool array (depth, width) to outline too, such as the mask of a grader
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    found = case.found
    rows, columns = found.drop.shape
    high = INCHES * PICTURE_SHARE * rows / columns + MARGIN_INCHES
    figure = Figure(figsize=(INCHES, high), dpi=DOTS_AN_INCH)
    FigureCanvasAgg(figure)
    bottom = MARGIN_INCHES / 2 / high
    axes = figure.add_axes((0.02, bottom, PICTURE_SHARE, 1 - 2 * bottom))
    axes.imshow(picture_of(case.bscan), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    top = max(found.largest, 1e-6)
    shown = np.clip(found.drop / top, 0, 1)
    drops = axes.imshow(found.drop, cmap=COLORS, vmin=0, vmax=top, alpha=OPACITY * shown)
    if found.extent is not None:
        axes.contour(found.region, levels=[0.5], colors="cyan", linewidths=1.0)
        down, across = found.box.around(*found.place)
        axes.add_patch(
            Rectangle(
                (across.start - 0.5, down.start - 0.5),
                found.box.width,
                found.box.depth,
                fill=False,
                edgecolor="white",
                linewidth=1.2,
            )
        )
    if lesion is not None and lesion.any():
        axes.contour(lesion, levels=[0.5], colors="lime", linewidths=0.8, linestyles="dotted")
    axes.set_axis_off()
    axes.set_title(
        f"{case.score} {found.probability:.3f}, with the framed box hidden "
        f"{found.probability - found.largest:.3f}",
        fontsize=10,
    )
    figure.text(
        0.02,
        0.02,
        f"{case.bscan.name}, B-scan {case.bscan_number}; {case.bundle}; {found.mode.value}, "
        f"{found.judged} boxes; outlined: {found.share:.0%} of the largest drop. {RESEARCH_USE}",
        fontsize=6.5,
    )
    # Of the colors alone: a bar of the picture itself would be as transparent.
    bar = figure.add_axes((0.88, bottom, 0.025, 1 - 2 * bottom))
    figure.colorbar(ScalarMappable(drops.norm, drops.cmap), cax=bar, label="drop of the score")
    figure.savefig(path)
