"""The module as Slicer loads it, and its logic as a script calls it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import slicer
from panel_steps import scan, wait_until
from RetinaTriageSlicer.run_settings import RunSettings
from RetinaTriageSlicer.scene import findResults

from RetinaTriageLib.errors import BundleError
from RetinaTriageLib.worker.errors import WorkerDiedError

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "RetinaTriage" / "RetinaTriage.py"
HEAVY = ("torch", "scipy", "SimpleITK", "RetinaTriageLib.volume", "RetinaTriageSlicer.scene")


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


def test_self_test_passes(module: Any):
    slicer.selfTests[module.name]()


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
