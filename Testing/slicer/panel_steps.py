"""What a user does in the panel, as steps of tests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import slicer
from example_result import SMALL, example_map, example_volume
from fake_worker import LIMIT_SECONDS
from RetinaTriageSlicer.parameters import BundleChoice
from RetinaTriageSlicer.scene import findResults
from volume_nodes import volume_node

MANIFEST = {
    "format": "retina-triage-bundle",
    "name": "pretended",
    "version": "1.0",
    "license": "Apache-2.0",
    "trained_on": "Trained on nothing.",
    "segmenters": [{}, {}],
    "classifiers": [{}],
}


def scan() -> Any:
    """Volume node of a small eye whose spacing is known."""
    return volume_node(example_volume(SMALL, example_map(SMALL, 0)))


def bundle_folder(parent: Path, does: str = "work") -> Path:
    """Folder of a bundle; its name tells the pretending worker what to do."""
    folder = parent / does
    folder.mkdir(exist_ok=True)
    (folder / "bundle.json").write_text(json.dumps(MANIFEST))
    return folder


def choose(box: Any, choice: Any) -> None:
    """Choose an entry of a list that stands for an enumeration."""
    box.setCurrentIndex(list(type(choice)).index(choice))


def choose_bundle(panel: Any, path: Path) -> None:
    choose(panel.ui.bundleBox, BundleChoice.ZIP if path.is_file() else BundleChoice.FOLDER)
    panel.ui.bundlePath.currentPath = str(path)


def ready(panel: Any, parent: Path, does: str = "work") -> Any:
    """Choose all that Apply needs; gives the volume node."""
    node = scan()
    panel.ui.inputSelector.setCurrentNode(node)
    choose_bundle(panel, bundle_folder(parent, does))
    return node


def wait_until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_SECONDS
    while not done():
        assert time.monotonic() < end
        slicer.app.processEvents()
        time.sleep(0.01)


def run(panel: Any) -> None:
    """Press Apply and wait for the end."""
    assert panel.ui.applyButton.enabled, panel.ui.applyButton.toolTip
    panel.ui.applyButton.click()
    wait_until(lambda: panel.run is None)


def result_names() -> list[str]:
    return [result.consensus.GetName() for result in findResults()]


class Questions:
    """Stands in for the question dialogs: gives one answer and keeps what was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, answer: bool) -> None:
        self.asked: list[str] = []
        self._answer = answer
        for name in ("confirmYesNoDisplay", "confirmOkCancelDisplay"):
            monkeypatch.setattr(slicer.util, name, self._ask)

    def _ask(self, text: str, windowTitle: str) -> bool:
        assert windowTitle
        self.asked.append(text)
        return self._answer
