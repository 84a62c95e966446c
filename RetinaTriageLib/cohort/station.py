"""A place where scans are worked: reading processes, one set of networks, writing processes.

Each scan is followed by a thread of its own, which mostly waits. While one scan is computed, the
next ones are read and the last ones written; how many there are at a time is up to the caller.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from RetinaTriageLib.cohort.case_row import CaseName, case_row
from RetinaTriageLib.cohort.helper_pool import (
    HelperDiedError,
    HelperPool,
    HelperTimeoutError,
    Limits,
    UnexpectedTaskError,
)
from RetinaTriageLib.cohort.models import Models
from RetinaTriageLib.cohort.plan import CohortPlan, Outcome
from RetinaTriageLib.cohort.read_task import (
    ListScans,
    ReadScan,
    Scan,
    holds_several,
    read_task,
)
from RetinaTriageLib.cohort.store import CohortStore
from RetinaTriageLib.cohort.units import Facts, Failure, Unit, case_id, failure_of
from RetinaTriageLib.cohort.write_task import WriteCase, write_task
from RetinaTriageLib.errors import (
    CancelledError,
    DeviceError,
    InputError,
    MissingPackageError,
    RetinaTriageError,
)
from RetinaTriageLib.progress import OnProgress, Progress
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.volume import DeviceFamily

if TYPE_CHECKING:
    from RetinaTriageLib.bscan_verdict import BscanVerdict
    from RetinaTriageLib.networks.patient import Patient

READ_MEMORY_BYTES = 10 << 30  # volumes have at most 2 GiB; readers hold a few copies
MACHINE_ERRORS = (DeviceError, HelperDiedError, HelperTimeoutError, UnexpectedTaskError)
"""What another try on the same file may not meet again."""


class Station:
    """Works scans with the same bundles; `work` may be called by several threads at once.

    One thread has to `compute` for them: the thread that the heap of the process belongs to is
    fastest.
    """

    def __init__(self, plan: CohortPlan, models: Models) -> None:
        self._plan, self._models = plan, models
        self._store = CohortStore(plan.out_dir)
        limits = Limits(plan.helpers.read_seconds, READ_MEMORY_BYTES)
        self.readers = HelperPool(read_task, plan.helpers.readers, limits)
        self.writers = HelperPool(write_task, plan.helpers.writers)
        self._jobs: queue.SimpleQueue[tuple[Scan, Future[_Computed]] | None] = queue.SimpleQueue()
        self._stopped = threading.Event()

    def work(self, unit: Unit) -> Outcome:
        """Work all scans of a unit that have no case yet.

        Raises
        ------
        OutputError
            If a case cannot be written.
        CancelledError
            If the station was stopped; the scans of the unit that are done stay.
        """
        try:
            scans = self._scans(unit)
        except (InputError, *MACHINE_ERRORS) as error:
            self._require_going()
            return Outcome(unit, failures=(_failure(_Scan(unit, unit.series), error),))
        return together(unit, [self._work_scan(scan) for scan in scans])

    def compute(self) -> None:
        """Compute what reading threads bring, until the station is closed."""
        while (job := self._jobs.get()) is not None:
            scan, answer = job
            try:
                answer.set_result(self._triage(scan))
            except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for it
                answer.set_exception(error)
            del job, scan, answer  # or the volume stays in memory until the next one comes

    def stop(self) -> None:
        """Let scans that are not yet being written end without a case."""
        self._stopped.set()

    def close(self) -> None:
        """End all processes and `compute`."""
        self.stop()
        self._jobs.put(None)
        self.readers.close()
        self.writers.close()

    def _scans(self, unit: Unit) -> list[_Scan]:
        if not holds_several(unit.path):
            return [_Scan(unit, unit.series)]
        found = self.readers.ask(ListScans(unit.path))
        if found.parts and unit.series is None:
            parts = [
                replace(unit, name=f"{unit.name}/{path.name}", path=path, apart=True)
                for path in found.parts
            ]
            return [scan for part in parts for scan in self._scans_of_part(part)]
        if unit.series is None:
            return [_Scan(unit, entry.number, entry.refused) for entry in found.entries]
        return [_Scan(unit, unit.series)]

    def _scans_of_part(self, part: Unit) -> list[_Scan]:
        try:
            return self._scans(part)
        except InputError as error:
            return [_Scan(part, None, str(error))]

    def _work_scan(self, scan: _Scan) -> Outcome:
        unit, series = scan.unit, scan.series
        self._require_going()
        if self._store.is_done(unit, series):
            return Outcome(unit, present=1)
        try:
            if scan.refused:
                raise InputError(scan.refused)
            read = self._read(scan)
            result, said, seconds = self._computed(read)
            name = CaseName(case_id(unit, series), unit.name, series, read.facts)
            del read
            stored = self._store.stored_of(unit, case_row(result, name, said))
            folder = self._store.case_folder(unit, series)
            self.writers.ask(WriteCase(result, folder, stored, self._plan.save))
        except (InputError, *MACHINE_ERRORS) as error:
            self._require_going()
            return Outcome(unit, failures=(_failure(scan, error),))
        return Outcome(unit, present=1, worked=1, compute_seconds=seconds)

    def _read(self, scan: _Scan) -> Scan:
        unit, series = scan.unit, scan.series
        request = ReadScan(
            unit.path, series, case_id(unit, series), unit.facts, self._plan.keep_identifiers
        )
        read: Scan = self.readers.ask(request)
        if unit.apart and read.volume.shape[0] == 1:
            msg = (
                f"{unit.name} is one B-scan of a folder of which another file cannot be read. "
                "Copy or export the folder again."
            )
            raise InputError(msg)
        return read

    def _computed(self, scan: Scan) -> _Computed:
        answer: Future[_Computed] = Future()
        self._jobs.put((scan, answer))
        return answer.result()

    def _triage(self, scan: Scan) -> _Computed:
        from RetinaTriageLib.pipeline import TriageOptions, triage

        start = time.perf_counter()
        said: list[str] = []

        def on_progress(progress: Progress) -> None:
            self._require_going()
            if progress.message:
                said.append(progress.message)

        facts, plan = scan.facts, self._plan
        options = TriageOptions(
            operating_point=plan.operating_point,
            patient=_patient(facts),
            compute=plan.compute,
            slab_bscans=plan.slab_bscans,
            scanner=None if DeviceFamily.named(facts.scanner) else facts.scanner,
        )
        self._require_going()
        try:
            result = triage(scan.volume, self._models.maps, options, on_progress=on_progress)
            result = replace(result, bscan_verdict=self._beside(scan, on_progress))
        except RetinaTriageError:
            raise
        except Exception as error:
            msg = f"{type(error).__name__}: {error}. Report it with the file."
            raise UnexpectedTaskError(msg) from error
        return result, tuple(said), time.perf_counter() - start

    def _beside(self, scan: Scan, on_progress: OnProgress) -> BscanVerdict | None:
        """Verdict of the whole-image classifiers; None without them."""
        if self._models.images is None:
            return None
        from RetinaTriageLib.inference.compute import choose_compute
        from RetinaTriageLib.inference.judge_images import judge_bscans

        compute = choose_compute(self._plan.compute)
        return judge_bscans(
            scan.volume, self._models.images, compute=compute, on_progress=on_progress
        )

    def _require_going(self) -> None:
        if self._stopped.is_set():
            msg = "The work was stopped."
            raise CancelledError(msg)


@dataclass(frozen=True)
class _Scan:
    """One scan of a unit; ``refused`` says why it cannot be read."""

    unit: Unit
    series: int | None
    refused: str | None = None


_Computed = tuple[TriageResult, tuple[str, ...], float]


def together(unit: Unit, outcomes: Sequence[Outcome]) -> Outcome:
    """Outcome of a unit from those of its scans."""
    return Outcome(
        unit,
        sum(outcome.present for outcome in outcomes),
        sum(outcome.worked for outcome in outcomes),
        tuple(failure for outcome in outcomes for failure in outcome.failures),
        sum(outcome.compute_seconds for outcome in outcomes),
    )


def _failure(scan: _Scan, error: RetinaTriageError) -> Failure:
    lasting = not isinstance(error, (*MACHINE_ERRORS, MissingPackageError))
    return failure_of(scan.unit, str(error), scan.series, lasting=lasting)


def _patient(facts: Facts) -> Patient:
    from RetinaTriageLib.networks.patient import Patient, Sex

    sex = None if facts.sex is None else Sex[facts.sex.upper()]
    return Patient(facts.age, sex, facts.visual_acuity)
