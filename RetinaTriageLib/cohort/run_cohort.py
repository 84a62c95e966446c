"""The whole job of a cohort: scans in, one table with a case each out; stopped runs go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from RetinaTriageLib.cohort.bscan_cells import bscan_columns
from RetinaTriageLib.cohort.discover import find_scans
from RetinaTriageLib.cohort.duplicates import without_duplicates
from RetinaTriageLib.cohort.index_page import write_index
from RetinaTriageLib.cohort.listing import read_list
from RetinaTriageLib.cohort.local_engine import OnOutcome, work_locally
from RetinaTriageLib.cohort.models import Models, load_models
from RetinaTriageLib.cohort.plan import CohortPlan, Outcome
from RetinaTriageLib.cohort.plots import write_plots
from RetinaTriageLib.cohort.read_task import holds_several
from RetinaTriageLib.cohort.store import CohortStore
from RetinaTriageLib.cohort.table import cohort_columns
from RetinaTriageLib.cohort.units import NO_FACTS, Facts, Failure, Unit
from RetinaTriageLib.errors import DeviceError
from RetinaTriageLib.version import VERSION

MOST_FAILURES_IN_A_ROW = 5
"""So many scans that the machine failed at, and not the file, end a run."""

Engine = Callable[[CohortPlan, Models, Sequence[Unit], OnOutcome], float]
"""Works units, and says how many sets of networks it had."""


@dataclass(frozen=True)
class Inputs:
    """Scans of a cohort.

    Attributes
    ----------
    failures : of scans that need no reading to be refused
    said : sentences on what is not worked
    """

    units: tuple[Unit, ...]
    failures: tuple[Failure, ...] = ()
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Count:
    """How far a run is; all but ``seconds`` count files and folders."""

    total: int
    done: int
    failed: int
    seconds: float


OnCount = Callable[[Count], None]


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes
    ----------
    rows, failures : of the tables, those of earlier runs included
    worked : scans computed in this run
    computing : share of the time in which the networks computed, NaN where nothing was worked
    """

    rows: int
    failures: int
    worked: int
    seconds: float
    computing: float


def find_inputs(source: Path, out_dir: Path, facts: Facts = NO_FACTS) -> Inputs:
    """Find the scans of a folder or CSV list, without those whose content came before.

    Parameters
    ----------
    facts : of every scan, where a list does not say otherwise

    Raises
    ------
    InputError
        If there is no such folder or list, or nothing in it.
    """
    if source.is_dir() or not source.name.lower().endswith(".csv"):
        found = find_scans(source, out_dir)
        count = sum(found.left_out.values())
        endings = ", ".join(
            f"{n} {end or 'no ending'}" for end, n in sorted(found.left_out.items())
        )
        said = (f"{count} files are no scans and were left out ({endings}).",) if count else ()
        units, failures = found.units, tuple[Failure, ...]()
    else:
        listed = read_list(source)
        unused = ", ".join(listed.unused)
        said = (f"Columns of the list that are not used: {unused}.",) if unused else ()
        units, failures = listed.units, listed.failures
    units = tuple(replace(unit, facts=_stated(unit.facts, facts)) for unit in units)
    kept, duplicates = without_duplicates(units)
    return Inputs(kept, failures + duplicates, said)


def run_cohort(
    plan: CohortPlan, inputs: Inputs, engine: Engine, on_count: OnCount = lambda _count: None
) -> Summary:
    """Work all scans that have no case yet, and write the tables, plots and page of all.

    Raises
    ------
    BundleError
        If the bundle cannot be used.
    OutputError
        If the folder cannot be used or written.
    DeviceError
        If the machine failed at several scans in a row.
    """
    models = load_models(plan)
    beside = () if models.task is None else bscan_columns(models.task)
    columns = cohort_columns(models.maps.vocabulary, beside)
    store = CohortStore(plan.out_dir)
    with store.locked():
        store.begin(plan.settings(models.maps.sha256, VERSION, models.images_sha256))
        run = _Run(store, inputs, on_count)
        units = run.left()
        start = time.perf_counter()
        stations = 1.0
        try:
            if units:
                stations = engine(plan, models, units, run.take)
        finally:
            seconds = time.perf_counter() - start
            store.tidy()
            rows = store.write_tables(columns, run.failures)
        write_plots(plan.out_dir)
        write_index(plan.out_dir)
    computing = run.compute_seconds / (seconds * stations) if run.worked else float("nan")
    return Summary(rows, len(run.failures), run.worked, seconds, computing)


def local_engine(
    plan: CohortPlan, models: Models, units: Sequence[Unit], on_outcome: OnOutcome
) -> float:
    """Work on this machine."""
    work_locally(plan, models, units, on_outcome)
    return 1.0


class _Run:
    """Outcomes of a run as they come in."""

    def __init__(self, store: CohortStore, inputs: Inputs, on_count: OnCount) -> None:
        self._store, self._inputs, self._on_count = store, inputs, on_count
        self.failures = list(inputs.failures)
        self.worked = 0
        self.compute_seconds = 0.0
        self._total = len(inputs.units) + len(inputs.failures)
        self._done = len(inputs.failures)
        self._in_a_row = 0
        self._start = time.perf_counter()

    def left(self) -> list[Unit]:
        """Units that earlier runs did not finish."""
        units = []
        for unit in self._inputs.units:
            failures = self._store.failures_of(unit)
            if failures or (
                not holds_several(unit.path) and self._store.is_done(unit, unit.series)
            ):
                self.failures += failures
                self._done += 1
            else:
                units.append(unit)
        self._tell()
        return units

    def take(self, outcome: Outcome) -> None:
        """Take in what became of one unit.

        Raises
        ------
        DeviceError
            If the machine failed at several units in a row.
        """
        self._done += 1
        self.worked += outcome.worked
        self.compute_seconds += outcome.compute_seconds
        self.failures += outcome.failures
        passing = [failure for failure in outcome.failures if not failure.lasting]
        if outcome.failures and not passing and not outcome.present:
            self._store.keep_failures(outcome.unit, outcome.failures)
        self._in_a_row = self._in_a_row + 1 if passing else 0
        self._tell()
        if self._in_a_row >= MOST_FAILURES_IN_A_ROW:
            msg = (
                f"{self._in_a_row} scans in a row failed, the last one with: {passing[-1].reason} "
                f"{passing[-1].what_to_do} Then run the same command again; it goes on."
            )
            raise DeviceError(msg)

    def _tell(self) -> None:
        seconds = time.perf_counter() - self._start
        self._on_count(Count(self._total, self._done, len(self.failures), seconds))


def _stated(own: Facts, common: Facts) -> Facts:
    return replace(
        own,
        scanner=own.scanner or common.scanner,
        spacing_um=own.spacing_um or common.spacing_um,
    )
