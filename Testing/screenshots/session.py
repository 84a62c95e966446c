"""What a user does: load, choose, apply, wait, look; with a photograph during and after the run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from arrange import scroll_to, show_result, show_scan
from RetinaTriageSlicer.parameters import BundleChoice
from RetinaTriageSlicer.scene import findResults
from scans import ROOT, Scan
from slicer_host.main_window import photograph, qSlicerMainWindow

SIZE = (1600, 1000)
PHOTOGRAPH_AT = 0.4  # share of the B-scans that are segmented
LIMIT_SECONDS = 3600.0
LAYOUT_ROUNDS = 3  # a widget whose height changes moves those below it, one after the other


class Session:
    """One start of Slicer, with the module open in its window.

    Parameters
    ----------
    bundle : folder or zip of a model bundle; None for the shipped one
    results : folder of saved scenes; a scan whose result is there is not run again
    """

    def __init__(self, bundle: Path | None, results: Path | None) -> None:
        manager = slicer.app.moduleManager()
        self._module = manager.loadScriptedModule(ROOT / "RetinaTriage" / "RetinaTriage.py")
        self._bundle, self._results = bundle, results
        self._window = qSlicerMainWindow()
        self._window.resize(*SIZE)
        self._window.show()

    @property
    def panel(self) -> Any:
        """Panel of the module."""
        return self._module.widgetRepresentation().self().panel

    def work(self, scan: Scan, folder: Path) -> str:
        """Run one scan and write two photographs, or open its saved result; tells which.

        Raises
        ------
        RuntimeError
            If the scan cannot be run or gives no result; the message is what the panel says.
        """
        slicer.mrmlScene.Clear(False)
        saved = None if self._results is None else self._results / f"{scan.key}.mrb"
        if saved is not None and saved.is_file():
            slicer.util.loadScene(str(saved))
            self._choose(findResults()[0].volumeNode)
            did = f"{scan.title}: result of {saved.name}"
        else:
            did = self._run(scan, folder)
            if saved is not None:
                saved.parent.mkdir(parents=True, exist_ok=True)
                slicer.util.saveScene(str(saved))
        show_scan(findResults()[0].volumeNode)
        show_result(findResults()[0])
        self.panel.ui.geometryButton.collapsed = True  # to have the whole verdict in sight
        self.photograph(folder / f"{scan.key}_result.png")
        return did

    def photograph(self, path: Path, top: Any = None) -> None:
        """Photograph the window; ``top`` is the widget to scroll the panel to."""
        for _ in range(LAYOUT_ROUNDS):
            slicer.app.processEvents()
        if top is not None:
            scroll_to(self._window, top)
        photograph(self._window, path, SIZE)

    def wait_until(self, done: Callable[[], bool]) -> None:
        """Let the window work.

        Raises
        ------
        RuntimeError
            If it takes too long.
        """
        end = time.monotonic() + LIMIT_SECONDS
        while not done():
            if time.monotonic() > end:
                msg = f"No answer after {LIMIT_SECONDS:.0f} s: {self.panel.ui.statusLabel.text}"
                raise RuntimeError(msg)
            slicer.app.processEvents()
            time.sleep(0.02)

    def close(self) -> None:
        """End the worker."""
        self._module.widgetRepresentation().self().cleanup()

    def _run(self, scan: Scan, folder: Path) -> str:
        volume = slicer.util.loadVolume(str(scan.path), {"name": scan.title})
        for name, value in scan.attributes.items():
            volume.SetAttribute(name, value)
        self._choose(volume)
        ui = self.panel.ui
        ui.geometryButton.collapsed = False
        if self._bundle is not None:
            choice = BundleChoice.ZIP if self._bundle.is_file() else BundleChoice.FOLDER
            ui.bundleBox.setCurrentIndex(list(BundleChoice).index(choice))
            ui.bundlePath.currentPath = str(self._bundle)
        show_scan(volume)
        seconds = self._apply(folder / f"{scan.key}_run.png")
        return f"{scan.title}: run of {seconds:.0f} s"

    def _choose(self, volume: Any) -> None:
        slicer.util.selectModule(self._module.name)
        self.panel.ui.inputSelector.setCurrentNode(volume)
        slicer.app.processEvents()  # gives the views their size, which a fit needs
        slicer.app.layoutManager().draw()

    def _apply(self, picture: Path) -> float:
        panel = self.panel
        button = panel.ui.applyButton
        if not button.enabled:
            raise RuntimeError(button.toolTip)
        start = time.monotonic()
        button.click()
        self.wait_until(
            lambda: panel.run is None or _share_done(panel.ui.progressBar) >= PHOTOGRAPH_AT
        )
        taken = panel.run is not None
        if taken:
            self.photograph(picture)
        self.wait_until(lambda: panel.run is None)
        if not taken or not findResults():
            raise RuntimeError(panel.ui.statusLabel.text)
        return time.monotonic() - start


def _share_done(bar: Any) -> float:
    return bar.value / bar.maximum if bar.maximum > 1 else 0.0
