"""Runs of the pipeline in the worker: a volume node goes out, result nodes come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import qt
import slicer

from RetinaTriageLib.errors import InputError, RetinaTriageError
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.worker.client import WorkerClient
from RetinaTriageLib.worker.job import Job
from RetinaTriageLib.worker.messages import (
    DeviceList,
    DevicesRequest,
    RunOptions,
    TriageRequest,
    WorkerInfo,
)
from RetinaTriageSlicer.node_grid import NodeGrid
from RetinaTriageSlicer.run_settings import RunSettings
from RetinaTriageSlicer.scene import ResultNodes, showResult
from RetinaTriageSlicer.volume_node import readVolumeNode

POLL_MS = 50


@dataclass
class TriageRun:
    """One run: its job in the worker, and what became of it.

    Attributes
    ----------
    nodes : of the result, once it is in the scene
    error : why there is no result
    """

    job: Job[TriageResult] | None = None
    nodes: ResultNodes | None = None
    error: Exception | None = None

    @property
    def ended(self) -> bool:
        """Tell whether the run has its nodes or its error."""
        return self.nodes is not None or self.error is not None


class TriageRuns:
    """Keeps one worker warm; everything that touches the scene happens on the main thread."""

    def __init__(self, client: WorkerClient) -> None:
        self._client = client
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.connect("timeout()", self._poll)

    def start(
        self,
        volumeNode: Any,
        settings: RunSettings,
        onProgress: Callable[[Progress], object],
        onEnd: Callable[[TriageRun], object],
    ) -> TriageRun:
        """Start a run and return at once; ``onEnd`` is called with it when it has ended.

        Raises
        ------
        RetinaTriageError
            If the volume cannot be used as it is.
        """
        volume, grid = readVolumeNode(volumeNode, settings.stated)
        options = RunOptions(compute=settings.compute, patient=settings.patient)
        request = TriageRequest(volume, settings.bundle, options)
        run = TriageRun()
        nodeID = volumeNode.GetID()

        def onResult(result: TriageResult) -> None:
            try:
                run.nodes = _showIfThere(result, nodeID, volumeNode, grid)
            except (RetinaTriageError, MemoryError) as error:
                run.error = error
            onEnd(run)

        def onError(error: RetinaTriageError) -> None:
            run.error = error
            onEnd(run)

        run.job = self._client.submit(
            request, on_progress=onProgress, on_result=onResult, on_error=onError
        )
        self._timer.start()
        return run

    @property
    def workerInfo(self) -> WorkerInfo | None:
        """What the worker said of itself when it was ready; None before."""
        return self._client.info

    def findDevices(
        self,
        onDevices: Callable[[DeviceList], object],
        onError: Callable[[RetinaTriageError], object],
    ) -> None:
        """Ask the worker which devices there are; it is started if need be."""
        self._client.submit(DevicesRequest(), on_result=onDevices, on_error=onError)
        self._timer.start()

    def cancel(self, run: TriageRun) -> None:
        """Ask a run to stop; the worker is killed if that takes too long."""
        if run.job is not None:
            self._client.cancel(run.job)

    def close(self) -> None:
        """End the worker."""
        self._timer.stop()
        self._client.close()
        self._client.poll()

    def _poll(self) -> None:
        self._client.poll()
        if not self._client.busy:
            self._client.poll()
            self._timer.stop()


def _showIfThere(result: TriageResult, nodeID: str, volumeNode: Any, grid: NodeGrid) -> ResultNodes:
    """Show a result, unless its volume has left the scene since the run began."""
    if slicer.mrmlScene.GetNodeByID(nodeID) is not volumeNode:
        msg = "The volume was removed during the run, so its result was not added. Load it again."
        raise InputError(msg)
    return showResult(result, volumeNode, grid)
