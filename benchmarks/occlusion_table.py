"""Tables of an occlusion study: how often tests point at lesions, and whom the classifier tells."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from RetinaTriageLib.bundle_images import load_image_bundle
from RetinaTriageLib.evaluation.delong import delong_auc
from RetinaTriageLib.evaluation.markdown_table import markdown
from RetinaTriageLib.evaluation.occlusion_study import HITS
from RetinaTriageLib.evaluation.proportions import proportion
from RetinaTriageLib.inference.judge_images import judge_images

TESTED_PATIENTS = ("8", "9")
HEADER = ("Test", "B-scans", "center on lesion", "chance", "box touches it", "chance")


def study_table(folder: Path) -> str:
    """Markdown table with a row for every ``hits.csv`` in the folders of a study."""
    return markdown(HEADER, [_row(path) for path in sorted(folder.glob(f"*/{HITS}"))])


def duke_auc(bundle_folder: Path, duke: Path) -> str:
    """Sentence on the class fluid: all B-scans of the patients that nothing learned from."""
    bundle = load_image_bundle(bundle_folder)
    with (duke / "index.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["subject"] in TESTED_PATIENTS]
    pictures = [np.asarray(Image.open(duke / "images" / row["file"])) for row in rows]
    truth = np.array([int(row["fluid_pixels"]) > 0 for row in rows])
    at = bundle.manifest.class_names.index("fluid")
    found = delong_auc(judge_images(pictures, bundle)[:, at], truth)
    of_auc = found.logit_interval
    return (
        f"AUC of fluid on Duke patients 8 and 9: {found.value:.3f} ({of_auc.low:.3f} to "
        f"{of_auc.high:.3f}), {truth.sum()} of {len(truth)} B-scans with fluid"
    )


def _row(path: Path) -> tuple[str, ...]:
    with path.open(encoding="utf-8") as file:
        hits = list(csv.DictReader(file))
    cells = [path.parent.name, str(len(hits))]
    for found, chance in (("on_lesion", "chance_on"), ("touches", "chance_touches")):
        share = proportion(sum(hit[found] == "True" for hit in hits), len(hits))
        expected = sum(float(hit[chance]) for hit in hits)
        cells += [
            f"{share.count} of {share.total} ({share.low:.0%} to {share.high:.0%})",
            f"{expected:.1f}",
        ]
    return tuple(cells)
