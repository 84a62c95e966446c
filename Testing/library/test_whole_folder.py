import errno
import os
from pathlib import Path

import pytest

from RetinaTriageLib.errors import CancelledError, OutputError
from RetinaTriageLib.writers import whole_folder
from RetinaTriageLib.writers.whole_folder import recover_folder, write_whole_folder


def tree(folder: Path) -> dict[str, str]:
    """Contents of all files below a folder."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def fill_new(place: Path) -> None:
    (place / "a.txt").write_text("new", encoding="utf-8")
    (place / "inner").mkdir()
    (place / "inner" / "b.txt").write_text("new", encoding="utf-8")


def former_folder(parent: Path) -> Path:
    (parent / "case").mkdir()
    (parent / "case" / "a.txt").write_text("former", encoding="utf-8")
    return parent / "case"


def fail_halfway(error: BaseException):
    def fill(place: Path) -> None:
        fill_new(place)
        raise error

    return fill


def test_folder_and_its_parents_appear(tmp_path):
    write_whole_folder(tmp_path / "deep" / "case", fill_new)
    expected = {"case/a.txt": "new", str(Path("case", "inner", "b.txt")): "new"}
    assert tree(tmp_path / "deep") == expected


def test_former_folder_is_replaced_as_a_whole(tmp_path):
    folder = former_folder(tmp_path)
    (folder / "old.txt").write_text("former", encoding="utf-8")
    write_whole_folder(folder, fill_new)
    assert sorted(tree(tmp_path)) == ["case/a.txt", "case/inner/b.txt"]


def test_new_folder_is_readable_by_others(tmp_path):
    (tmp_path / "plain").mkdir()
    write_whole_folder(tmp_path / "case", fill_new)
    assert (tmp_path / "case").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_full_disk_while_filling_leaves_the_former_folder(tmp_path):
    folder = former_folder(tmp_path)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(OutputError, match=r"No space left.*Make room on the disk"):
        write_whole_folder(folder, fail_halfway(full))
    assert tree(tmp_path) == {"case/a.txt": "former"}


def test_full_disk_while_syncing_leaves_nothing(tmp_path, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(whole_folder.os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_whole_folder(tmp_path / "case", fill_new)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt(), CancelledError()])
def test_other_failures_pass_through_and_leave_the_former_folder(tmp_path, error):
    folder = former_folder(tmp_path)
    with pytest.raises(type(error)):
        write_whole_folder(folder, fail_halfway(error))
    assert tree(tmp_path) == {"case/a.txt": "former"}
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


def test_failed_swap_brings_the_former_folder_back(tmp_path, monkeypatch):
    folder = former_folder(tmp_path)
    rename = Path.rename

    def refuse_new(source: Path, target: Path) -> Path:
        if source.suffix == ".partial":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", refuse_new)
    with pytest.raises(OutputError, match="Permission denied"):
        write_whole_folder(folder, fill_new)
    assert tree(tmp_path) == {"case/a.txt": "former"}


def test_folder_whose_swap_was_killed_is_recovered(tmp_path):
    former_folder(tmp_path).rename(tmp_path / ".case.1234.former")
    recover_folder(tmp_path / "case")
    assert tree(tmp_path) == {"case/a.txt": "former"}


def test_recovery_leaves_an_existing_folder_alone(tmp_path):
    former_folder(tmp_path).rename(tmp_path / ".case.1234.former")
    write_whole_folder(tmp_path / "case", fill_new)
    recover_folder(tmp_path / "case")
    assert (tmp_path / "case" / "a.txt").read_text(encoding="utf-8") == "new"
