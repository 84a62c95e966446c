"""Made scores of a small diagnostic study."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from RetinaTriageLib.evaluation.scored_images import ScoreTable

CLASSES = ("cnv", "dme", "normal")
IMAGES = 90


def example_scores(seed: int = 0, shift: float = 2.0) -> ScoreTable:
    """Three classes, 30 patients with 3 images of one class each; sex and age in columns."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(IMAGES // 3), 3)
    actual = patient % 3
    z = rng.normal(size=(IMAGES, 3)) + shift * np.eye(3)[actual]
    scores = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return ScoreTable(
        "made.csv",
        tuple(f"image {number}" for number in range(IMAGES)),
        tuple(f"p{number}" for number in patient),
        CLASSES,
        np.eye(3, dtype=np.bool_)[actual],
        scores,
        exclusive=True,
        columns={
            "sex": tuple("fm"[number % 2] for number in patient),
            "age": tuple(str(50 + number) for number in patient),
        },
    )


def write_example(path: Path, table: ScoreTable) -> None:
    """Write a table as its reader takes it."""
    lines = [",".join(("file", "patient", "truth", *table.classes, *table.columns))]
    for row, (file, patient) in enumerate(zip(table.files, table.groups, strict=True)):
        cells = (f"{score:.6f}" for score in table.scores[row])
        further = (values[row] for values in table.columns.values())
        lines.append(",".join((file, patient, table.classes[table.actual[row]], *cells, *further)))
    path.write_text("\n".join(lines) + "\n")
