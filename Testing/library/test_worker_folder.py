from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from RetinaTriageLib.errors import OutputError
from RetinaTriageLib.worker import protocol
from RetinaTriageLib.worker.errors import WorkerProtocolError
from RetinaTriageLib.worker.folder import (
    ArrayFolder,
    create_private_folder,
    require_private_folder,
)
from RetinaTriageLib.worker.protocol import decode_line, read_line

LARGE = np.arange(5000, dtype=np.float32).reshape(50, 100)


@pytest.fixture
def folder() -> Iterator[ArrayFolder]:
    made = ArrayFolder(create_private_folder(), "request")
    yield made
    made.remove()


@pytest.mark.parametrize(
    "array",
    [LARGE, LARGE.T, LARGE[::2, 3:], LARGE[:0], LARGE[0, 0], np.array([1.5, np.nan]), LARGE > 3],
)
def test_arrays_come_back_exactly(folder: ArrayFolder, array: np.ndarray) -> None:
    array = np.asarray(array)
    if array.dtype == bool:
        array = array.view(np.uint8)
    found = folder.load(folder.store(array))
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(found, array)


def test_file_is_gone_once_read(folder: ArrayFolder) -> None:
    reference = folder.store(LARGE)
    assert [path.name for path in folder.path.iterdir()] == [reference["file"]]
    folder.load(reference)
    assert list(folder.path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "../request_1.npy",
        "/etc/passwd",
        "sub/request_1.npy",
        "..\\request_1.npy",
        "C:request_1.npy",
        "request_1.npy\n",
        "request_1.npy\x00",
        "request_\u0661.npy",
        "notes.npy",
        "",
        None,
        3,
    ],
)
def test_names_that_may_lead_elsewhere_are_refused(folder: ArrayFolder, name: object) -> None:
    with pytest.raises(WorkerProtocolError, match="not a name of this folder"):
        folder.load({"file": name})


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="links need a right on Windows")
def test_links_are_not_followed(folder: ArrayFolder, tmp_path: Path) -> None:
    np.save(tmp_path / "secret.npy", LARGE)
    (folder.path / "answer_1.npy").symlink_to(tmp_path / "secret.npy")
    with pytest.raises(WorkerProtocolError, match="not a file"):
        folder.load({"file": "answer_1.npy"})
    assert (tmp_path / "secret.npy").exists()


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00\x76\x00{'descr'"])
def test_what_is_no_array_is_refused(folder: ArrayFolder, content: bytes) -> None:
    (folder.path / "answer_1.npy").write_bytes(content)
    with pytest.raises(WorkerProtocolError, match="for an array"):
        folder.load({"file": "answer_1.npy"})


def test_pickled_objects_are_never_loaded(folder: ArrayFolder) -> None:
    np.save(folder.path / "answer_1.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(WorkerProtocolError, match="allow_pickle"):
        folder.load({"file": "answer_1.npy"})
    with pytest.raises(TypeError, match="Expected numbers"):
        folder.store(np.array([{}], dtype=object))


def test_removed_folder_takes_no_more_files(folder: ArrayFolder) -> None:
    folder.remove()
    with pytest.raises(OutputError, match="Could not write"):
        folder.store(LARGE)
    assert not folder.path.exists()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has no modes")
def test_only_private_folders_of_ours_are_accepted(folder: ArrayFolder, tmp_path: Path) -> None:
    assert require_private_folder(folder.path) == folder.path
    with pytest.raises(WorkerProtocolError, match="not a folder of RetinaTriage"):
        require_private_folder(tmp_path)
    with pytest.raises(WorkerProtocolError, match="No such file"):
        require_private_folder(tmp_path / "retina-triage-gone")
    folder.path.chmod(0o755)
    with pytest.raises(WorkerProtocolError, match="others may enter it"):
        require_private_folder(folder.path)


@pytest.mark.parametrize("line", [b"\n", b"[1]\n", b"{", b"\xff\x00\n", b"[" * 100_000])
def test_lines_that_are_no_message_are_refused(line: bytes) -> None:
    with pytest.raises(WorkerProtocolError, match="expected one JSON object a line"):
        decode_line(line)


def test_endless_line_is_refused_and_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_LINE_BYTES", 8)
    pipe = BytesIO(b"x" * 50 + b"\n{}\n")
    with pytest.raises(WorkerProtocolError, match="xxxxxxxx"):
        read_line(pipe)
    assert read_line(pipe) == b"{}\n"
    assert read_line(pipe) == b""
