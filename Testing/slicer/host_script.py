"""The host as ``Slicer --no-main-window --python-script SCRIPT ...``: no views, an event loop."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run the script inside the event loop; returns the code that it exits with."""
    sys.path[:0] = [str(ROOT / "Testing" / "host")]
    from slicer_host.boot import boot

    boot(views=False)
    import qt
    import slicer

    slicer.app.moduleManager().loadScriptedModule(ROOT / "RetinaTriage" / "RetinaTriage.py")
    slicer.app.startupCompleted.emit()
    options = SimpleNamespace(runPythonAndExit=True)  # ``slicer.util.exit`` writes to it
    type(slicer.app).commandOptions = lambda _app: options
    sys.argv = sys.argv[1:]
    timer = qt.QTimer()
    timer.setSingleShot(True)
    timer.connect("timeout()", lambda: runpy.run_path(sys.argv[0], run_name="__main__"))
    timer.start(0)
    return int(slicer.app.exec())


if __name__ == "__main__":
    sys.exit(main())
