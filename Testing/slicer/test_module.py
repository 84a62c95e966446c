import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import slicer
from example_result import SMALL, example_map, example_volume
from fake_worker import LIMIT_SECONDS, fake_client
from RetinaTriageSlicer.run_settings import RunSettings
from RetinaTriageSlicer.scene import findResults
from volume_nodes import volume_node

from RetinaTriageLib.errors import BundleError, CancelledError
from RetinaTriageLib.worker.errors import WorkerDiedError

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "RetinaTriage" / "RetinaTriage.py"
HEAVY = ("torch", "scipy", "SimpleITK", "RetinaTriageLib.volume", "RetinaTriageSlicer.scene")


@pytest.fixture(scope="module")
def module() -> Any:
    return slicer.app.moduleManager().loadScriptedModule(MODULE)


@pytest.fixture
def logic(module: Any) -> Iterator[Any]:
    made = sys.modules[module.name].RetinaTriageLogic(fake_client())
    yield made
    made.close()


@pytest.fixture
def panel(module: Any, logic: Any) -> Iterator[Any]:
    """Panel of the module, shown, with a worker that pretends."""
    widget = module.widgetRepresentation().self()
    widget.enter()
    widget.panel._logic = logic
    yield widget.panel
    widget.exit()


def scan() -> Any:
    return volume_node(example_volume(SMALL, example_map(SMALL, 0)))


def wait_until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_SECONDS
    while not done():
        assert time.monotonic() < end
        slicer.app.processEvents()
        time.sleep(0.01)


def folder(tmp_path: Path, does: str) -> Path:
    """Folder that stands for a bundle; its name tells the pretending worker what to do."""
    path = tmp_path / does
    path.mkdir()
    return path


def test_console_call_gives_the_nodes_of_the_result(logic: Any):
    nodes = logic.process(scan(), RunSettings(bundle=Path("work")))
    assert nodes.tables["scores"].GetNumberOfRows() > 0
    assert findResults() == (nodes,)


@pytest.mark.parametrize(("does", "error"), [("bundle", BundleError), ("crash", WorkerDiedError)])
def test_failed_run_raises_and_adds_nothing(logic: Any, does: str, error: type[Exception]):
    node = scan()
    before = slicer.mrmlScene.GetNumberOfNodes()
    with pytest.raises(error):
        logic.process(node, RunSettings(bundle=Path(does)))
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_volume_removed_during_the_run_gets_no_result(logic: Any):
    node = scan()
    run = logic.processAsync(node, RunSettings(bundle=Path("work")))
    slicer.mrmlScene.RemoveNode(node)
    wait_until(lambda: run.ended)
    assert "removed during the run" in str(run.error)
    assert findResults() == ()


def test_apply_shows_the_result(panel: Any, tmp_path: Path):
    panel.ui.inputSelector.setCurrentNode(scan())
    panel._parameters.bundlePath = str(folder(tmp_path, "work"))
    assert panel.ui.applyButton.enabled, panel.ui.applyButton.toolTip
    panel.ui.applyButton.click()
    assert panel.ui.applyButton.text == "Cancel"
    wait_until(lambda: panel.run is None)
    assert len(findResults()) == 1
    assert panel.ui.applyButton.text == "Apply"


def test_cancel_leaves_the_scene_as_it_was(panel: Any, tmp_path: Path):
    panel.ui.inputSelector.setCurrentNode(scan())
    panel._parameters.bundlePath = str(folder(tmp_path, "endless"))
    before = slicer.mrmlScene.GetNumberOfNodes()
    panel.ui.applyButton.click()
    run = panel.run
    wait_until(lambda: run.job.progress is not None)
    panel.ui.applyButton.click()
    wait_until(lambda: panel.run is None)
    assert isinstance(run.error, CancelledError)
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_apply_says_why_it_is_disabled(panel: Any):
    panel._parameters.bundlePath = "/nowhere"
    panel._parameters.depthSpacingUm = 4.0
    button = panel.ui.applyButton
    assert not button.enabled
    reasons = ("Choose an OCT volume", "no model bundle at /nowhere", "spacing of depth and width")
    assert all(reason in button.toolTip for reason in reasons)


def test_panel_says_what_is_assumed(panel: Any):
    node = scan()
    panel.ui.inputSelector.setCurrentNode(node)
    assert "Spacing is unknown" not in panel.ui.geometryLabel.text
    node.SetSpacing(1, 1, 1)
    assert "Spacing is unknown" in panel.ui.geometryLabel.text


def test_panel_goes_on_after_the_scene_was_closed(panel: Any):
    slicer.mrmlScene.Clear(False)
    panel.ui.inputSelector.setCurrentNode(scan())
    assert panel.ui.applyButton.enabled


def test_self_test_passes(module: Any):
    slicer.selfTests[module.name]()


def test_every_control_has_a_tooltip(module: Any):
    import qt

    controls = (qt.QAbstractButton, qt.QComboBox, qt.QAbstractSpinBox, qt.QPlainTextEdit)
    ui = module.widgetRepresentation().findChild("qMRMLWidget", "RetinaTriage")
    named = [w for w in ui.findChildren(qt.QWidget) if w.objectName and isinstance(w, controls)]
    named = [w for w in named if not w.objectName.startswith("qt_")]
    assert named
    assert [w.objectName for w in named if not w.toolTip] == []


def test_module_file_loads_nothing_heavy():
    host = str(ROOT / "Testing" / "host")
    code = (
        f"import sys; sys.path.insert(0, {host!r}); from slicer_host.boot import boot; boot()\n"
        "import slicer; before = set(sys.modules); from pathlib import Path\n"
        f"slicer.app.moduleManager().loadScriptedModule(Path({str(MODULE)!r}))\n"
        f"print([n for n in {HEAVY!r} if n in set(sys.modules) - before])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[-2] == "[]"
