"""The makers of scan files, importable here: `Testing` itself is not on the path of these tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "makers"

if "makers" not in sys.modules:
    _spec = importlib.util.spec_from_file_location(
        "makers", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
    )
    assert _spec is not None
    assert _spec.loader is not None
    sys.modules["makers"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["makers"])
