"""Does transfer need less data? DME or not on single B-scans, by patients that were never parted.

Run ``python benchmarks/transfer_study.py --out FOLDER`` with the public B-scans of `mexico_dme` in
``--data``. Each arm is a recipe fixed beforehand on other pictures; each is run once. The table
goes to ``table.csv``, the learning curve to ``learning_curve.png``; a killed study goes on.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import matplotlib as mpl  # noqa: E402 - after the path
import numpy as np  # noqa: E402
import torch  # noqa: E402

from RetinaTriageLib.evaluation.proportions import roc_auc, roc_auc_interval  # noqa: E402
from RetinaTriageLib.progress import Progress  # noqa: E402
from RetinaTriageLib.training.image_patients import PatientRule  # noqa: E402
from RetinaTriageLib.training.image_sets import Columns, ImageSet, csv_images  # noqa: E402
from RetinaTriageLib.training.transfer_backbone import RANDOM, BackboneSource  # noqa: E402
from RetinaTriageLib.training.transfer_job import TransferJob, cross_validated  # noqa: E402
from RetinaTriageLib.training.transfer_plan import Splitting, TransferPlan  # noqa: E402
from RetinaTriageLib.training.transfer_scores import write_scores  # noqa: E402

COUNTS = (10, 25, 0)  # pictures of a class; 0 is all
FOLDS = 5
BLOCK = 10  # pictures or more, of patients with neighboring numbers
PRESENT = 1  # column of the class "1"


@dataclass(frozen=True)
class Arm:
    """A recipe, and how often it is drawn anew where pictures are few."""

    name: str
    plan: TransferPlan
    draws: int
    color: str


def arms(iterations: int) -> dict[str, Arm]:
    """Recipes of the study; both see pictures of one size, changed alike."""
    plan = TransferPlan(size=(128, 192), copies=4)
    scratch = replace(
        plan,
        source=BackboneSource(weights=RANDOM),
        unfreeze_from="all",
        batch_size=8,
        optimization=replace(plan.optimization, iterations=iterations),
    )
    return {
        "frozen": Arm("frozen own encoder", plan, 3, "#0072b2"),
        "scratch": Arm("same network from scratch", scratch, 1, "#d55e00"),
    }


def main() -> None:
    """Run the arms that are asked for, then tabulate and draw all that are there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--arms", nargs="*", choices=("frozen", "scratch"), default=None)
    parser.add_argument(
        "--counts", nargs="*", type=int, default=COUNTS, help="pictures a class; 0 is all"
    )
    parser.add_argument("--iterations", type=int, default=300, help="of training from scratch")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    stated = parser.parse_args()
    torch.set_num_threads(stated.threads)
    pictures = mexico(stated.data / "mexico_dme")
    rows = []
    for key, arm in arms(stated.iterations).items():
        if stated.arms is None or key in stated.arms:
            run(pictures, arm, stated.counts, stated.out / key)
        rows += table(arm, stated.out / key)
    write_table(stated.out / "table.csv", rows)
    draw(stated.out / "learning_curve.png", rows)


def mexico(folder: Path) -> ImageSet:
    """B-scans with DME (1) or without (0); neighboring numbers are never parted."""
    columns = Columns("file", "dme", "id")
    return csv_images(folder / "labels.csv", PatientRule(block=BLOCK), columns, folder / "images")


def run(pictures: ImageSet, arm: Arm, counts: Sequence[int], folder: Path) -> None:
    """Cross-validate an arm for numbers of pictures; what is there is not run again."""
    for count in counts:
        for draw_number in range(arm.draws if count else 1):
            path = folder / f"n{count or 'all'}_draw{draw_number}"
            if (path / "scores.csv").exists():
                continue
            # No picture is held out to choose weights by: it would be one more to learn from.
            splitting = Splitting(0.0, images_per_class=count or None, seed=draw_number)
            job = TransferJob(arm.plan, splitting, FOLDS, cache=folder.parent / "features")
            scored = cross_validated(pictures, job, path, tell)
            write_scores(path / "scores.csv", pictures, scored)
            print(f"{arm.name} {path.name} done", flush=True)


def tell(progress: Progress) -> None:
    """Print the folds."""
    if progress.stage == "fold":
        print(f"fold {progress.done} of {progress.total}", flush=True)


def table(arm: Arm, folder: Path) -> list[dict[str, str]]:
    """AUC with its interval by patient blocks, for every number of pictures that was run."""
    rows = []
    for count in COUNTS:
        draws = [read(path) for path in sorted(folder.glob(f"n{count or 'all'}_draw*/scores.csv"))]
        if not draws:
            continue
        areas = [roc_auc(scores, truth) for scores, truth, _ in draws]
        scores, truth, blocks = draws[0]
        interval = roc_auc_interval(scores, truth, blocks)
        rows.append(
            {
                "arm": arm.name,
                "images_per_class": str(count or "all"),
                "auc": f"{areas[0]:.3f}",
                "low": f"{interval.low:.3f}",
                "high": f"{interval.high:.3f}",
                "auc_of_draws": " ".join(f"{area:.3f}" for area in areas),
                "color": arm.color,
            }
        )
    return rows


def read(path: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Scores of DME, truth and patient block of every picture."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    scores = np.array([float(row["1"]) for row in rows])
    return scores, np.array([row["truth"] == "1" for row in rows]), [r["patient"] for r in rows]


def write_table(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Print the table, and write it."""
    names = [name for name in rows[0] if name != "color"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print("  ".join(row[name] for name in names))


def draw(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """AUC against the number of pictures a class."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    places = {str(count or "all"): place for place, count in enumerate(COUNTS)}
    for number, arm in enumerate(dict.fromkeys(row["arm"] for row in rows)):
        own = [row for row in rows if row["arm"] == arm]
        shift = 0.06 * (2 * number - 1)
        at = [places[row["images_per_class"]] + shift for row in own]
        area = np.array([float(row["auc"]) for row in own])
        ends = np.array([[float(row["low"]), float(row["high"])] for row in own]).T
        axes.errorbar(
            at, area, np.abs(ends - area), marker="o", capsize=3, label=arm, color=own[0]["color"]
        )
        for place, row in zip(at, own, strict=True):
            others = [float(value) for value in row["auc_of_draws"].split()[1:]]
            axes.plot([place] * len(others), others, "x", color=own[0]["color"], alpha=0.6)
    axes.axhline(0.5, color="0.7", linewidth=1, linestyle=":")
    axes.set_xticks(list(places.values()), list(places))
    axes.set_ylim(0.4, 1.0)
    axes.set_xlabel("pictures of a class to learn from (crosses: further draws)")
    axes.set_ylabel("AUC of DME, 95 % interval")
    axes.legend(loc="lower right", frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
