"""What a bundle says about single pictures of B-scans, whose spacing nobody knows.

Nothing is measured on them: there is no µm without spacing. Classifiers take such a picture to fill
their field of view, and were made for volumes, so their scores are given as they come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.ensemble_runs import CASES, EnsembleRuns, case_progress
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.readers.pictures import picture_paths, read_pages
from RetinaTriageLib.result import Verdict
from RetinaTriageLib.tissues import TissueGroup, labels_of
from RetinaTriageLib.volume import DeviceFamily, LabelArray, OCTVolume, ScanPattern

# Colored marks of a program on up to this share of the pixels do not spoil a gray B-scan.
MOST_COLOR = 0.001
COLOR_STEP = 8  # channels of a gray JPEG differ by less


@dataclass(frozen=True)
class LabeledPicture:
    """One picture file and the class that it belongs to."""

    path: Path
    label: str


@dataclass(frozen=True)
class PictureScore:
    """What the ensemble says of one picture.

    Attributes
    ----------
    fluid_share : fluid pixels by all pixels of retina, fluid and PED, on the consensus map; NaN
        where the map shows none of these
    tissue_map : uint8 array (depth, width), the consensus
    notes : sentences that have to travel with the scores
    """

    picture: LabeledPicture
    verdict: Verdict
    fluid_share: float
    tissue_map: LabelArray
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the picture file."""
        return self.picture.path.name

    @property
    def label(self) -> str:
        """Class of the picture."""
        return self.picture.label


def pictures_of_folders(folder: Path) -> list[LabeledPicture]:
    """Pictures in subfolders, each named by a class.

    Raises
    ------
    InputError
        If no subfolder holds a picture.
    """
    if not folder.is_dir():
        msg = f"{folder} is no folder; expected one with a subfolder for each class."
        raise InputError(msg)
    found = [
        LabeledPicture(path, inner.name)
        for inner in sorted(folder.iterdir())
        if inner.is_dir()
        for path in picture_paths(inner)
    ]
    if not found:
        msg = f"Found no picture in the subfolders of {folder}; expected one for each class."
        raise InputError(msg)
    return found


def read_gray_picture(path: Path, device: DeviceFamily | None = None) -> OCTVolume:
    """One B-scan of a picture file; a few colored pixels, such as a drawn mark, become gray.

    Raises
    ------
    InputError
        If the file is no picture, holds several pages, or more color than marks.
    """
    with Image.open(path) as picture:
        channels = np.asarray(picture) if picture.mode == "RGB" else None
    if channels is None:
        pages = read_pages(path)
        if len(pages) != 1:
            msg = f"{path.name} holds {len(pages)} pages; expected one B-scan a file."
            raise InputError(msg)
        gray = pages[0]
    else:
        spread = channels.max(axis=-1).astype(np.int16) - channels.min(axis=-1)
        if (spread > COLOR_STEP).mean() > MOST_COLOR:
            msg = f"{path.name} is colored; expected a gray B-scan. Export it in gray."
            raise InputError(msg)
        gray = np.asarray(Image.fromarray(channels).convert("L"))
    return OCTVolume(
        gray[np.newaxis], None, device=device, pattern=ScanPattern.LINE, name=path.stem
    )


def score_pictures(
    runs: EnsembleRuns,
    pictures: Sequence[LabeledPicture],
    point: OperatingPoint = OperatingPoint.BALANCED,
    *,
    device: DeviceFamily | None = None,
    on_progress: OnProgress = ignore_progress,
) -> list[PictureScore]:
    """Run the ensemble on every picture by itself.

    Raises
    ------
    InputError
        If a picture cannot be read; all are read before the first is worked.
    """
    for picture in pictures:
        read_gray_picture(picture.path, device)
    scores = []
    for number, picture in enumerate(pictures):
        report = case_progress(on_progress, number, len(pictures))
        scores.append(_score(runs, picture, point, device, report))
        on_progress(Progress(CASES, number + 1, len(pictures)))
    return scores


def _score(
    runs: EnsembleRuns,
    picture: LabeledPicture,
    point: OperatingPoint,
    device: DeviceFamily | None,
    on_progress: OnProgress,
) -> PictureScore:
    volume = read_gray_picture(picture.path, device)
    output = runs.run(volume, on_progress)
    return PictureScore(
        picture,
        runs.verdict(output, point),
        _fluid_share(runs, output.consensus),
        output.consensus[0],
        output.notes,
    )


def _fluid_share(runs: EnsembleRuns, tissue_map: LabelArray) -> float:
    fluid = labels_of(TissueGroup.FLUID, tissues=runs.tissues)
    retina = labels_of(TissueGroup.RETINA, TissueGroup.PED, tissues=runs.tissues)
    all_retina = int(np.isin(tissue_map, (*fluid, *retina)).sum())
    return float(np.isin(tissue_map, fluid).sum() / all_retina) if all_retina else float("nan")
