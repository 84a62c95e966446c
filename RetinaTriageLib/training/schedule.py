"""Learning rate over a training run: warm-up, then a cosine or a staircase."""

from __future__ import annotations

import math
from enum import Enum


class Schedule(Enum):
    """How the learning rate falls."""

    COSINE = "cosine"
    STAIRCASE = "staircase"


# Share of the run done, factor from there on: De Fauw et al. 2018, Supplementary Methods.
STAIRS = (
    (0.0, 1.0),
    (0.1, 1 / 2),
    (0.2, 1 / 4),
    (0.5, 1 / 8),
    (0.7, 1 / 64),
    (0.9, 1 / 256),
    (0.95, 1 / 512),
)
COSINE_FLOOR = 0.01


def rate_factor(schedule: Schedule, done: float) -> float:
    """Learning rate relative to its peak after a share ``done`` (0-1) of the run.

    Examples
    --------
    >>> rate_factor(Schedule.STAIRCASE, 0.3)
    0.25
    """
    if schedule is Schedule.STAIRCASE:
        return next(factor for start, factor in reversed(STAIRS) if done >= start)
    wave = (1 + math.cos(math.pi * min(done, 1.0))) / 2
    return COSINE_FLOOR + (1 - COSINE_FLOOR) * wave


def warm_up_factor(iteration: int, warm_up_iterations: int) -> float:
    """Factor that rises to 1 over the first iterations."""
    return min(1.0, (iteration + 1) / max(1, warm_up_iterations))
