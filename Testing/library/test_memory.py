from __future__ import annotations

import pytest
import torch

from RetinaTriageLib.errors import DeviceError
from RetinaTriageLib.inference.memory import in_chunks_that_fit


def room_for(limit: int, error: Exception):
    """Work that runs out of memory in chunks larger than the limit."""

    def attempt(chunk: int) -> int:
        if chunk > limit:
            raise error
        return chunk

    return attempt


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 7 bytes"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 7 bytes"),
        RuntimeError("MPS backend out of memory"),
        RuntimeError("could not create a primitive"),
    ],
)
def test_chunk_is_halved_until_memory_suffices(error: Exception) -> None:
    said: list[str] = []
    assert in_chunks_that_fit(room_for(1, error), 6, "B-scans", said.append) == 1
    assert [sentence[-1 - len("with 3") : -1] for sentence in said] == ["with 3", "with 1"]


def test_chunk_of_one_that_does_not_fit_names_the_remedy() -> None:
    with pytest.raises(DeviceError, match="Close other programs"):
        in_chunks_that_fit(room_for(0, MemoryError()), 4, "B-scans", print)


@pytest.mark.parametrize(
    "text", ["shapes differ", "could not create a primitive descriptor for a convolution"]
)
def test_other_errors_are_not_taken_for_lack_of_memory(text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        in_chunks_that_fit(room_for(0, RuntimeError(text)), 4, "B-scans", print)
