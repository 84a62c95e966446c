from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial

import pytest
import torch

from RetinaTriageLib.inference.side_by_side import side_by_side


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_results_come_in_the_order_of_the_tasks(at_once: int) -> None:
    def slower_first(number: int) -> int:
        time.sleep(0.02 / (1 + number))
        return number

    tasks = (partial(slower_first, number) for number in range(12))
    assert list(side_by_side(tasks, at_once, ahead=4)) == list(range(12))


def test_tasks_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=10)  # broken if one waits alone
    assert len(list(side_by_side([meeting.wait] * 6, 2, ahead=2))) == 6


def test_a_task_waits_until_the_result_of_that_so_many_before_was_taken() -> None:
    taken: list[int] = []

    def taken_so_far() -> int:
        return len(taken)

    for number, seen in enumerate(side_by_side([taken_so_far] * 20, 3, ahead=3)):
        assert seen >= number - 2
        taken.append(number)


def test_an_error_ends_the_work_and_threads_are_as_before() -> None:
    begun: list[int] = []
    threads = torch.get_num_threads()

    def work(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise MemoryError
        return number

    with pytest.raises(MemoryError):
        list(side_by_side((partial(work, number) for number in range(50)), 2, ahead=3))
    assert len(begun) < 10
    assert torch.get_num_threads() == threads


def test_tasks_that_have_not_begun_never_do_once_it_is_closed() -> None:
    begun: list[int] = []

    def tasks() -> Iterator[Callable[[], None]]:
        for number in range(50):
            yield partial(begun.append, number)

    with closing(side_by_side(tasks(), 2, ahead=5)) as results:
        next(results)
    count = len(begun)
    assert count <= 6
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("network")]
