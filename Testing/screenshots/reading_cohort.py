"""Ten phantoms as a cohort, for the pictures of a reading session: scans, list, and the tables.

Run it with a Python that has the library and torch: ``make reading-session``. What is there already
is kept, so a stopped run goes on.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BSCANS = 15
# Seed and diseases; None draws them. A mixed clinic, from nothing to new vessels.
EYES: tuple[tuple[int, list[str] | None], ...] = (
    (11, ["drusen"]),
    (12, ["cnv"]),
    (13, []),
    (14, ["macular_retinal_edema"]),
    (15, None),
    (16, None),
    (17, None),
    (18, None),
    (19, None),
    (20, None),
)
SCANS, LIST, TRUTH, COHORT = "scans", "list.csv", "truth.csv", "ten_phantoms"


def main(folder: Path) -> int:
    """Make scans, list, truth and cohort in a folder; returns the exit code."""
    from RetinaTriageLib.cli.main import main as run_command
    from RetinaTriageLib.phantoms.devices import SPECTRALIS, with_bscans
    from RetinaTriageLib.phantoms.eye import diseases_named
    from RetinaTriageLib.phantoms.phantom import make_phantom
    from RetinaTriageLib.writers.volume_file import write_volume

    scans = folder / SCANS
    scans.mkdir(parents=True, exist_ok=True)
    listed, truth = [], []
    for number, (seed, diseases) in enumerate(EYES, start=1):
        name = f"phantom_{seed}.nrrd"
        phantom = make_phantom(
            seed, with_bscans(SPECTRALIS, BSCANS), diseases=diseases_named(diseases)
        )
        if not (scans / name).exists():
            write_volume(phantom.volume, scans / name)
        age, sex = 52 + 3 * number, ("female", "male")[number % 2]
        listed.append((name, phantom.placement.laterality.value, "spectralis", age, sex))
        truth.append((name, phantom.truth.referral, ";".join(phantom.truth.conditions)))
    _write(scans / LIST, ("file", "laterality", "scanner", "age", "sex"), listed)
    _write(folder / TRUTH, ("file", "referral", "conditions"), truth)
    return run_command(["cohort", str(scans / LIST), "--out", str(folder / COHORT)])


def _write(path: Path, columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows(rows)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(Path(sys.argv[1])))
