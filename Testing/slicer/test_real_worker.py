"""What can go wrong with a real worker and real networks, pressed in the panel as a user does."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import slicer
from example_result import SMALL, Example, example_map, example_volume
from fake_worker import LIMIT_SECONDS
from panel_steps import choose, choose_bundle, run, wait_until
from RetinaTriageSlicer.logic import RetinaTriageLogic
from RetinaTriageSlicer.parameters import ComputeChoice
from RetinaTriageSlicer.scene import findResults
from RetinaTriageSlicer.triage_run import RunState
from scene_digest import scene_digest
from torch_python import ROOT, make_bundle, torch_python
from volume_nodes import volume_node

from RetinaTriageLib.worker.client import WorkerClient

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits are of POSIX")
LARGE = Example(shape=(40, 320, 320))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny bundle with random weights."""
    return make_bundle(tmp_path_factory.mktemp("real") / "bundle")


@pytest.fixture(scope="module")
def real_logic() -> Iterator[Any]:
    """Logic whose worker is the real one; one thread, so that limits end no other threads."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    made = RetinaTriageLogic(WorkerClient(torch_python(), environment, start_seconds=LIMIT_SECONDS))
    yield made
    made.close()


@pytest.fixture
def ready(panel: Any, logic: Any, real_logic: Any, bundle: Path) -> Iterator[Any]:
    """Panel with a real worker and all that Apply needs."""
    panel.exit()
    panel.useLogic(real_logic)
    panel.enter()
    choose_bundle(panel, bundle)
    choose(panel.ui.computeBox, ComputeChoice.CPU)
    show(panel, SMALL)
    yield panel
    panel.exit()
    panel.useLogic(logic)


def show(panel: Any, example: Example) -> None:
    node = volume_node(example_volume(example, example_map(example, 0)))
    node.SetAttribute("RetinaTriage.Laterality", "OD")
    node.SetAttribute("RetinaTriage.Device", "spectralis")
    panel.ui.inputSelector.setCurrentNode(node)


def start(panel: Any) -> Any:
    """Press Apply and wait until the worker works; gives the run."""
    assert panel.ui.applyButton.enabled, panel.ui.applyButton.toolTip
    panel.ui.applyButton.click()
    going = panel.run
    wait_until(lambda: going.state is not RunState.STARTING)
    assert going.state is RunState.RUNNING, going.error
    return going


def pid_of(logic: Any) -> int:
    return int(logic.workerInfo().pid)


def test_run_goes_through(ready: Any):
    run(ready)
    assert len(findResults()) == 1


def test_missing_cuda_is_said(ready: Any, real_logic: Any):
    if real_logic.workerInfo() is not None and any(
        one.compute == "cuda" for one in real_logic.workerInfo().devices.devices
    ):
        pytest.skip("there is a CUDA device")
    ready.useLogic(real_logic)  # as before the worker has told its devices
    choose(ready.ui.computeBox, ComputeChoice.CUDA)
    before = scene_digest()
    run(ready)
    assert "cuda" in ready.ui.statusLabel.text.lower()
    assert "choose" in ready.ui.statusLabel.text.lower()
    assert scene_digest() == before
    assert "no NVIDIA GPU" in ready.ui.applyButton.toolTip  # known now


def test_weights_with_another_hash_are_refused(ready: Any, bundle: Path, tmp_path: Path):
    other = tmp_path / "bundle"
    other.mkdir()
    for path in bundle.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    weights = next(other.glob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    choose_bundle(ready, other)
    before = scene_digest()
    run(ready)
    assert "SHA-256" in ready.ui.statusLabel.text
    assert weights.name in ready.ui.statusLabel.text
    assert scene_digest() == before


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are of Linux")
def test_memory_that_ends_is_said_and_the_worker_goes_on(ready: Any, real_logic: Any):
    import resource

    run(ready)
    pid = pid_of(real_logic)
    show(ready, LARGE)
    before = scene_digest()
    size = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    limits = resource.prlimit(pid, resource.RLIMIT_AS)
    resource.prlimit(pid, resource.RLIMIT_AS, (size, limits[1]))
    try:
        run(ready)
    finally:
        resource.prlimit(pid, resource.RLIMIT_AS, limits)
    assert "memory" in ready.ui.statusLabel.text.lower()
    assert scene_digest() == before
    show(ready, SMALL)
    run(ready)
    assert pid_of(real_logic) == pid
    assert len(findResults()) == 2


def test_killed_worker_is_said_and_the_next_run_has_a_new_one(ready: Any, real_logic: Any):
    run(ready)
    pid = pid_of(real_logic)
    show(ready, LARGE)
    before = scene_digest()
    start(ready)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: ready.run is None)
    assert "signal 9" in ready.ui.statusLabel.text
    assert scene_digest() == before
    show(ready, SMALL)
    run(ready)
    assert pid_of(real_logic) != pid


def test_scene_closed_during_the_run_is_said_and_stays_empty(ready: Any):
    show(ready, LARGE)
    going = start(ready)
    slicer.mrmlScene.Clear(False)
    wait_until(lambda: ready.run is None)
    assert "The scene was closed during the run" in str(going.error)
    assert "The scene was closed during the run" in ready.ui.statusLabel.text
    assert findResults() == ()
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode") == []


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is of Linux")
def test_worker_ends_with_its_parent():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = (
        "import os, sys\n"
        "from RetinaTriageLib.worker.client import WorkerClient\n"
        "from RetinaTriageLib.worker.messages import DevicesRequest\n"
        "client = WorkerClient(sys.executable)\n"
        "client.submit(DevicesRequest()).wait(900)\n"
        "print(client.info.pid, flush=True)\n"
        "os._exit(0)\n"
    )
    told = subprocess.run(
        [torch_python(), "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    pid = int(told.stdout)
    wait_until(lambda: not _lives(pid))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
