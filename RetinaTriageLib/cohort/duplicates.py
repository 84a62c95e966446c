"""Files of equal content: the first of them is worked, the others are named.

Content is read no further than needed: files of one size are compared by samples, and hashed as a
whole only where the samples agree.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path

from RetinaTriageLib.cohort.units import Failure, Unit, failure_of

SAMPLE_BYTES = 1 << 16

Key = Callable[[Path], Hashable]


def without_duplicates(units: Sequence[Unit]) -> tuple[tuple[Unit, ...], tuple[Failure, ...]]:
    """Units of different content, in their order, and a failure for each of the others.

    A unit that cannot be looked at is kept, so that its reader says what is wrong. Several series
    of one file are no duplicates.
    """
    first: dict[Path, Path] = {}
    for group in _equal(dict.fromkeys(unit.path for unit in units), [_size, _sample, _digest]):
        first |= dict.fromkeys(group[1:], group[0])
    names = {unit.path: unit.name for unit in reversed(units)}
    kept, failures = [], []
    for unit in units:
        original = first.get(unit.path)
        if original is None:
            kept.append(unit)
        else:
            message = (
                f"{unit.name} has the same content as {names[original]}. Leave one of them out."
            )
            failures.append(failure_of(unit, message, unit.series))
    return tuple(kept), tuple(failures)


def _equal(paths: Iterable[Path], keys: Sequence[Key]) -> list[list[Path]]:
    """Find groups of at least two paths that agree in all keys, each in the order given."""
    groups: defaultdict[Hashable, list[Path]] = defaultdict(list)
    for path in paths:
        try:
            groups[keys[0](path)].append(path)
        except OSError:
            continue
    several = [group for group in groups.values() if len(group) > 1]
    if keys[0] is _size:
        several = [group for group in several if any(_sizes(group[0]))]  # empty files are damaged
    if len(keys) == 1:
        return several
    return [equal for group in several for equal in _equal(group, keys[1:])]


def _size(path: Path) -> Hashable:
    return _sizes(path), path.is_dir()


def _sizes(path: Path) -> tuple[int, ...]:
    return tuple(sorted(file.stat().st_size for file in _files(path)))


def _sample(path: Path) -> Hashable:
    return tuple(sorted(_sample_of(file) for file in _files(path)))


def _sample_of(path: Path) -> bytes:
    size = path.stat().st_size
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for place in (0, size // 2, max(0, size - SAMPLE_BYTES)):
            file.seek(place)
            digest.update(file.read(SAMPLE_BYTES))
    return digest.digest()


def _digest(path: Path) -> Hashable:
    return tuple(sorted(_digest_of(file) for file in _files(path)))


def _digest_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [file for file in path.iterdir() if file.is_file()]
    return [path]
