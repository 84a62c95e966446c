"""Occlusion study: classifiers of fluid and of drusen, and whether occlusion tests point at them.

Trains two whole-image classifiers with image-level labels alone: of fluid on B-scans of Spectralis
phantoms and of Duke patients 1, 2, 3, 5 and 7; of drusen on the phantoms, as no label says whether
the patients have any. The backbone of both is the first segmentation network of bundle macula,
frozen, which was taught tissues pixel by pixel on phantoms and these patients. Then hides
boxes on the ten B-scans of patients 8 and 9 with the largest fluid, on the pictures of
``kermany_samples``, and on the ten B-scans again through tissue maps. Every part goes on where it
was; the commands that are run are printed.
"""

from __future__ import annotations

import argparse
import csv
import json
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from occlusion_table import duke_auc, study_table

from RetinaTriageLib.bundle import SHIPPED
from RetinaTriageLib.bundle_files import MANIFEST, MODEL_CARD
from RetinaTriageLib.cli.main import main as retina_triage
from RetinaTriageLib.evaluation.occlusion_study import HITS, PICTURES
from RetinaTriageLib.tissues import TISSUE_BY_NAME, TissueGroup, labels_of
from RetinaTriageLib.training.phantom_sets import sample_path, write_stack

FIRST_SEED = 9_600_000
SCANNER = "spectralis"
FEWEST_PIXELS = 300  # of a lesion that a phantom shows; B-scans with a smaller one are left out
LEARNED_PATIENTS = ("1", "2", "3", "5", "7")
TIMES = 6  # that a real B-scan comes for each time of a phantom's, as there are few
FLUID, DRUSEN = "fluid", "drusen"
ITERATIONS = {FLUID: 400, DRUSEN: 800}
LESIONS = {
    FLUID: labels_of(TissueGroup.FLUID),
    DRUSEN: (TISSUE_BY_NAME["drusenoid_ped"].label,),
}
TRAINING = (
    "--head binary --backbone decoder --evidence places --size 496 512 --copies 1 --batch-size 16 "
    "--learning-rate 2e-2 --held-out-share 0"
)
DUKE = "--pattern S0[89]_* --masks fluid_grader1 --largest 10 --spacing-um 123 3.87 11.5"
BOX, BLACK_BOX = "--box 20 --gray sides", "--box 20 --gray 0"
LARGE_BOX = "--box 40 --gray sides"  # a quarter of the boxes, as maps take far longer
MARKS = {
    "CNV": "intraretinal_fluid subretinal_fluid",
    "DME": "intraretinal_fluid subretinal_fluid",
    "DRUSEN": "drusenoid_ped",
}


def main() -> None:
    """Make the pictures, train, and test."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="holds duke_dme, kermany_samples")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--stacks", type=Path, nargs="+", help="phantoms made before; default: made here"
    )
    parser.add_argument("--phantoms", type=int, default=1200, help="stacks of six B-scans")
    stated = parser.parse_args()
    pictures = stated.out / "pictures"
    if not (pictures / f"{DRUSEN}.csv").exists():
        write_pictures(stated, pictures)
    for name, iterations in ITERATIONS.items():
        run = stated.out / name
        training = f"{TRAINING} --iterations {iterations} --cache {stated.out / 'features'}"
        if not (run / "bundle").exists():
            table = pictures / f"{name}.csv"
            _do(f"train transfer {table} {training} --name {name} --out {run}")
    duke, kermany = stated.data / "duke_dme", stated.data / "kermany_samples"
    whole = "evaluate occlusion --finest 8 --tissue-only"
    of_fluid = f"--bundle {stated.out / FLUID / 'bundle'} --class {FLUID}"
    of_drusen = f"--bundle {stated.out / DRUSEN / 'bundle'} --class {DRUSEN}"
    on_duke = f"--lesions {duke} {DUKE}"
    # Maps of the other segmenters mark what nobody marked: the first is the classifier's backbone.
    others = part_of_macula(stated.out / "macula_others", slice(1, None))
    _once(f"{whole} {on_duke} {of_fluid} {BOX}", stated.out / "duke_sides")
    for name in ("CNV", "DME", "DRUSEN", "NORMAL"):
        score = of_drusen if name == "DRUSEN" else of_fluid
        marks = f"--marks-of {others} --mark {MARKS[name]}" if name in MARKS else ""
        shown = f"--pictures {kermany / name} {marks}"
        _once(f"{whole} {shown} {score} {BOX}", stated.out / f"kermany_{name}")
    maps = part_of_macula(stated.out / "macula_one", slice(1))
    edema = f"--bundle {maps} --class conditions.macular_retinal_edema {LARGE_BOX}"
    _once(f"evaluate occlusion {on_duke} {edema} --scanner spectralis", stated.out / "duke_maps")
    _once(f"{whole} {on_duke} {of_fluid} {BLACK_BOX}", stated.out / "duke_black")
    print(study_table(stated.out))
    print(duke_auc(stated.out / FLUID / "bundle", duke))


def part_of_macula(folder: Path, segmenters: slice) -> Path:
    """Bundle of some segmenters and the first classifier of macula."""
    if folder.exists():
        return folder
    source = SHIPPED / "macula"
    fields = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
    fields["segmenters"] = fields["segmenters"][segmenters]
    fields["classifiers"] = fields["classifiers"][:1]
    folder.mkdir(parents=True)
    for entry in (*fields["segmenters"], *fields["classifiers"]):
        shutil.copy(source / entry["file"], folder)
    shutil.copy(source / MODEL_CARD, folder)
    (folder / MANIFEST).write_text(json.dumps(fields), encoding="utf-8")
    return folder


def write_pictures(stated: argparse.Namespace, folder: Path) -> None:
    """Write the pictures to learn from, and a table for each class."""
    folder.mkdir(parents=True, exist_ok=True)
    real, phantoms = _real(stated.data / "duke_dme", folder), _phantoms(stated, folder)
    for name, rows in ((FLUID, [*real, *phantoms]), (DRUSEN, phantoms)):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("file", "class", "patient"))
            for file_name, shown, patient in rows:
                writer.writerow((file_name, name if name in shown else "", patient))


def _real(duke: Path, folder: Path) -> list[tuple[str, str, str]]:
    rows = []
    with (duke / "index.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["subject"] not in LEARNED_PATIENTS:
                continue
            picture = Image.open(duke / "images" / row["file"])
            found = FLUID if int(row["fluid_pixels"]) else ""
            for time in range(TIMES):
                name = f"{Path(row['file']).stem}_{time}.png"
                picture.save(folder / name)
                rows.append((name, found, f"duke{row['subject']}"))
    return rows


def _phantoms(stated: argparse.Namespace, folder: Path) -> list[tuple[str, str, str]]:
    """One B-scan a phantom: with a lesion, or with none, in turns where the phantom allows it."""
    folders = stated.stacks or [stated.out / "stacks"]
    if stated.stacks is None:
        for seed in range(FIRST_SEED, FIRST_SEED + stated.phantoms):
            if not sample_path(seed, folders[0]).exists():
                write_stack(seed, folders[0])
    paths = [path for one in folders for path in sorted(one.glob("*.npz"))][: stated.phantoms]
    rows, rng = [], np.random.default_rng(0)
    for path in paths:
        with np.load(path) as stack:
            if str(stack["device"]) != SCANNER:
                continue
            images, codes = stack["image"], stack["codes"]
        shown = {name: np.isin(codes, labels).sum(axis=(1, 2)) for name, labels in LESIONS.items()}
        sure = np.all([(n == 0) | (n >= FEWEST_PIXELS) for n in shown.values()], axis=0)
        lesion = sure & np.any([n > 0 for n in shown.values()], axis=0)
        wanted = sure & (lesion if len(rows) % 2 else ~lesion)
        left = np.flatnonzero(wanted if wanted.any() else sure)
        if len(left) == 0:
            continue
        at = int(rng.choice(left))
        Image.fromarray(images[at]).save(folder / f"{path.stem}.png")
        found = ";".join(name for name, pixels in shown.items() if pixels[at])
        rows.append((f"{path.stem}.png", found, path.stem))
    return rows


def _once(command: str, folder: Path) -> None:
    """Run a command unless its folder holds a result; what a killed one left is removed."""
    if not any((folder / name).exists() for name in (HITS, PICTURES)):
        shutil.rmtree(folder, ignore_errors=True)
        _do(f"{command} --out {folder}")


def _do(command: str) -> None:
    print(f"retina-triage {command}", flush=True)
    code = retina_triage(shlex.split(command))
    if code:
        sys.exit(code)


if __name__ == "__main__":
    main()
