"""Tasks for the helper processes of tests, which import them by this module's name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from RetinaTriageLib.errors import InputError


def echo(request: Any) -> Any:
    return request


def misbehave(request: tuple[str, Path]) -> Any:
    """Do what is asked for; what kills it, only once."""
    what, mark = request
    match what:
        case "refuse":
            msg = "It is no scan; choose one."
            raise InputError(msg)
        case "hang":
            time.sleep(60)
        case "fill":
            return np.ones(1 << 40, np.uint8)
        case "stumble":
            return 1 // 0
        case "unsendable":
            return lambda: None
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "die once" if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return "well"
