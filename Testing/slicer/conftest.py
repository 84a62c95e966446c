"""Tests on the test host; skipped as a whole where the slicer-core wheel is not installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HAS_SLICER = find_spec("slicer_core") is not None and find_spec("PySide6") is not None

collect_ignore_glob = [] if HAS_SLICER else ["*.py"]

if HAS_SLICER:
    sys.path[:0] = [
        str(ROOT / folder) for folder in ("", "RetinaTriage", "Testing/host", "Testing/library")
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
