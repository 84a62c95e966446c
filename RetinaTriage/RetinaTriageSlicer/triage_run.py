"""One run as its caller sees it: how far it is, what became of it, and how to stop it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import Enum
from typing import Any

import slicer

from RetinaTriageLib.errors import CancelledError, DeviceError, InputError, RetinaTriageError
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.worker.client import WorkerClient
from RetinaTriageLib.worker.job import Job, JobState, cancelled
from RetinaTriageLib.worker.messages import TriageRequest
from RetinaTriageSlicer.node_grid import NodeGrid
from RetinaTriageSlicer.scene import ResultNodes, resultSteps


class SceneClosedError(RetinaTriageError):
    """The scene that the result was for has gone."""


class RunState(Enum):
    """Where a run stands; the last three are final."""

    STARTING = "starting"  # the worker starts, or other runs come first
    RUNNING = "running"
    ADDING = "adding"  # nodes come into the scene, one after the other
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TriageRun:
    """One run; made by `TriageRuns.start`.

    Attributes
    ----------
    nodes : of the result, once all of it is in the scene
    error : why there is no result; the scene is then as it was
    """

    def __init__(
        self,
        volumeNode: Any,
        grid: NodeGrid,
        onEnd: Callable[[TriageRun], object],
    ) -> None:
        self.job: Job[TriageResult] | None = None
        self.nodes: ResultNodes | None = None
        self.error: Exception | None = None
        self._volumeNode, self._nodeID = volumeNode, volumeNode.GetID()
        self._grid = grid
        self._onEnd = onEnd
        self._client: WorkerClient | None = None
        self._steps: Generator[None, None, ResultNodes] | None = None
        self._sceneClosed = False

    @property
    def ended(self) -> bool:
        """Tell whether the run has its nodes or its error."""
        return self.nodes is not None or self.error is not None

    @property
    def adding(self) -> bool:
        """Tell whether nodes remain to be added."""
        return self._steps is not None and not self.ended

    @property
    def state(self) -> RunState:
        """Where the run stands."""
        if self.nodes is not None:
            return RunState.DONE
        if self.error is not None:
            stopped = isinstance(self.error, CancelledError)
            return RunState.CANCELLED if stopped else RunState.FAILED
        if self._steps is not None:
            return RunState.ADDING
        if self.job is None or self.job.state is JobState.WAITING:
            return RunState.STARTING
        cancelling = self.job.state is JobState.CANCELLING
        return RunState.CANCELLING if cancelling else RunState.RUNNING

    @property
    def progress(self) -> Progress | None:
        """Return the last that the worker told; None before."""
        return None if self.job is None else self.job.progress

    def submit(
        self,
        client: WorkerClient,
        request: TriageRequest,
        onProgress: Callable[[Progress], object],
    ) -> None:
        """Give the run to the worker."""
        self._client = client
        self.job = client.submit(
            request, on_progress=onProgress, on_result=self._onResult, on_error=self._onError
        )

    def cancel(self) -> None:
        """Stop the run, whatever it is doing; nothing if it has ended."""
        if self.adding:
            self._end(error=cancelled())
        elif self._client is not None and self.job is not None:
            self._client.cancel(self.job)

    def wait(self, timeoutSeconds: float | None = None) -> ResultNodes:
        """Nodes of the result; the user interface stands still until they are there.

        Raises
        ------
        RetinaTriageError
            If there is no result; the scene is then as it was.
        TimeoutError
            If the worker has not ended in time; the run goes on.
        """
        if self.job is not None and not self.job.ended:
            try:
                self.job.wait(timeoutSeconds)
            except RetinaTriageError:
                assert self.error is not None  # the callback has kept it
        while not self.ended:
            self.addNext()
        if self.nodes is None:
            assert self.error is not None
            raise self.error
        return self.nodes

    def addNext(self) -> None:
        """Add the next node of the result; ends the run after the last one, or with an error."""
        if self._steps is None:
            return
        if slicer.mrmlScene.GetNodeByID(self._nodeID) is not self._volumeNode:
            self._end(error=InputError(_REMOVED))
            return
        try:
            next(self._steps)
        except StopIteration as end:
            self._end(nodes=end.value)
        except MemoryError:
            self._end(error=DeviceError(_NO_MEMORY))
        except Exception as error:  # noqa: BLE001 - whatever it is, the run has to end
            self._end(error=error)

    def onSceneClose(self) -> None:
        """Stop: the scene that the result is for is being closed."""
        self._sceneClosed = True
        if self.adding:
            self._end(error=SceneClosedError(_CLOSED))
        else:
            self.cancel()

    def _onResult(self, result: TriageResult) -> None:
        self._steps = resultSteps(result, self._volumeNode, self._grid)

    def _onError(self, error: RetinaTriageError) -> None:
        closed = self._sceneClosed and isinstance(error, CancelledError)
        self._end(error=SceneClosedError(_CLOSED) if closed else error)

    def _end(self, nodes: ResultNodes | None = None, error: Exception | None = None) -> None:
        if self._steps is not None:
            self._steps.close()  # takes out what an unfinished one has added
            self._steps = None
        self.nodes, self.error = nodes, error
        self._onEnd(self)


_REMOVED = "The volume was removed during the run, so its result was not added. Load it again."
_CLOSED = (
    "The scene was closed during the run, so the run was stopped and nothing was added. Load the "
    "volume again, then start again."
)
_NO_MEMORY = (
    "Memory ran out while the result was added to the scene, which is as it was before. Close "
    "other programs, then start again."
)
