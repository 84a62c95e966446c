import numpy as np
import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.measures.columns import class_counts, column_counts


def random_map(seed=0):
    return np.random.default_rng(seed).integers(0, 15, (3, 40, 20)).astype(np.uint8)


def test_counts_equal_those_of_each_class_alone():
    tissue_map = random_map()
    expected = np.stack([(tissue_map == label).sum(axis=1) for label in range(15)])
    np.testing.assert_array_equal(column_counts(tissue_map, 15), expected)


def test_every_voxel_counts_once():
    assert (column_counts(random_map(), 15).sum(axis=0) == 40).all()


def test_class_counts_sum_up_the_columns():
    tissue_map = random_map()
    expected = column_counts(tissue_map, 15).sum(axis=(1, 2))
    np.testing.assert_array_equal(class_counts(tissue_map, 15), expected)


def test_label_beyond_the_vocabulary_is_refused():
    with pytest.raises(InputError, match="Found label 14 in a map of 3"):
        column_counts(np.full((1, 2, 2), 14, dtype=np.uint8), 3)


def test_single_bscan_without_its_axis_is_refused():
    with pytest.raises(InputError, match="stack the B-scans"):
        column_counts(np.zeros((4, 4), dtype=np.uint8), 15)
