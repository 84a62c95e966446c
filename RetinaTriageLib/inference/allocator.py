"""Keep freed memory in the process: on Linux, large blocks otherwise go back after every layer.

The C library of most Linux systems hands each large block back to the kernel when it is freed, so
the next layer pays for fresh pages again. For our own processes only (command line, worker): the
setting cannot be taken back and would make an application that embeds us hold on to its memory.
"""

from __future__ import annotations

import ctypes
import platform

# Parameters of mallopt(3) in <malloc.h> of glibc.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3

LARGEST_BLOCK_BYTES = 1 << 30
LARGEST_TOP_BYTES = (1 << 31) - 1


def keep_freed_memory() -> bool:
    """Let the process keep freed memory; True where that was possible (glibc), else False."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    mallopt.argtypes = (ctypes.c_int, ctypes.c_int)
    mallopt.restype = ctypes.c_int
    in_heap = mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK_BYTES)
    untrimmed = mallopt(M_TRIM_THRESHOLD, LARGEST_TOP_BYTES)
    return bool(in_heap and untrimmed)
