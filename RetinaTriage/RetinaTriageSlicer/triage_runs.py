"""Runs of the pipeline in the worker: a volume node goes out, result nodes come back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import qt
import slicer

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.volume import OCTVolume
from RetinaTriageLib.worker.client import WorkerClient
from RetinaTriageLib.worker.job import Job, ignore
from RetinaTriageLib.worker.messages import (
    DeviceList,
    DevicesRequest,
    Request,
    RunOptions,
    TriageRequest,
    WorkerInfo,
)
from RetinaTriageSlicer.run_settings import RunSettings
from RetinaTriageSlicer.triage_run import TriageRun
from RetinaTriageSlicer.volume_node import readVolumeNode

POLL_MS = 50
ADDING_MS = 1
LINGERING_POLLS = 40  # the last lines of the worker's log may come after its answer
# As long as the window may stand still at a time while nodes are added; one step may take longer.
ADDING_SECONDS = 0.02


class TriageRuns(slicer.util.VTKObservationMixin):
    """Keeps one worker warm; everything that touches the scene happens on the main thread."""

    def __init__(self, client: WorkerClient) -> None:
        super().__init__()
        self._client = client
        self._open: list[TriageRun] = []
        self._idlePolls = 0
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.connect("timeout()", self._poll)
        self.addObserver(
            slicer.mrmlScene, slicer.vtkMRMLScene.StartCloseEvent, self._onSceneStartClose
        )

    def start(
        self,
        volumeNode: Any,
        settings: RunSettings,
        onProgress: Callable[[Progress], object] = ignore,
        onEnd: Callable[[TriageRun], object] = ignore,
    ) -> TriageRun:
        """Start a run and return at once; ``onEnd`` is called with it when it has ended.

        Raises
        ------
        RetinaTriageError
            If the volume cannot be used as it is.
        """

        def end(run: TriageRun) -> None:
            self._open.remove(run)
            onEnd(run)

        volume, grid = readVolumeNode(volumeNode, settings.stated)
        run = TriageRun(volumeNode, grid, end)
        self._open.append(run)
        run.submit(self._client, _request(volume, settings), onProgress)
        self._timer.start()
        return run

    def submit(self, volume: OCTVolume, settings: RunSettings) -> Job[TriageResult]:
        """Have a volume worked whose result does not come into the scene."""
        job = self._client.submit(_request(volume, settings))
        self._timer.start()
        return job

    def ask(
        self,
        request: Request[Any],
        onProgress: Callable[[Progress], object],
        onResult: Callable[[Any], object],
        onError: Callable[[RetinaTriageError], object],
    ) -> Job[Any]:
        """Ask the worker something whose answer does not come into the scene by itself."""
        job = self._client.submit(
            request, on_progress=onProgress, on_result=onResult, on_error=onError
        )
        self._timer.start()
        return job

    def stop(self, job: Job[Any]) -> None:
        """Stop a job that `ask` has started."""
        self._client.cancel(job)

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

    def close(self) -> None:
        """End the worker; open runs are cancelled."""
        self._timer.stop()
        self.removeObservers()
        for run in list(self._open):
            if run.adding:
                run.cancel()
        self._client.close()
        self._client.poll()

    def _poll(self) -> None:
        self._client.poll()
        end = time.monotonic() + ADDING_SECONDS
        while (run := self._adding()) is not None:
            run.addNext()
            if time.monotonic() > end:
                break
        if self._adding() is None and not self._client.busy:
            self._idlePolls += 1
            if self._idlePolls > LINGERING_POLLS:
                self._timer.stop()
        else:
            self._idlePolls = 0
        self._timer.setInterval(POLL_MS if self._adding() is None else ADDING_MS)

    def _adding(self) -> TriageRun | None:
        return next((run for run in self._open if run.adding), None)

    def _onSceneStartClose(self, _caller: Any, _event: str) -> None:
        for run in list(self._open):
            run.onSceneClose()


def _request(volume: OCTVolume, settings: RunSettings) -> TriageRequest:
    options = RunOptions(compute=settings.compute, patient=settings.patient)
    return TriageRequest(volume, settings.bundle, options)
