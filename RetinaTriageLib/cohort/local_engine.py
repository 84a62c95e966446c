"""A cohort on one machine: reading, computing and writing overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Thread

from RetinaTriageLib.cohort.models import Models
from RetinaTriageLib.cohort.plan import CohortPlan, Outcome
from RetinaTriageLib.cohort.station import Station
from RetinaTriageLib.cohort.units import Unit

OnOutcome = Callable[[Outcome], None]


def work_locally(
    plan: CohortPlan, models: Models, units: Sequence[Unit], on_outcome: OnOutcome
) -> None:
    """Work all units; the calling thread computes, others read and write.

    Ctrl-C lets cases that are being written be finished and leaves the rest undone.

    Raises
    ------
    OutputError
        If a case cannot be written.
    """
    station = Station(plan, models)
    driver = _Driver(station, units, on_outcome, plan.helpers.in_flight)
    driver.start()
    try:
        station.compute()
    except BaseException:
        station.stop()
        finishing = Thread(target=station.compute)  # answers those who still wait
        finishing.start()
        driver.join()
        finishing.join()
        raise
    driver.join()
    if driver.error is not None:
        raise driver.error


class _Driver(Thread):
    """Follows a bounded number of units at a time; ends the station after the last one."""

    def __init__(
        self, station: Station, units: Sequence[Unit], on_outcome: OnOutcome, in_flight: int
    ) -> None:
        super().__init__(name="cohort driver")
        self._station, self._units = station, units
        self._on_outcome, self._in_flight = on_outcome, in_flight
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with ThreadPoolExecutor(self._in_flight, "scan") as threads:
                self._follow(threads, iter(self._units))
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            self.error = error
        finally:
            self._station.close()

    def _follow(self, threads: ThreadPoolExecutor, units: Iterator[Unit]) -> None:
        pending: set[Future[Outcome]] = set()
        try:
            while True:
                while len(pending) < self._in_flight and (unit := next(units, None)) is not None:
                    pending.add(threads.submit(self._station.work, unit))
                if not pending:
                    return
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    self._on_outcome(future.result())
        except BaseException:
            self._station.stop()
            raise
