"""A cohort on an existing Ray cluster: one model-holding actor a GPU, or one a few cores.

Ray places the actors and starts them again elsewhere when a node is lost. Scans that were with a
lost actor go to another one. Whoever works a scan writes its case, so that the case folder, which
all nodes share, tells what is done.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from RetinaTriageLib.cohort.local_engine import OnOutcome
from RetinaTriageLib.cohort.models import Models, load_models
from RetinaTriageLib.cohort.plan import CohortPlan, Outcome
from RetinaTriageLib.cohort.run_cohort import Engine
from RetinaTriageLib.cohort.station import Station
from RetinaTriageLib.cohort.store import SETTINGS_FILE
from RetinaTriageLib.cohort.units import Unit, failure_of
from RetinaTriageLib.errors import DeviceError, OutputError

TRIES = 3
MOST_STARTS = 20
WAIT_SECONDS = 5.0
STOP_SECONDS = 60.0
ANSWER_S = 5.0  # that a cluster has to answer in


def ray_engine(address: str = "auto", cpus: int = 4) -> Engine:
    """Engine that works on the Ray cluster at an address.

    Parameters
    ----------
    cpus : cores of each actor where the cluster has no GPU, or the plan wants none

    Raises
    ------
    DeviceError
        If Ray is not installed.
    """
    try:
        import ray  # noqa: F401 - asked for now, before the long work
    except ImportError as error:
        msg = "Found no Ray; install it with: pip install 'retina-triage[ray]'."
        raise DeviceError(msg) from error

    def work(
        plan: CohortPlan, _models: Models, units: Sequence[Unit], on_outcome: OnOutcome
    ) -> float:
        return work_on_ray(plan, units, on_outcome, address=address, cpus=cpus)

    return work


def work_on_ray(
    plan: CohortPlan, units: Sequence[Unit], on_outcome: OnOutcome, *, address: str, cpus: int
) -> float:
    """Work all units; returns the number of actors.

    Raises
    ------
    DeviceError
        If there is no cluster, or none of its nodes can work.
    OutputError
        If a case cannot be written, or nodes do not share the folder of the cohort.
    """
    import ray

    joined = not ray.is_initialized()
    try:
        if joined:
            _require_answer(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, OverflowError, RuntimeError, ValueError) as error:
        msg = f"Found no Ray cluster at {address} ({error}). Start one with: ray start --head"
        raise DeviceError(msg) from error
    crew = _Crew(plan, units, on_outcome, cpus)
    try:
        crew.work()
    finally:
        crew.dismiss()
        if joined:
            ray.shutdown()
    return float(crew.size)


def _require_answer(address: str) -> None:
    """Knock at a cluster's address; Ray itself would wait for minutes where nobody is.

    Raises
    ------
    OSError
        If nobody answers at a host and port; words such as "auto" are left to Ray.
    """
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_S).close()


class StationActor:
    """A station in a process that Ray started; `work` runs in several threads of it."""

    def __init__(self, plan: CohortPlan, threads: int | None) -> None:
        self._plan, self._threads = plan, threads
        self._lock = threading.Lock()
        self._station: Station | None = None

    def prepare(self) -> Station:
        """Load the bundle.

        Raises
        ------
        OutputError
            If this node does not see the folder of the cohort.
        BundleError
            If it cannot use the bundle.
        """
        with self._lock:
            if self._station is None:
                self._station = self._started()
            return self._station

    def ready(self) -> None:
        """Answer once the networks are loaded."""
        self.prepare()

    def work(self, unit: Unit) -> Outcome:
        """Work one unit, see `Station.work`."""
        return self.prepare().work(unit)

    def stop(self) -> None:
        """Let scans that are not yet being written end without a case."""
        if self._station is not None:
            self._station.stop()

    def _started(self) -> Station:
        import torch

        from RetinaTriageLib.inference.allocator import keep_freed_memory

        keep_freed_memory()
        if self._threads is not None:
            torch.set_num_threads(self._threads)
        if not (self._plan.out_dir / SETTINGS_FILE).exists():
            msg = (
                f"Node {socket.gethostname()} does not see {self._plan.out_dir}; expected scans, "
                "bundle and --out on a file system that all nodes share. Mount it there."
            )
            raise OutputError(msg)
        station = Station(self._plan, load_models(self._plan))
        threading.Thread(target=station.compute, daemon=True).start()
        return station


@dataclass(eq=False)
class _Member:
    """An actor, how many units it has, and whether it answers."""

    actor: Any
    load: int = 0
    up: bool = False
    starts: int = 0


class _Crew:
    """The actors and what each of them has to do; the rest waits here (back-pressure)."""

    def __init__(
        self, plan: CohortPlan, units: Sequence[Unit], on_outcome: OnOutcome, cpus: int
    ) -> None:
        self._todo = deque(units)
        self._on_outcome = on_outcome
        self._in_flight = plan.helpers.in_flight
        self._tries: Counter[Unit] = Counter()
        self._pending: dict[Any, tuple[_Member, Unit | None]] = {}
        self._members = [_Member(actor) for actor in _actors(plan, cpus, len(units))]
        self.size = len(self._members)
        for member in self._members:
            self._ask_ready(member)

    def work(self) -> None:
        """Work until nothing is left."""
        import ray

        while self._todo or any(unit is not None for _, unit in self._pending.values()):
            self._give()
            done, _ = ray.wait(list(self._pending), num_returns=1, timeout=WAIT_SECONDS)
            for answer in done:
                self._take(answer)

    def dismiss(self) -> None:
        """End the actors; cases that they are writing are finished."""
        import ray

        for member in self._members:
            if member.up:
                member.actor.stop.remote()
        left = [answer for answer, (_, unit) in self._pending.items() if unit is not None]
        if left:
            ray.wait(left, num_returns=len(left), timeout=STOP_SECONDS)
        for member in self._members:
            ray.kill(member.actor)

    def _give(self) -> None:
        while self._todo:
            free = [m for m in self._members if m.up and m.load < self._in_flight]
            if not free:
                return
            member = min(free, key=lambda m: m.load)
            unit = self._todo.popleft()
            member.load += 1
            self._pending[member.actor.work.remote(unit)] = member, unit

    def _take(self, answer: Any) -> None:
        import ray
        from ray.exceptions import RayActorError, RayTaskError

        member, unit = self._pending.pop(answer)
        if unit is not None:
            member.load -= 1
        try:
            outcome = ray.get(answer)
        except RayActorError as error:
            self._lost(member, unit, str(error))
        except RayTaskError as error:
            raise error.cause if isinstance(error.cause, Exception) else error from error
        else:
            if unit is None:
                member.up, member.starts = True, 0
            else:
                self._on_outcome(outcome)

    def _lost(self, member: _Member, unit: Unit | None, reason: str) -> None:
        """Give the unit of a lost actor to others; ask whether the actor comes back."""
        if unit is not None:
            self._tries[unit] += 1
            if self._tries[unit] < TRIES:
                self._todo.appendleft(unit)
            else:
                message = (
                    f"{TRIES} Ray actors were lost while they worked on it. Look at Ray's log."
                )
                self._on_outcome(
                    Outcome(unit, failures=(failure_of(unit, message, unit.series, lasting=False),))
                )
        asked = any(other is member and of is None for other, of in self._pending.values())
        member.up = False
        if asked:
            return
        if member.starts < MOST_STARTS:
            self._ask_ready(member)
            return
        self._members.remove(member)
        if not self._members:
            msg = f"All Ray actors were lost ({reason.splitlines()[0]}). Look at Ray's log."
            raise DeviceError(msg)

    def _ask_ready(self, member: _Member) -> None:
        member.starts += 1
        self._pending[member.actor.ready.remote()] = member, None


def _actors(plan: CohortPlan, cpus: int, units: int) -> list[Any]:
    """One actor a GPU of the cluster, or one a few cores; not more than there are units."""
    import ray

    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    gpus = int(resources.get("GPU", 0)) if plan.compute in ("auto", "cuda") else 0
    if gpus:
        count, needs, threads = gpus, {"num_gpus": 1, "num_cpus": 1}, None
    else:
        count, needs, threads = int(resources.get("CPU", 0) // cpus), {"num_cpus": cpus}, cpus
        plan = replace(plan, compute="cpu") if plan.compute == "auto" else plan
    if count < 1:
        msg = (
            f"The Ray cluster has {resources.get('CPU', 0):g} cores and no GPU that may be used; "
            f"expected {cpus} cores for each set of networks. Lower --ray-cpus or add nodes."
        )
        raise DeviceError(msg)
    made: Any = ray.remote(StationActor)
    options = made.options(
        **needs, max_restarts=-1, max_concurrency=plan.helpers.in_flight + 2, max_task_retries=0
    )
    return [options.remote(plan, threads) for _ in range(min(count, units))]
