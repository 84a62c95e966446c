"""Runs of the logic: states, cancel, failures and kills, each with the scene as it was."""

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from fake_worker import LIMIT_SECONDS
from panel_steps import scan, wait_until
from RetinaTriageSlicer import scene
from RetinaTriageSlicer.run_settings import RunSettings
from RetinaTriageSlicer.scene import findResults, removeResult
from RetinaTriageSlicer.thickness_colors import thicknessColors
from RetinaTriageSlicer.triage_run import RunState, SceneClosedError, TriageRun
from RetinaTriageSlicer.triage_runs import TriageRuns
from scene_digest import scene_digest

from RetinaTriageLib.errors import BundleError, CancelledError, DeviceError, RetinaTriageError
from RetinaTriageLib.worker.errors import (
    WorkerDiedError,
    WorkerMemoryError,
    WorkerStartError,
    WorkerVersionError,
)

KILLS = 50


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder in which clients make theirs."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def told() -> list[object]:
    """What callbacks were told."""
    return []


def does(what: str) -> RunSettings:
    """Settings whose bundle tells the pretending worker what to do."""
    return RunSettings(bundle=Path(what))


def pid_of(logic: Any) -> int:
    return int(logic.workerInfo().pid)


def test_run_goes_through_its_states(logic: Any):
    logic.close()  # the worker that other tests have used
    states = []
    run = logic.processAsync(scan(), does("work"), lambda _progress: states.append(run.state))
    states.append(run.state)
    run.wait(LIMIT_SECONDS)
    states.append(run.state)
    assert list(dict.fromkeys(states)) == [RunState.STARTING, RunState.RUNNING, RunState.DONE]


def test_end_is_told_once_when_all_nodes_are_there(logic: Any, told: list[TriageRun]):
    run = logic.processAsync(scan(), does("work"), onEnd=told.append)
    wait_until(lambda: run.ended)
    assert told == [run]
    assert findResults() == (run.nodes,)


def test_two_runs_in_a_row_use_one_worker(logic: Any):
    first = logic.process(scan(), does("work"))
    pid = pid_of(logic)
    second = logic.process(scan(), does("work"))
    assert pid_of(logic) == pid
    assert {one.case for one in findResults()} == {first.case, second.case}


def test_cancel_before_the_worker_is_ready(logic: Any):
    logic.close()
    node = scan()
    before = scene_digest()
    run = logic.processAsync(node, does("work"))
    run.cancel()
    with pytest.raises(CancelledError):
        run.wait(LIMIT_SECONDS)
    assert run.state is RunState.CANCELLED
    assert scene_digest() == before


def test_cancel_while_the_worker_works(logic: Any):
    node = scan()
    before = scene_digest()
    run = logic.processAsync(node, does("endless"), lambda _progress: run.cancel())
    with pytest.raises(CancelledError):
        run.wait(LIMIT_SECONDS)
    assert scene_digest() == before


@pytest.mark.parametrize("steps", [0, 1, 4, 9])
def test_cancel_while_nodes_are_added(logic: Any, steps: int):
    node = scan()
    before = scene_digest()
    run = logic.processAsync(node, does("work"))
    run.job.wait(LIMIT_SECONDS)
    for _ in range(steps):
        run.addNext()
    assert run.state is RunState.ADDING
    assert steps == 0 or scene_digest() != before
    run.cancel()
    assert run.state is RunState.CANCELLED
    assert scene_digest() == before


def test_cancel_after_the_end_changes_nothing(logic: Any):
    run = logic.processAsync(scan(), does("work"))
    nodes = run.wait(LIMIT_SECONDS)
    run.cancel()
    assert run.state is RunState.DONE
    assert findResults() == (nodes,)


@pytest.mark.parametrize(
    ("what", "error", "words"),
    [
        ("no-memory", WorkerMemoryError, "Memory ran out"),
        ("device", DeviceError, "Found no cuda device"),
        ("bundle", BundleError, "Found no bundle"),
        ("crash", WorkerDiedError, "exit code 7"),
    ],
)
def test_failure_has_its_own_message_and_leaves_the_scene(
    logic: Any, what: str, error: type[RetinaTriageError], words: str
):
    node = scan()
    before = scene_digest()
    with pytest.raises(error, match=words):
        logic.process(node, does(what))
    assert scene_digest() == before
    assert logic.process(node, does("work")).volumeNode is node


def test_worker_of_another_version_is_told_and_leaves_the_scene(
    logic: Any, monkeypatch: pytest.MonkeyPatch
):
    logic.close()
    node = scan()
    before = scene_digest()
    monkeypatch.setattr("RetinaTriageLib.worker.protocol.PROTOCOL", 99)
    with pytest.raises(WorkerVersionError, match=r"expected 99.*remove the older one"):
        logic.process(node, does("work"))
    assert scene_digest() == before


def test_memory_that_ends_while_nodes_are_added_leaves_the_scene(
    logic: Any, monkeypatch: pytest.MonkeyPatch
):
    node = scan()
    before = scene_digest()

    def fail(*_arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(scene, "makeMapNode", fail)
    with pytest.raises(DeviceError, match="while the result was added"):
        logic.process(node, does("work"))
    assert scene_digest() == before


def test_scene_closed_during_the_run_stops_it(logic: Any):
    run = logic.processAsync(scan(), does("endless"))
    wait_until(lambda: run.progress is not None)
    slicer.mrmlScene.Clear(False)
    empty = scene_digest()
    wait_until(lambda: run.ended)
    assert isinstance(run.error, SceneClosedError)
    assert scene_digest() == empty


def test_scene_closed_while_nodes_are_added_stays_empty(logic: Any):
    slicer.mrmlScene.Clear(False)
    empty = scene_digest()
    run = logic.processAsync(scan(), does("work"))
    run.job.wait(LIMIT_SECONDS)
    run.addNext()
    slicer.mrmlScene.Clear(False)
    assert isinstance(run.error, SceneClosedError)
    assert scene_digest() == empty


def test_volume_removed_while_nodes_are_added_takes_them_with_it(logic: Any):
    node = scan()
    run = logic.processAsync(node, does("work"))
    run.job.wait(LIMIT_SECONDS)
    run.addNext()
    slicer.mrmlScene.RemoveNode(node)
    run.addNext()
    assert "removed during the run" in str(run.error)
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode") == []


@pytest.mark.skipif(os.name != "posix", reason="signals are of POSIX")
def test_worker_killed_at_random_moments_never_harms_the_scene(logic: Any, temporary: Path):
    logic.close()
    rng, node = np.random.default_rng(4), scan()
    thicknessColors()  # stays in the scene after the first result
    before, killed = scene_digest(), 0
    for _ in range(KILLS):
        words_left = int(rng.integers(0, 9))

        def count(_event: object, words: list[int] = [words_left]) -> None:  # noqa: B006
            if words[0] == 0:
                os.kill(pid_of(logic), signal.SIGKILL)
            words[0] -= 1

        what = "endless" if words_left > 2 else str(rng.choice(["endless", "work"]))
        run = logic.processAsync(node, does(what), count)
        with suppress(WorkerDiedError, WorkerStartError):
            removeResult(run.wait(LIMIT_SECONDS))  # killed too late to matter
        killed += "signal 9" in str(run.error)
        assert scene_digest() == before
    assert killed > KILLS // 2
    assert logic.process(node, does("work")).volumeNode is node
    logic.close()
    assert list(temporary.iterdir()) == []


def test_closing_ends_the_worker_and_its_folder(logic: Any, temporary: Path):
    logic.close()
    logic.process(scan(), does("work"))
    assert len(list(temporary.iterdir())) == 1
    pid = pid_of(logic)
    logic.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert list(temporary.iterdir()) == []


def test_window_gets_its_turn_between_nodes(logic: Any):
    assert isinstance(logic._ensureRuns(), TriageRuns)
    run = logic.processAsync(scan(), does("work"))
    run.job.wait(LIMIT_SECONDS)
    before = slicer.mrmlScene.GetNumberOfNodes()
    run.addNext()
    between = slicer.mrmlScene.GetNumberOfNodes()
    nodes = run.wait()
    assert before < between < slicer.mrmlScene.GetNumberOfNodes()
    assert findResults() == (nodes,)
