"""A Python with torch for real workers: this one, or that of the environment beside it."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[1] / "library"
ROOT = Path(__file__).parents[2]


@cache
def torch_python() -> str:
    """Path of the interpreter; the test is skipped where there is none."""
    if find_spec("torch") is not None:
        return sys.executable
    beside = Path(re.sub(r"[-_]slicer$", "", sys.prefix)) / "bin" / "python"
    if beside.is_file() and str(beside.parents[1]) != sys.prefix:
        found = subprocess.run([beside, "-c", "import torch"], capture_output=True, check=False)
        if found.returncode == 0:
            return str(beside)
    pytest.skip(f"torch is neither in {sys.prefix} nor in an environment {beside.parents[1]}")


def make_bundle(folder: Path) -> Path:
    """Tiny bundle with random weights, written by the Python with torch."""
    code = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(LIBRARY)!r}]\n"
        "from pathlib import Path; from example_bundle import example_bundle\n"
        f"example_bundle(Path({str(folder)!r}))"
    )
    subprocess.run([torch_python(), "-c", code], check=True, capture_output=True)
    return folder
