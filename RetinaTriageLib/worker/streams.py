"""Standard streams of the worker: the protocol gets its own pipes, prints go to the log."""

from __future__ import annotations

import faulthandler
import os
import sys
from typing import BinaryIO


def take_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Move standard input and output to private descriptors; gives them as (input, output).

    Afterwards descriptor 0 is empty and descriptor 1 is standard error, for Python and for C
    libraries alike. ``os.dup2`` of Windows moves the standard handles along, and Python opens
    descriptors there in binary mode, so lines end alike everywhere.
    """
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr  # one buffer for both, so lines stay in order
    faulthandler.enable()  # a crash leaves its traceback in the log
    return incoming, outgoing
