from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.training.feature_cache import FeatureCache

VALUES = np.array([[1, 2], [3, 4]], np.float32)


def filled(folder: Path) -> FeatureCache:
    cache = FeatureCache(folder, "key", 2)
    cache.reserve(["a", "b"])
    cache.add(["a", "b"], VALUES)
    return cache


def test_features_are_found_again(tmp_path: Path) -> None:
    filled(tmp_path)
    cache = FeatureCache(tmp_path, "key", 2)
    assert "a" in cache
    assert "c" not in cache
    assert cache.take(cache.rows(["b", "a"])).tolist() == [[3, 4], [1, 2]]


def test_table_is_a_plain_numpy_file(tmp_path: Path) -> None:
    filled(tmp_path)
    assert np.load(tmp_path / "key.npy", mmap_mode="r").tolist() == VALUES.tolist()


def test_growing_keeps_what_is_there(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    cache.reserve(["a", "b", "c"])
    cache.add(["c"], np.array([[5, 6]], np.float32))
    assert cache.take(cache.rows(["a", "c"])).tolist() == [[1, 2], [5, 6]]


def test_row_without_its_line_is_computed_again(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "key.rows").write_text("a\nb", encoding="ascii")  # killed within a line
    cache = FeatureCache(tmp_path, "key", 2)
    assert "b" not in cache
    cache.reserve(["b"])
    cache.add(["b"], np.array([[7, 8]], np.float32))
    again = FeatureCache(tmp_path, "key", 2)
    assert again.take(again.rows(["a", "b"])).tolist() == [[1, 2], [7, 8]]


def test_another_key_shares_nothing(tmp_path: Path) -> None:
    filled(tmp_path)
    assert "a" not in FeatureCache(tmp_path, "other", 2)


def test_table_of_another_width_is_refused(tmp_path: Path) -> None:
    filled(tmp_path)
    with pytest.raises(InputError, match="Delete the folder of the cache"):
        FeatureCache(tmp_path, "key", 3)


def test_list_without_its_table_is_refused(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "key.npy").unlink()
    with pytest.raises(InputError, match="do not fit"):
        FeatureCache(tmp_path, "key", 2)
