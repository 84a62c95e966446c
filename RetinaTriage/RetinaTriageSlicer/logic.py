"""The logic of the module: runs volumes in the worker; for the panel, the console and scripts."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

if TYPE_CHECKING:  # these take time to load, and Slicer loads this file at its start
    from RetinaTriageLib.worker.client import WorkerClient
    from RetinaTriageLib.worker.job import Job
    from RetinaTriageLib.worker.messages import Request, WorkerInfo
    from RetinaTriageSlicer.batch import BatchCase, OnCase
    from RetinaTriageSlicer.run_settings import RunSettings
    from RetinaTriageSlicer.scene import ResultNodes
    from RetinaTriageSlicer.setup_needs import Need
    from RetinaTriageSlicer.triage_run import TriageRun
    from RetinaTriageSlicer.triage_runs import TriageRuns

WAIT_SECONDS = 0.02


class RetinaTriageLogic(ScriptedLoadableModuleLogic):
    """Runs volumes of the scene, or files, in a worker process that stays warm in between."""

    def __init__(self, client: WorkerClient | None = None) -> None:
        super().__init__()
        _findLibrary()
        self._client = client
        self._runs: TriageRuns | None = None
        self.onLog: Any = _ignore

    def getParameterNode(self) -> Any:
        """Typed parameters in the scene."""
        from RetinaTriageSlicer.parameters import RetinaTriageParameterNode

        return RetinaTriageParameterNode(super().getParameterNode())

    def settings(
        self,
        bundle: str | Path | None = None,
        laterality: str | None = None,
        spacingUm: Sequence[float] | None = None,
        *,
        scanner: str | None = None,
        bscanAxis: int | None = None,
        ageYears: float | None = None,
        sex: str | None = None,
        visualAcuityLogmar: float | None = None,
        compute: str = "auto",
    ) -> RunSettings:
        """Make settings of a run from plain words; None leaves a fact to the volume, or unknown.

        Parameters
        ----------
        bundle : folder or zip of a model bundle; None is the one that comes with RetinaTriage
        laterality : "OD" or "OS"
        spacingUm : distances (B-scan, depth, width) in micrometers
        scanner : "spectralis", "cirrus", "topcon" or "optovue"
        bscanAxis : axis of the volume's array on which B-scans follow one another, 0 is K
        sex : "F" or "M"
        compute : "auto", "cuda", "mps" or "cpu"

        Raises
        ------
        InputError
            If a word or number is none of these.
        """
        from RetinaTriageSlicer.run_settings import RunSettings
        from RetinaTriageSlicer.stated_settings import statedGeometry, statedPatient

        return RunSettings(
            None if bundle is None else Path(bundle),
            compute,
            statedGeometry(laterality, spacingUm, scanner, bscanAxis),
            statedPatient(ageYears, sex, visualAcuityLogmar),
        )

    def process(
        self,
        volumeNode: Any,
        settings: RunSettings | None = None,
        *,
        bundle: str | Path | None = None,
        laterality: str | None = None,
        spacingUm: Sequence[float] | None = None,
        scanner: str | None = None,
        bscanAxis: int | None = None,
        ageYears: float | None = None,
        sex: str | None = None,
        visualAcuityLogmar: float | None = None,
        compute: str = "auto",
        waitForCompletion: bool = True,
        interactive: bool = False,
    ) -> ResultNodes | TriageRun:
        """Nodes of the result of one volume, or the run if it is not waited for.

        Parameters
        ----------
        settings : made by `settings`, in place of the facts that follow, which are its own
        waitForCompletion : False returns a `TriageRun` at once, as `processAsync` does
        interactive : keep the window alive while waiting, and show an error in a dialog too;
            without it no dialog is ever shown

        Raises
        ------
        RetinaTriageError
            If there is no result; the scene is then as it was.
        """
        if settings is None:
            settings = self.settings(
                bundle,
                laterality,
                spacingUm,
                scanner=scanner,
                bscanAxis=bscanAxis,
                ageYears=ageYears,
                sex=sex,
                visualAcuityLogmar=visualAcuityLogmar,
                compute=compute,
            )
        run = self.processAsync(volumeNode, settings)
        if not waitForCompletion:
            return run
        return _waitAlive(run) if interactive else run.wait()

    def processAsync(
        self,
        volumeNode: Any,
        settings: RunSettings | None = None,
        onProgress: Any = None,
        onEnd: Any = None,
    ) -> TriageRun:
        """Start a run and return at once.

        The run tells its ``state`` and ``progress``; ``cancel()`` stops it and ``wait()`` waits.

        Parameters
        ----------
        onProgress : called with a `Progress`, at least once a B-scan
        onEnd : called with the run when it has its ``nodes``, or its ``error``

        Raises
        ------
        RetinaTriageError
            If the volume cannot be used as it is.
        """
        return self._ensureRuns().start(
            volumeNode, settings or self.settings(), onProgress or _ignore, onEnd or _ignore
        )

    def processBatch(
        self,
        cases: Sequence[Any] | str | Path,
        folder: str | Path,
        settings: RunSettings | None = None,
        *,
        overwrite: bool = False,
        onCase: OnCase | None = None,
    ) -> tuple[BatchCase, ...]:
        """Work many volumes, saving each into a folder of its own; the scene is not changed.

        A case that fails is named with its reason, and the rest goes on. Cases that an earlier
        call has finished are kept; ``summary.csv`` in the folder lists all of them.

        Parameters
        ----------
        cases : volume nodes or paths of scans; or a folder, whose scans are taken
        overwrite : work finished cases again
        onCase : called with each `BatchCase` when it has ended

        Raises
        ------
        InputError
            If there are no cases, or a folder of scans holds none.
        OutputError
            If the summary cannot be written.
        """
        from RetinaTriageSlicer.batch import runBatch

        return runBatch(
            self._ensureRuns(),
            cases,
            Path(folder),
            settings or self.settings(),
            overwrite=overwrite,
            onCase=onCase or _ignore,
        )

    def exportToDicomDatabase(self, nodes: ResultNodes) -> tuple[str, ...]:
        """Write a result into Slicer's DICOM database: segmentation and report, by instance UID.

        Raises
        ------
        RetinaTriageError
            If the volume was removed or its spacing is unknown.
        RuntimeError
            If no database is open.
        """
        from RetinaTriageSlicer.dicom_export import exportToDatabase

        return exportToDatabase(nodes)

    def cancel(self, run: TriageRun) -> None:
        """Stop a run."""
        run.cancel()

    def workerInfo(self) -> WorkerInfo | None:
        """Tell what the worker is and which devices it has; None until it is ready."""
        return None if self._runs is None else self._runs.workerInfo

    def findDevices(self, onDevices: Any, onError: Any) -> None:
        """Ask the worker which devices it has; it is started if need be."""
        self._ensureRuns().findDevices(onDevices, onError)

    def ask(self, request: Request[Any], onProgress: Any, onResult: Any, onError: Any) -> Job[Any]:
        """Ask the worker something; functions are called on the main thread. See `TriageRuns`."""
        return self._ensureRuns().ask(request, onProgress, onResult, onError)

    def stop(self, job: Job[Any]) -> None:
        """Stop what `ask` has started."""
        self._ensureRuns().stop(job)

    def tellLog(self, line: str) -> None:
        """Pass a line of the worker's log on to ``onLog``, a function that may be set."""
        self.onLog(line)

    def needs(self) -> tuple[Need, ...]:
        """List what the worker's Python needs and has; nothing where a client was given."""
        if self._client is not None:
            return ()
        from RetinaTriageSlicer.setup_needs import findNeeds

        return findNeeds()

    def close(self) -> None:
        """End the worker and free its memory."""
        if self._runs is not None:
            self._runs.close()
            self._runs = None

    def _ensureRuns(self) -> TriageRuns:
        if self._runs is None:
            from RetinaTriageSlicer.triage_runs import TriageRuns

            self._runs = TriageRuns(self._client or _makeClient(self.tellLog))
        return self._runs


def _ignore(_event: object) -> None:
    """Do nothing about an event."""


def _waitAlive(run: TriageRun) -> ResultNodes:
    """Nodes of a run, with a window that answers until they are there."""
    while not run.ended:
        slicer.app.processEvents()
        time.sleep(WAIT_SECONDS)
    if run.error is not None:
        slicer.util.errorDisplay(str(run.error))
    return run.wait()


def _findLibrary() -> None:
    """Make the library importable where the module runs from a source tree, not installed."""
    source = Path(__file__).resolve().parents[2]
    if (source / "RetinaTriageLib").is_dir() and str(source) not in sys.path:
        sys.path.append(str(source))


def _makeClient(onLog: Any) -> WorkerClient:
    from RetinaTriageLib.worker.client import WorkerClient

    python = shutil.which("PythonSlicer") or sys.executable
    return WorkerClient(python, slicer.util.startupEnvironment(), on_log=onLog)
