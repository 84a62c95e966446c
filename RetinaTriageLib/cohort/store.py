"""The folder of a cohort: its settings, its failures, and its tables, made of what cases hold.

A case is done when its folder is there, with its row in it. The tables are made of these rows
alone, so however often a run was stopped, they come out the same.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from RetinaTriageLib.cohort.cohort_rows import CASES_FOLDER
from RetinaTriageLib.cohort.table import Column, Row, write_tables
from RetinaTriageLib.cohort.units import Failure, Unit, case_id, facts_fields, file_state
from RetinaTriageLib.cohort.write_task import Stored, read_stored
from RetinaTriageLib.errors import OutputError
from RetinaTriageLib.writers.file_lock import locked_file
from RetinaTriageLib.writers.whole_files import whole_files
from RetinaTriageLib.writers.whole_folder import recover_folder

SETTINGS_FILE, LOCK_FILE, FAILED_FOLDER = "cohort.json", ".lock", "failed"

Json = dict[str, Any]


@dataclass(frozen=True)
class CohortStore:
    """Folder of a cohort; several processes may ask it, one at a time may run on it."""

    out_dir: Path

    @property
    def cases(self) -> Path:
        """Folder of all cases."""
        return self.out_dir / CASES_FOLDER

    def case_folder(self, unit: Unit, series: int | None) -> Path:
        """Folder of one case, there or not."""
        return self.cases / case_id(unit, series)

    def begin(self, settings: Json) -> None:
        """Make the folder, or take up an earlier run of the same settings; remove its leavings.

        Raises
        ------
        OutputError
            If it holds something else, a cohort of other settings, or cannot be written.
        """
        path = self.out_dir / SETTINGS_FILE
        found = _read_json(path)
        if found is None:
            self._require_free()
            with whole_files(path) as (partial,):
                partial.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
        elif found != settings:
            differ = sorted(
                key for key in {*found, *settings} if found.get(key) != settings.get(key)
            )
            said = ", ".join(f"{key} {found.get(key)!r}" for key in differ)
            msg = (
                f"{self.out_dir} holds a cohort of other settings ({said}); expected the same, as "
                "its rows would not compare. Choose another folder for --out."
            )
            raise OutputError(msg)
        self.cases.mkdir(exist_ok=True)
        (self.out_dir / FAILED_FOLDER).mkdir(exist_ok=True)
        self.tidy()

    def tidy(self) -> None:
        """Remove what killed processes left behind; bring back cases that were being replaced."""
        for former in sorted(self.cases.glob(".*.former")):
            recover_folder(self.cases / former.name[1:].rsplit(".", 2)[0])
        for left in [*self.cases.glob(".*.partial"), *self.cases.glob(".*.former")]:
            shutil.rmtree(left, ignore_errors=True)

    def stored_of(self, unit: Unit, row: Row) -> Stored:
        """Content of ``row.json`` of a case that was just worked."""
        return {"row": dict(row), **self._asked(unit)}

    def is_done(self, unit: Unit, series: int | None) -> bool:
        """Tell whether a scan has its case, made of the same file with the same facts."""
        stored = read_stored(self.case_folder(unit, series))
        if stored is None:
            return False
        try:
            asked = self._asked(unit)
        except OSError:
            return False
        return all(stored.get(key) == value for key, value in asked.items())

    def keep_failures(self, unit: Unit, failures: Sequence[Failure]) -> None:
        """Store why a unit gave no case at all, where trying again would not change it."""
        try:
            state = file_state(unit.path)
        except OSError:
            state = {}
        fields = {
            "failures": [asdict(failure) for failure in failures],
            "facts": facts_fields(unit.facts),
            "state": state,
        }
        with whole_files(self._failure_file(unit)) as (partial,):
            partial.write_text(json.dumps(fields, ensure_ascii=False) + "\n", encoding="utf-8")

    def failures_of(self, unit: Unit) -> tuple[Failure, ...]:
        """Failures of an earlier run, if the file is still the same; else none."""
        fields = _read_json(self._failure_file(unit)) or {}
        try:
            same = fields["state"] == file_state(unit.path)
            if not same or fields["facts"] != facts_fields(unit.facts):
                return ()
            return tuple(Failure(**failure) for failure in fields["failures"])
        except (OSError, KeyError, TypeError):
            return ()

    def rows(self) -> Iterator[Row]:
        """Rows of all cases."""
        for folder in sorted(self.cases.iterdir()):
            stored = None if folder.name.startswith(".") else read_stored(folder)
            if stored is not None:
                yield stored["row"]

    def write_tables(self, columns: Sequence[Column], failures: Sequence[Failure]) -> int:
        """Write the tables; returns the number of rows.

        A file that fails as a whole has no row, even if an earlier run made one of it.
        """
        whole = {failure.file for failure in failures if failure.series is None}
        rows = [row for row in self.rows() if row["file"] not in whole]
        failed = [
            {
                "file": failure.file,
                "series": failure.series,
                "reason": failure.reason,
                "what_to_do": failure.what_to_do,
            }
            for failure in failures
        ]
        write_tables(self.out_dir, columns, rows, failed)
        return len(rows)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs off the folder; a killed run lets go of it.

        Raises
        ------
        OutputError
            If another run works on it, or it holds something else, which stays as it is.
        """
        if self.out_dir.is_dir() and not (self.out_dir / SETTINGS_FILE).exists():
            self._require_free()
        try:
            self.out_dir.mkdir(parents=True, exist_ok=True)
            (self.out_dir / LOCK_FILE).touch()
        except OSError as error:
            msg = f"{self.out_dir} cannot be written ({error}). Choose another folder."
            raise OutputError(msg) from error
        with locked_file(self.out_dir / LOCK_FILE) as is_free:
            if not is_free:
                msg = f"Another run works on {self.out_dir}; wait for it, or choose another folder."
                raise OutputError(msg)
            yield

    def _asked(self, unit: Unit) -> Json:
        return {"facts": facts_fields(unit.facts), "bytes": file_state(unit.path)["bytes"]}

    def _failure_file(self, unit: Unit) -> Path:
        return self.out_dir / FAILED_FOLDER / f"{case_id(unit, unit.series)}.json"

    def _require_free(self) -> None:
        found = [path.name for path in self.out_dir.iterdir() if path.name != LOCK_FILE]
        if found:
            msg = (
                f"{self.out_dir} holds {found[0]} and is no folder of a cohort; expected an empty "
                "or new one. Choose another folder for --out."
            )
            raise OutputError(msg)


def _read_json(path: Path) -> Json | None:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return fields if isinstance(fields, dict) else None
