"""What a user does: load, choose, apply, wait, look; with a photograph during and after the run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import slicer
from arrange import show_result, show_scan
from RetinaTriageSlicer.parameters import BundleChoice
from RetinaTriageSlicer.scene import findResults
from scans import ROOT, Scan
from slicer_host.main_window import photograph, qSlicerMainWindow

SIZE = (1600, 1000)
PHOTOGRAPH_AT = 0.4  # share of the B-scans that are segmented
LIMIT_SECONDS = 900.0


class Session:
    """One start of Slicer, with the module open in its window."""

    def __init__(self, bundle: Path | None) -> None:
        manager = slicer.app.moduleManager()
        self._module = manager.loadScriptedModule(ROOT / "RetinaTriage" / "RetinaTriage.py")
        self._bundle = bundle
        self._window = qSlicerMainWindow()
        self._window.resize(*SIZE)
        self._window.show()

    def work(self, scan: Scan, folder: Path) -> float:
        """Run one scan and write two photographs; returns the seconds that the run took.

        Raises
        ------
        RuntimeError
            If the scan cannot be run or gives no result; the message is what the panel says.
        """
        slicer.mrmlScene.Clear(False)
        volume = slicer.util.loadVolume(str(scan.path), {"name": scan.title})
        for name, value in scan.attributes.items():
            volume.SetAttribute(name, value)
        slicer.util.selectModule(self._module.name)
        panel = self._module.widgetRepresentation().self().panel
        panel.ui.inputSelector.setCurrentNode(volume)
        panel.ui.geometryButton.collapsed = False
        if self._bundle is not None:
            choice = BundleChoice.ZIP if self._bundle.is_file() else BundleChoice.FOLDER
            panel.ui.bundleBox.setCurrentIndex(list(BundleChoice).index(choice))
            panel.ui.bundlePath.currentPath = str(self._bundle)
        self._draw()
        show_scan(volume)
        seconds = self._apply(panel, folder / f"{scan.key}_run.png")
        show_result(findResults()[0])
        panel.ui.geometryButton.collapsed = True  # to have the whole verdict in sight
        photograph(self._window, folder / f"{scan.key}_result.png", SIZE)
        return seconds

    def close(self) -> None:
        """End the worker."""
        self._module.widgetRepresentation().self().cleanup()

    def _apply(self, panel: Any, picture: Path) -> float:
        button = panel.ui.applyButton
        if not button.enabled:
            raise RuntimeError(button.toolTip)
        start = time.monotonic()
        button.click()
        taken = False
        while panel.run is not None:
            if time.monotonic() - start > LIMIT_SECONDS:
                raise RuntimeError(f"No result after {LIMIT_SECONDS:.0f} s.")
            if not taken and _share_done(panel.ui.progressBar) >= PHOTOGRAPH_AT:
                photograph(self._window, picture, SIZE)
                taken = True
            slicer.app.processEvents()
            time.sleep(0.02)
        if not taken or not findResults():
            raise RuntimeError(panel.ui.statusLabel.text)
        return time.monotonic() - start

    def _draw(self) -> None:
        """Give the views their size, which a fit needs."""
        slicer.app.processEvents()
        slicer.app.layoutManager().draw()


def _share_done(bar: Any) -> float:
    return bar.value / bar.maximum if bar.maximum > 1 else 0.0
