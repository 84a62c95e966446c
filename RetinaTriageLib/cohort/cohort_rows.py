"""Rows of ``cohort.csv`` and ``failures.csv`` as those need them who browse, plot and read cases.

Everything is text of a file that anybody may have edited: case names are used as folders only
where they are plain, and numbers only where they are numbers.
"""

from __future__ import annotations

import csv
import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import DECISION_LEVEL
from RetinaTriageLib.outcomes import CONDITIONS, REFERRAL

COHORT_FILE, FAILURES_FILE = "cohort.csv", "failures.csv"
CASES_FOLDER = "cases"
SPREAD = "_spread"
REFERRAL_PREFIX, CONDITION_PREFIX = "referral_", "condition_"
NORMAL = CONDITIONS.outcomes[0].name
CST = "central_subfield_um"
BSCAN_DIFFERS = "bscan_differs"  # "yes" where B-scan classifier and tissue maps disagree
BSCAN_SAID = "bscan_disagreement"

TITLES: Mapping[str, str] = {
    outcome.name: outcome.title for head in (REFERRAL, CONDITIONS) for outcome in head.outcomes
}


@dataclass(frozen=True)
class CohortRow:
    """One worked case: its cells as text, by column."""

    case_id: str
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """Text of a cell; empty where the table has no such column."""
        return self.cells.get(column, "").strip()

    def number(self, column: str) -> float:
        """Value of a cell; NaN where it holds no finite number."""
        try:
            value = float(self.text(column))
        except ValueError:
            return math.nan
        return value if math.isfinite(value) else math.nan

    @property
    def alias(self) -> str:
        """Name of the case without that of its file, which may name a person.

        Examples
        --------
        >>> CohortRow("Miller_left-3df6231c63", {}).alias
        'case 3df6231c63'
        """
        stem, _, digits = self.case_id.rpartition("-")
        if not stem or re.fullmatch("[0-9a-f]{10}", digits) is None:
            digits = hashlib.sha256(self.case_id.encode("utf-8", "replace")).hexdigest()[:10]
        return f"case {digits}"

    @property
    def disagreement(self) -> float:
        """How much the opinions differ; NaN where it is unknown."""
        return self.number("disagreement")

    @property
    def referral_score(self) -> float:
        """Score of the decided referral."""
        return self.number(REFERRAL_PREFIX + self.text("referral"))


@dataclass(frozen=True)
class CohortRows:
    """The table of a cohort.

    Attributes
    ----------
    referrals, conditions : names of the outcomes in the order of the columns, which is that of the
        bundle: the most urgent referral comes first
    """

    columns: tuple[str, ...]
    rows: tuple[CohortRow, ...]
    referrals: tuple[str, ...]
    conditions: tuple[str, ...]

    def urgency(self, row: CohortRow) -> int:
        """Rank of the decided referral, 0 is the most urgent; the last rank where it is unknown."""
        name = row.text("referral")
        return self.referrals.index(name) if name in self.referrals else len(self.referrals)

    def decided_conditions(self, row: CohortRow) -> tuple[str, ...]:
        """Names of the decided conditions: those that the table names, or that the scores decide.

        Of scores, "normal" counts only where it is alone.
        """
        if CONDITIONS.name in self.columns:
            named = set(re.split(r"[;,\s]+", row.text(CONDITIONS.name)))
            return tuple(name for name in self.conditions if name in named)
        names = [
            name
            for name in self.conditions
            if row.number(CONDITION_PREFIX + name) >= DECISION_LEVEL
        ]
        return tuple(name for name in names if name != NORMAL or names == [NORMAL])


def read_cohort(out_dir: Path) -> CohortRows:
    """Read ``cohort.csv`` of a cohort's folder.

    Raises
    ------
    InputError
        If there is none, or it is no such table.
    """
    columns, rows = read_csv(out_dir / COHORT_FILE)
    if "case_id" not in columns:
        msg = (
            f"Found {COHORT_FILE} in {out_dir} without the column case_id; expected the table "
            "that `retina-triage cohort` writes. Run it again."
        )
        raise InputError(msg)
    return CohortRows(
        columns,
        tuple(CohortRow(row["case_id"], row) for row in rows),
        _outcomes(columns, REFERRAL_PREFIX),
        _outcomes(columns, CONDITION_PREFIX),
    )


def read_failures(out_dir: Path) -> tuple[tuple[str, ...], tuple[Mapping[str, str], ...]]:
    """Columns and rows of ``failures.csv``; none where there is no such file."""
    path = out_dir / FAILURES_FILE
    return read_csv(path) if path.exists() else ((), ())


def case_folder(out_dir: Path, case_id: str) -> Path:
    """Folder of a case.

    Raises
    ------
    InputError
        If the name would lead out of the folder of all cases.
    """
    if not is_plain(case_id):
        msg = (
            f"Found the case name {case_id!r} in {COHORT_FILE}; expected a plain name without "
            "separators. The table was altered: run the cohort again."
        )
        raise InputError(msg)
    return out_dir / CASES_FOLDER / case_id


def is_plain(name: str) -> bool:
    """Tell whether a text is the name of one file or folder, on every system."""
    separators = set("/\\:\0")
    return name not in ("", ".", "..") and not separators & set(name) and name.isprintable()


def title_of(name: str) -> str:
    """Title of a referral or condition; a bundle's own name as a person reads it."""
    return TITLES.get(name, name.replace("_", " ").capitalize())


def _outcomes(columns: tuple[str, ...], prefix: str) -> tuple[str, ...]:
    names = [column.removeprefix(prefix) for column in columns if column.startswith(prefix)]
    return tuple(name for name in names if not name.endswith(SPREAD))


def read_csv(path: Path) -> tuple[tuple[str, ...], tuple[Mapping[str, str], ...]]:
    """Columns and rows of a table; cells that a row lacks are empty.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, restval="")
            rows = tuple({k: v for k, v in row.items() if k is not None} for row in table)
            return tuple(table.fieldnames or ()), rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = (
            f"{path} cannot be read ({error}); expected the folder that `retina-triage cohort` "
            "wrote."
        )
        raise InputError(msg) from error
