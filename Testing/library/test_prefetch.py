from __future__ import annotations

import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.training.prefetch import Prefetch


def test_batches_come_in_order() -> None:
    prefetch = Prefetch(lambda iteration: iteration * 10, first=3)
    assert [prefetch.take() for _ in range(6)] == [30, 40, 50, 60, 70, 80]
    prefetch.close()


def test_error_while_making_a_batch_reaches_the_caller() -> None:
    def fail(iteration: int) -> int:
        raise InputError(str(iteration))

    prefetch = Prefetch(fail, first=3)
    with pytest.raises(InputError, match="3"):
        prefetch.take()
    prefetch.close()
