"""Networks that compute at the same time on one processor, with results in the order of the work.

Threads that share a convolution wait for one another at its end; networks with a thread each do
not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

from RetinaTriageLib.inference.compute import Compute

Result = TypeVar("Result")

LEAST_USED = 0.8  # share of the threads that must not be left over


def networks_at_once(networks: int, compute: Compute) -> int:
    """Give how many networks compute at a time, each with an equal share of the threads.

    Examples
    --------
    >>> at_once = lambda threads: networks_at_once(5, Compute("cpu", "float32", threads, ""))
    >>> [at_once(threads) for threads in (1, 2, 4, 8, 16)]
    [1, 2, 4, 4, 5]
    """
    if compute.device != "cpu":
        return 1
    threads = compute.threads
    return max(
        count
        for count in range(1, min(networks, threads) + 1)
        if count * (threads // count) >= LEAST_USED * threads
    )


def side_by_side(
    tasks: Iterable[Callable[[], Result]], at_once: int, ahead: int
) -> Generator[Result, None, None]:
    """Results of tasks in their order, of which several are worked on at once.

    Close the iterator where it is not used up: tasks that have begun end, others never begin.

    Parameters
    ----------
    ahead : a task begins only after the result of the one so many before it was taken
    """
    if at_once == 1:
        for task in tasks:
            yield task()
        return
    threads = torch.get_num_threads()
    share = max(1, threads // at_once)
    pool = ThreadPoolExecutor(at_once, "network", torch.set_num_threads, (share,))
    begun: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            if len(begun) == ahead:
                yield begun.popleft().result()
            begun.append(pool.submit(task))
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # some libraries take what a worker set for all threads
