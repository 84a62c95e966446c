"""Tests on the test host; skipped as a whole where the slicer-core wheel is not installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HAS_SLICER = find_spec("slicer_core") is not None and find_spec("PySide6") is not None

collect_ignore_glob = [] if HAS_SLICER else ["*.py"]

if HAS_SLICER:
    # The wheel takes every folder "slicer" on the path for a part of itself, this one too.
    sys.path[:] = [
        *(str(ROOT / name) for name in ("", "RetinaTriage", "Testing/host", "Testing/library")),
        *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "Testing"),
    ]
    from slicer_host.boot import boot

    boot(views=True)


@pytest.fixture(autouse=True)
def _empty_scene() -> Iterator[None]:
    """Every test starts with an empty scene."""
    import slicer

    slicer.mrmlScene.Clear(False)
    yield
    slicer.mrmlScene.Clear(False)


@pytest.fixture(scope="session")
def module() -> Any:
    """The module, loaded as Slicer's factory does it."""
    import slicer

    return slicer.app.moduleManager().loadScriptedModule(ROOT / "RetinaTriage" / "RetinaTriage.py")


@pytest.fixture(scope="session")
def logic(module: Any) -> Iterator[Any]:
    """Logic of the module with a worker that pretends, and stays warm for all tests."""
    from device_worker import device_client

    code = sys.modules[module.name]
    made = code.RetinaTriageLogic(device_client(on_log=lambda line: made.tellLog(line)))
    yield made
    made.close()


@pytest.fixture
def window() -> Iterator[Any]:
    """Main window; the views are shared, so they are given back whatever becomes of the test."""
    from slicer_host.main_window import qSlicerMainWindow

    made = qSlicerMainWindow()
    yield made
    made.dismantle()


@pytest.fixture
def panel(module: Any, logic: Any) -> Iterator[Any]:
    """Panel of the module, shown, with a worker that pretends."""
    widget = module.widgetRepresentation().self()
    widget.panel.useLogic(logic)
    widget.enter()
    yield widget.panel
    widget.exit()


@pytest.fixture(scope="module")
def judging_logic() -> Iterator[Any]:
    """Logic with a worker that pretends to judge maps, too."""
    from browser_worker import judging_client
    from RetinaTriageSlicer.logic import RetinaTriageLogic

    made = RetinaTriageLogic(judging_client())
    yield made
    made.close()


@pytest.fixture
def again(panel: Any, judging_logic: Any, logic: Any) -> Iterator[Any]:
    """Section that edits, with the first hypothesis of an example chosen."""
    from browser_steps import show_case, show_in

    panel.exit()
    panel.useLogic(judging_logic)
    panel.enter()
    show_in(panel, show_case()).choose(1)
    panel.browser.judgeAgain.autoCheck.setChecked(False)
    panel.browser.judgeAgain.button.collapsed = False
    yield panel.browser.judgeAgain
    panel.exit()
    panel.useLogic(logic)
