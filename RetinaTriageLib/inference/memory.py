"""Out of memory: the same work again in smaller chunks, said aloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from RetinaTriageLib.errors import DeviceError

Result = TypeVar("Result")

# What torch says on the CPU (DefaultCPUAllocator) and on other devices; types differ by version.
OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")

# All that oneDNN says where the system gives it no more memory, for its code or its scratchpad.
# What it does not support is "could not create a primitive descriptor", which is not meant here.
ONEDNN_OUT_OF_MEMORY = ("could not create a primitive", "could not execute a primitive")


def in_chunks_that_fit(
    attempt: Callable[[int], Result], chunk: int, unit: str, say: Callable[[str], None]
) -> Result:
    """Do the whole work in chunks; after each lack of memory start anew with half the chunk.

    Parameters
    ----------
    attempt : does the work in chunks of the given size and gives its result
    unit : what a chunk counts, such as "B-scans"
    say : is told each time that the chunk became smaller

    Raises
    ------
    DeviceError
        If memory does not suffice for chunks of 1.
    """
    while True:
        try:
            return attempt(chunk)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            if chunk == 1:
                msg = (
                    f"Found too little memory for 1 of the {unit} at a time ({error}); expected "
                    "room for that. Close other programs, choose the device cpu, or use a "
                    "computer with more memory."
                )
                raise DeviceError(msg) from error
        # Here and not in the handler: there, the traceback keeps the tensors alive.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        say(f"Memory ran out with {chunk} {unit} at a time; starting again with {chunk // 2}.")
        chunk //= 2


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory did not suffice."""
    text = str(error).lower()
    return (
        isinstance(error, MemoryError | torch.OutOfMemoryError)
        or any(phrase in text for phrase in OUT_OF_MEMORY)
        or text.strip() in ONEDNN_OUT_OF_MEMORY
    )
