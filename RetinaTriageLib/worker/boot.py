"""How the worker's Python is started so that it runs this copy of the library."""

from __future__ import annotations

from pathlib import Path

# By its folder and with -P, so that neither the working directory nor another installed copy of
# the library gets in the way.
BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from RetinaTriageLib.worker.__main__ import main; main()"
)
WORKER_ARGUMENTS = ("-P", "-c", BOOT, str(Path(__file__).resolve().parents[2]))
