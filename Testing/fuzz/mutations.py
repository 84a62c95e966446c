"""Damage done to files: seeded, so that a number names a file."""

from __future__ import annotations

import struct

import numpy as np

INTEGERS = (0, 1, 2, 7, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1)
FLOATS = (0.0, -1.0, 1e-30, 1e30, float("inf"), float("nan"), 3.4e38)
TEXTS = (b"0", b"-1", b"99999999999", b"nan", b"inf", b"../../etc/passwd", b"LIST", b"%d", b"\0")
HEADER_BYTES = 600  # where most of a format's numbers stand
MOST_CHANGES = 6


def mutated(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Content with one to six changes; ``other`` is another file to take parts from."""
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, MOST_CHANGES + 1))):
        if not changed:
            break
        change = CHANGES[int(rng.integers(0, len(CHANGES)))]
        change(changed, other, _place(changed, rng), rng)
    return bytes(changed)


def _place(content: bytearray, rng: np.random.Generator) -> int:
    end = len(content) if rng.random() < 0.5 else min(len(content), HEADER_BYTES)
    place = int(rng.integers(0, end))
    return place - place % 4 if rng.random() < 0.3 else place


def _flip(content, _other, place, rng):
    content[place] ^= 1 << int(rng.integers(0, 8))


def _byte(content, _other, place, rng):
    content[place] = int(rng.integers(0, 256))


def _integer(content, _other, place, rng):
    value = INTEGERS[int(rng.integers(0, len(INTEGERS)))]
    size, code = ((2, "H"), (4, "I"))[int(rng.integers(0, 2))]
    order = "<>"[int(rng.integers(0, 2))]
    content[place : place + size] = struct.pack(order + code, value % 2 ** (8 * size))


def _float(content, _other, place, rng):
    value = FLOATS[int(rng.integers(0, len(FLOATS)))]
    size, code = ((4, "f"), (8, "d"))[int(rng.integers(0, 2))]
    content[place : place + size] = np.array([value], f"<{code}").tobytes()


def _text(content, _other, place, rng):
    word = TEXTS[int(rng.integers(0, len(TEXTS)))]
    content[place : place + int(rng.integers(0, len(word) + 1))] = word


def _cut(content, _other, place, rng):
    del content[place : place + int(rng.integers(1, 64))]


def _truncate(content, _other, place, _rng):
    del content[place:]


def _repeat(content, _other, place, rng):
    size = int(rng.integers(1, 64))
    content[place:place] = content[place : place + size] * int(rng.integers(1, 4))


def _splice(content, other, place, rng):
    if other:
        start = int(rng.integers(0, len(other)))
        content[place : place + 32] = other[start : start + int(rng.integers(1, 64))]


CHANGES = (_flip, _byte, _integer, _integer, _float, _text, _cut, _truncate, _repeat, _splice)
