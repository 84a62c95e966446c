from __future__ import annotations

import pytest

from RetinaTriageLib.errors import OutputError
from RetinaTriageLib.writers.whole_files import require_free_files, whole_files


def test_files_appear_together(tmp_path):
    first, second = tmp_path / "new" / "a.txt", tmp_path / "new" / "b.txt"
    with whole_files(first, second) as (one, two):
        one.write_text("1")
        two.write_text("2")
        assert not first.exists()
    assert (first.read_text(), second.read_text()) == ("1", "2")
    assert len(list(first.parent.iterdir())) == 2


def test_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def write() -> None:
        with whole_files(path) as (partial,):
            partial.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="could not be written"):
        write()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_taken_name_is_refused(tmp_path):
    require_free_files(tmp_path / "a", overwrite=False)
    (tmp_path / "a").touch()
    require_free_files(tmp_path / "a", overwrite=True)
    with pytest.raises(OutputError, match="--overwrite"):
        require_free_files(tmp_path / "a", overwrite=False)
