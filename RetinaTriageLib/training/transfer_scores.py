"""Scores of pictures as a CSV: file, patient, truth, then a column with the score of each class."""

from __future__ import annotations

import csv
from pathlib import Path

from RetinaTriageLib.training.image_sets import SEPARATOR, ImageSet
from RetinaTriageLib.training.transfer_job import Scored

FIRST_COLUMNS = ("file", "patient", "truth")


def write_scores(path: Path, pictures: ImageSet, scored: Scored) -> None:
    """Write one row a picture; several true classes are parted by ";"."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow((*FIRST_COLUMNS, *pictures.classes))
        for image, row in zip(scored.images, scored.probabilities, strict=True):
            present = zip(pictures.classes, image.present, strict=True)
            truth = SEPARATOR.join(name for name, is_present in present if is_present)
            scores = (f"{value:.6f}" for value in row)
            writer.writerow((image.name, image.patient, truth, *scores))
    partial.replace(path)
