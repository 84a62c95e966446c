from __future__ import annotations

import threading
from pathlib import Path

from RetinaTriageLib.writers.file_lock import lock_waited_for, locked_file


def test_a_second_holder_is_turned_away(tmp_path: Path) -> None:
    with locked_file(tmp_path / "lock") as first, locked_file(tmp_path / "lock") as second:
        assert (first, second) == (True, False)


def test_a_lock_is_free_again_after_its_holder(tmp_path: Path) -> None:
    with locked_file(tmp_path / "lock"):
        pass
    with locked_file(tmp_path / "lock") as again:
        assert again


def test_one_who_waits_says_so_and_goes_on_when_it_is_free(tmp_path: Path) -> None:
    said: list[str] = []
    waiting, done = threading.Event(), threading.Event()

    def wait() -> None:
        with lock_waited_for(tmp_path / "lock", waiting.set):
            said.append("inside")
            done.set()

    with locked_file(tmp_path / "lock"):
        thread = threading.Thread(target=wait)
        thread.start()
        assert waiting.wait(10)
        assert not said
    assert done.wait(10)
    thread.join()
