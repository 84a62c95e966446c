"""Folders of made-up cohorts, laid out as `retina-triage cohort` lays them out."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from RetinaTriageLib.outcomes import CONDITIONS, REFERRAL
from RetinaTriageLib.tissues import TISSUES

Row = dict[str, str]

COLUMNS = (
    "case_id",
    "file",
    "series",
    "patient_id",
    "visit_date",
    "age",
    "sex",
    "laterality",
    "device",
    "referral",
    *(f"referral_{name}{end}" for name in REFERRAL.names for end in ("", "_spread")),
    *(f"condition_{name}{end}" for name in CONDITIONS.names for end in ("", "_spread")),
    *(f"volume_{tissue.name}_nl" for tissue in TISSUES),
    "central_subfield_um",
    "disagreement",
    "assumed",
    "notes",
    "bundle",
    "bundle_version",
    "version",
)


def example_row(case_id: str, referral: str = "routine", **cells: str) -> Row:
    """Row of a case whose opinions agree, but for the cells given."""
    scores = {f"referral_{name}": "0.1" for name in REFERRAL.names}
    plain = {"file": f"{case_id}.nrrd", "laterality": "OD", "disagreement": "0.1"}
    bundle = {"bundle": "made up", "bundle_version": "1.0", "version": "0.1.0"}
    known = {"case_id": case_id, "referral": referral} | plain | bundle | scores
    return known | {f"referral_{referral}": "0.7"} | cells


def drawn_rows(count: int) -> list[Row]:
    """Rows as a clinic might have them: several visits an eye, few of them urgent."""
    rng = np.random.default_rng(0)
    rows = []
    for at in range(count):
        ranked = rng.choice(4, p=(0.15, 0.25, 0.35, 0.25))
        scores = rng.dirichlet(np.where(np.arange(4) == ranked, 8.0, 1.0))
        sick = rng.random(len(CONDITIONS.names)) ** 3
        patient = int(rng.integers(0, max(1, count // 3)))
        day = date(2024, 1, 10) + timedelta(days=int(rng.integers(0, 900)))
        cells = {f"referral_{n}": f"{s:.4f}" for n, s in zip(REFERRAL.names, scores, strict=True)}
        cells |= {f"referral_{name}_spread": f"{rng.random() / 8:.4f}" for name in REFERRAL.names}
        cells |= {f"condition_{n}": f"{s:.4f}" for n, s in zip(CONDITIONS.names, sick, strict=True)}
        for tissue in TISSUES:
            found = rng.random() < 0.4
            cells[f"volume_{tissue.name}_nl"] = f"{rng.lognormal(3, 1.5):.2f}" if found else "0"
        rows.append(
            example_row(
                f"case_{at + 1:04d}",
                REFERRAL.names[int(scores.argmax())],
                **cells,
                patient_id=f"P{patient:03d}",
                laterality=("OD", "OS")[patient % 2],
                visit_date=day.isoformat(),
                age=str(45 + patient % 40),
                sex=("female", "male")[patient // 2 % 2],
                device=("spectralis", "cirrus", "topcon")[patient % 3],
                central_subfield_um=f"{rng.normal(300, 45) + 60 * (ranked == 0):.1f}",
                disagreement=f"{rng.random() / 2:.4f}",
                notes="Made up, as an example." if at % 5 == 0 else "",
            )
        )
    return rows


def write_cohort(
    folder: Path, rows: Iterable[Row], failures: Iterable[Mapping[str, str]] = ()
) -> Path:
    """Write the tables of a cohort; its cases are for the caller to add."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "cohort.csv", COLUMNS, rows)
    _write(folder / "failures.csv", ("file", "series", "reason"), failures)
    return folder


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, restval="")
        table.writeheader()
        table.writerows(rows)
