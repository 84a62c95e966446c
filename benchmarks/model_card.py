"""Measure a bundle on everything that its model card states, and write the tables in Markdown.

    python benchmarks/model_card.py --bundle BUNDLE --data DATA --seeds FROM COUNT --out FOLDER

Every part is one `retina-triage evaluate` command, printed before it runs, whose JSON stays in the
folder. A part that is there already is not measured again. DATA is a folder with the public data
sets that the card names; what is missing there is called "not measured". The check against
diabetic macular edema runs only with --final: it is meant for one bundle, once, at the end.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from RetinaTriageLib.bundle import load_bundle
from RetinaTriageLib.evaluation.card_phantoms import (
    auc_table,
    confusion_table,
    dice_table,
    gain_table,
    phantom_table,
)
from RetinaTriageLib.evaluation.card_tables import (
    condition_lines,
    eye_table,
    fluid_table,
    line_table,
)

EVALUATE = (sys.executable, "-m", "RetinaTriageLib.cli.main", "evaluate")
DUKE_SPACING_UM = ("123", "3.87", "11.5")  # assumed: lateral and B-scan spacing are not recorded
DUKE_VALIDATION = "S0[89]_*"
# First and last A-scan on which the grader marked fluid anywhere in the 77 B-scans of the set.
DUKE_COLUMNS = ("99", "617")
SPECTRALIS_EYES = ("amd_patient1", "amd_patient2", "healthy_subject1", "healthy_subject3")

Tables = tuple[tuple[str, Callable[[Any], str]], ...]


@dataclass(frozen=True)
class Part:
    """One command, the data that it needs, and the tables made of its JSON.

    Attributes
    ----------
    prints_json : False for commands whose result is a picture
    goes_on : True for a command that keeps what it has, and is asked again each time
    """

    name: str
    title: str
    words: tuple[str, ...]
    needs: Path | None
    tables: Tables
    prints_json: bool = True
    goes_on: bool = False


def parts(asked: argparse.Namespace) -> Iterator[Part]:
    """Every part, in the order of the card."""
    data, out = asked.data, asked.out
    phantoms = ["phantoms", "--seeds", *map(str, asked.seeds), "--out", str(out / "phantoms")]
    phantoms += ["--bscans", str(asked.bscans)] if asked.bscans else []
    phantoms += ["--minutes", str(asked.minutes)] if asked.minutes else []
    yield Part(
        "phantoms",
        "Phantoms",
        (*phantoms, "--json"),
        None,
        (
            ("Main figures", phantom_table),
            ("Tissues", dice_table),
            ("Conditions", auc_table),
            ("Referral, all scanners", confusion_table),
            ("Ensemble against its best member", gain_table),
        ),
        goes_on=True,
    )
    volumes = data / "spectralis_volumes"
    eyes = [str(volumes / eye) for eye in SPECTRALIS_EYES]
    yield Part(
        "eyes",
        "Spectralis volumes, beside the device's table",
        ("device-table", *eyes, "--healthy", "healthy*", "--json"),
        volumes,
        (("", eye_table),),
    )
    sheet = ("--out", str(out / "eyes.png"), "--bscans", "6")
    yield Part("eyes_sheet", "", ("contact-sheet", *eyes, *sheet), volumes, (), prints_json=False)
    scan = data / "spectralis_vol" / "Willis_B_716_0.vol"
    lines = ("surfaces", str(scan), "--sheet", str(out / "lines.png"), "--json")
    yield Part("lines", "Device lines of a line scan", lines, scan, (("", line_table),))
    yield from _duke_parts(data / "duke_dme", out)
    samples = data / "kermany_samples"
    written = ("--sheet", str(out / "kermany.png"), "--table", str(out / "kermany.csv"))
    words = ("pictures", str(samples), "--scanner", "spectralis", *written)
    yield Part("kermany", "", words, samples, (), prints_json=False)
    if asked.final:
        folder = data / "mexico_dme"
        words = ("condition", str(folder), "--out", str(out / "mexico"), "--json")
        title = "Macular edema against DME, several scanners"
        yield Part("mexico", title, words, folder, (("", condition_lines),))


def _duke_parts(duke: Path, out: Path) -> Iterator[Part]:
    common = ("--scanner", "spectralis", "--spacing-um", *DUKE_SPACING_UM)
    fluid = ("fluid", str(duke), "--masks", "fluid_grader1", "--pattern", DUKE_VALIDATION, *common)
    yield Part(
        "fluid",
        "Duke fluid, patients 8 and 9, whole width",
        (*fluid, "--sheet", str(out / "fluid.png"), "--json"),
        duke,
        (("", fluid_table),),
    )
    yield Part(
        "fluid_columns",
        f"Duke fluid, A-scans {DUKE_COLUMNS[0]} to {DUKE_COLUMNS[1]}, where the grader marked any",
        (*fluid, "--columns", *DUKE_COLUMNS, "--json"),
        duke,
        (("", fluid_table),),
    )
    words = ("contact-sheet", str(duke / "images"), "--separate", *common)
    sheet = ("--bscans", "1", "--columns", "3", "--out", str(out / "duke.png"))
    yield Part("duke_sheet", "", (*words, *sheet), duke, (), prints_json=False)


def measure(part: Part, bundle: Path, out: Path) -> Any:
    """Facts of one part, measured where they are not there; None where its data is missing."""
    kept = out / f"{part.name}.json"
    if part.needs is not None and not part.needs.exists():
        return None
    if part.goes_on or not kept.exists():
        command = [*EVALUATE, *part.words, "--bundle", str(bundle)]
        print(shlex.join(command), file=sys.stderr, flush=True)
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        unfinished = kept.with_suffix(".part")
        text = done.stdout if part.prints_json else json.dumps({"printed": done.stdout})
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(kept)
    return json.loads(kept.read_text(encoding="utf-8"))


def card(facts: Mapping[str, Any], asked: argparse.Namespace) -> str:
    """Markdown of everything measured."""
    bundle = load_bundle(asked.bundle)
    lines = [
        f"# {bundle.manifest.name} {bundle.manifest.version}, measured\n",
        f"Bundle SHA-256 {bundle.sha256}. Trained on: {bundle.manifest.trained_on}\n",
    ]
    for part in parts(asked):
        if not part.tables:
            continue
        lines.append(f"## {part.title}\n")
        if facts[part.name] is None:
            lines.append(f"Not measured: {part.needs} is missing.\n")
            continue
        for title, table in part.tables:
            lines += [f"### {title}\n"] if title else []
            lines.append(table(facts[part.name]))
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing, then write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs=2, required=True, metavar=("FROM", "COUNT"))
    parser.add_argument("--bscans", type=int, help="of a phantom; default: the scanner's own")
    parser.add_argument("--minutes", type=float, help="for phantoms")
    parser.add_argument("--final", action="store_true", help="check against diabetic edema, too")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    stated, sha256 = asked.out / "bundle.sha256", load_bundle(asked.bundle).sha256
    if stated.exists() and stated.read_text(encoding="utf-8") != sha256:
        sys.exit(f"{asked.out} holds measurements of another bundle; choose a new folder.")
    stated.write_text(sha256, encoding="utf-8")
    facts = {part.name: measure(part, asked.bundle, asked.out) for part in parts(asked)}
    (asked.out / "tables.md").write_text(card(facts, asked), encoding="utf-8")
    print(asked.out / "tables.md")


if __name__ == "__main__":
    main()
