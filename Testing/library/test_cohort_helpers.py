from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from cohort_tasks import echo, misbehave

from RetinaTriageLib.cohort.helper_pool import (
    HelperDiedError,
    HelperPool,
    HelperTimeoutError,
    Limits,
    UnexpectedTaskError,
)
from RetinaTriageLib.errors import InputError

MARK = Path()


@pytest.fixture(scope="module")
def pool() -> Iterator[HelperPool]:
    found = HelperPool(misbehave, 1, Limits(30.0, 4 << 30))
    yield found
    found.close()


def test_arrays_and_read_only_mappings_come_back_as_they_were() -> None:
    pool = HelperPool(echo, 1)
    sent = {"a": np.arange(6.0).reshape(2, 3), "b": MappingProxyType({"c": np.empty(0)})}
    back = pool.ask(sent)
    pool.close()
    np.testing.assert_array_equal(back["a"], sent["a"])
    back["a"][0, 0] = 7  # writable
    assert isinstance(back["b"], MappingProxyType)


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("refuse", InputError),
        ("fill", InputError),
        ("stumble", UnexpectedTaskError),
        ("unsendable", UnexpectedTaskError),
    ],
)
def test_error_of_a_task_reaches_who_asked_and_the_process_goes_on(
    what: str, error: type[Exception], pool: HelperPool
) -> None:
    assert pool.ask(("be", MARK)) == "well"
    process = pool.process_ids
    with pytest.raises(error):
        pool.ask((what, MARK))
    assert pool.ask(("be", MARK)) == "well"
    assert pool.process_ids == process


def test_task_of_a_killed_process_is_done_by_another(pool: HelperPool, tmp_path: Path) -> None:
    assert pool.ask(("die once", tmp_path / "mark")) == "well"


def test_task_that_kills_every_process_is_given_up(pool: HelperPool) -> None:
    with pytest.raises(HelperDiedError, match=f"3 times .signal {signal.SIGSEGV.value}"):
        pool.ask(("crash", MARK))


def test_task_that_hangs_is_ended(tmp_path: Path) -> None:
    pool = HelperPool(misbehave, 1, Limits(seconds=0.5))
    with pytest.raises(HelperTimeoutError, match=r"longer than the 0\.5 s"):
        pool.ask(("hang", tmp_path))
    pool.close()


def test_closed_pool_leaves_no_process() -> None:
    pool = HelperPool(echo, 2)
    pool.ask(1)
    (process,) = pool.process_ids
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
