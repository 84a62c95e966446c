"""Occlusion tests on many B-scans: against the masks of a grader, and as pictures to look at."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import NamedTuple

import numpy as np

from RetinaTriageLib.evaluation.fluid import FluidScan
from RetinaTriageLib.evaluation.occlusion_hits import (
    HitSummary,
    OcclusionHit,
    occlusion_hit,
)
from RetinaTriageLib.evaluation.proportions import proportion
from RetinaTriageLib.explain.lone_bscan import lone_bscan, picture_of
from RetinaTriageLib.explain.occlusion_files import OcclusionCase, write_overlay
from RetinaTriageLib.explain.occlusion_map import BoolArray, OcclusionMap
from RetinaTriageLib.labels.label_sets import SOME_FLUID
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.volume import OCTVolume

Test = Callable[[OCTVolume], OcclusionMap]
"""Occlusion test of a line scan of 8 bit with some bundle and score."""

Draw = Callable[[OCTVolume, OcclusionMap], OcclusionCase]
"""What a test was of, for its picture."""

SCANS = "scans"
HITS = "hits.csv"
PICTURES = "pictures.csv"
PICTURE_COLUMNS = ("name", "probability", "drop", "depth", "width", "region_pixels", "judged")


class Marked(NamedTuple):
    """A line scan of 8 bit and where its lesion lies, bool array (depth, width)."""

    bscan: OCTVolume
    lesion: BoolArray


def largest_lesions(scans: Sequence[FluidScan], count: int | None) -> list[FluidScan]:
    """B-scans with a lesion, those with the largest ones if not all are wanted, in their order."""
    marked = [scan for scan in scans if (scan.codes == SOME_FLUID).any()]
    if count is None:
        return marked
    sizes = [int((scan.codes == SOME_FLUID).sum()) for scan in marked]
    kept = set(np.argsort(sizes)[::-1][:count].tolist())
    return [scan for at, scan in enumerate(marked) if at in kept]


def marked_fluid(scans: Sequence[FluidScan]) -> list[Marked]:
    """B-scans as line scans of 8 bit, with the fluid that a grader marked."""
    return [
        Marked(lone_bscan(scan.volume, 0), np.asarray(scan.codes[0] == SOME_FLUID, np.bool_))
        for scan in scans
    ]


def study_lesions(
    scans: Sequence[Marked],
    test: Test,
    draw: Draw,
    folder: Path,
    on_progress: OnProgress = ignore_progress,
) -> tuple[OcclusionHit, ...]:
    """Test B-scans with a marked lesion; writes ``hits.csv`` and an overlay each.

    Parameters
    ----------
    folder : is there
    """
    hits = []
    for number, (bscan, lesion) in enumerate(scans):
        found = test(bscan)
        hits.append(occlusion_hit(bscan.name, picture_of(bscan), lesion, found))
        write_overlay(draw(bscan, found), folder / f"{bscan.name}.png", lesion)
        on_progress(Progress(SCANS, number + 1, len(scans)))
    with (folder / HITS).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(OcclusionHit)])
        writer.writeheader()
        writer.writerows(asdict(hit) for hit in hits)
    return tuple(hits)


def study_pictures(
    bscans: Sequence[OCTVolume],
    test: Test,
    draw: Draw,
    folder: Path,
    on_progress: OnProgress = ignore_progress,
) -> tuple[OcclusionMap, ...]:
    """Test B-scans of which no lesion is marked; writes ``pictures.csv`` and an overlay each.

    Parameters
    ----------
    bscans : line scans of 8 bit
    folder : is there
    """
    maps = []
    for number, bscan in enumerate(bscans):
        found = test(bscan)
        maps.append(found)
        write_overlay(draw(bscan, found), folder / f"{bscan.name}.png")
        on_progress(Progress(SCANS, number + 1, len(bscans)))
    with (folder / PICTURES).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(PICTURE_COLUMNS)
        for bscan, one in zip(bscans, maps, strict=True):
            pixels = int(one.region.sum())
            writer.writerow(
                (bscan.name, one.probability, one.largest, *one.place, pixels, one.judged)
            )
    return tuple(maps)


def hits_text(hits: Sequence[OcclusionHit], summary: HitSummary) -> str:
    """Table of the hits and their sums, for people."""
    lines = [
        f"{'B-scan':12} {'P':>6} {'drop':>7} {'on':>4} {'touch':>6} {'in region':>10} "
        f"{'chance on':>10} {'chance touch':>13}"
    ]
    lines += [
        f"{hit.name:12} {hit.probability:6.3f} {hit.drop:7.4f} {_mark(hit.on_lesion):>4} "
        f"{_mark(hit.touches):>6} {hit.region_precision:10.2f} {hit.chance_on:10.2f} "
        f"{hit.chance_touches:13.2f}"
        for hit in hits
    ]
    count = summary.bscans
    lines += [
        f"center of the best box on the lesion: {_share(summary.on_lesion, count)}, chance "
        f"{summary.chance_on:.1f}",
        f"best box touches the lesion: {_share(summary.touches, count)}, chance "
        f"{summary.chance_touches:.1f}",
        f"region of interest: {summary.mean_precision:.2f} of it lesion, "
        f"{summary.mean_recall:.2f} of the lesion in it (means)",
    ]
    if summary.without_drop:
        lines.append(f"{summary.without_drop} without any drop, counted as misses")
    return "\n".join(lines) + "\n"


def _share(count: int, total: int) -> str:
    found = proportion(count, total)
    return (
        f"{count} of {total} ({found.value:.0%}, exact 95 % interval {found.low:.0%} to "
        f"{found.high:.0%})"
    )


def _mark(hit: bool) -> str:  # noqa: FBT001 - a value to show, not a switch
    return "yes" if hit else "-"
