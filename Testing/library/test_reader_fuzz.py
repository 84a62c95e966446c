"""A short run of ``Testing/fuzz``; the long one is run by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fuzz.bases import MAKERS
from fuzz.mutations import mutated

FUZZ = Path(__file__).parents[1] / "fuzz" / "fuzz_readers.py"
FILES = 40


def test_equal_numbers_give_equal_files():
    content = bytes(range(200))
    first, second = (mutated(content, content, np.random.default_rng(3)) for _ in range(2))
    assert first == second != content


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory and time are Linux's")
def test_mutated_files_end_in_a_volume_or_in_our_errors():
    command = [sys.executable, str(FUZZ), "--files", str(FILES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{FILES * len(MAKERS)} files, 0 findings" in done.stdout
