from __future__ import annotations

import numpy as np
import pytest

from RetinaTriageLib.labels.label_sets import LABEL_SETS


def test_tissue_codes_allow_themselves_alone() -> None:
    np.testing.assert_array_equal(LABEL_SETS[:15], np.eye(15, dtype=bool))


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        (100, [4, 5]),
        (101, [2, 3, 6]),
        (102, [2, 3, 4, 5, 6]),
        (103, [7, 8, 9, 10]),
        (104, [0, 1]),
        (105, [0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
        (255, list(range(15))),
        (99, []),
    ],
)
def test_set_codes_allow_their_tissues(code: int, allowed: list[int]) -> None:
    assert np.flatnonzero(LABEL_SETS[code]).tolist() == allowed


def test_table_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        LABEL_SETS[0, 0] = False
