from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest
from example_bundle import example_bundle

from RetinaTriageLib.bundle import load_bundle
from RetinaTriageLib.errors import BundleError


def zipped(tmp_path: Path, inside: str = "") -> Path:
    """Zip of a fresh example bundle, at its root or in a folder."""
    example_bundle(tmp_path / "bundle")
    archive = tmp_path / "bundle.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in (tmp_path / "bundle").iterdir():
            file.write(path, inside + path.name)
    return archive


def add(archive: Path, entry: str | zipfile.ZipInfo, content: bytes = b"text") -> Path:
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr(entry, content)
    return archive


@pytest.mark.parametrize("inside", ["", "macula/"])
def test_zip_and_folder_give_the_same_bundle(tmp_path: Path, inside: str) -> None:
    archive = zipped(tmp_path, inside)
    assert load_bundle(archive) == load_bundle(tmp_path / "bundle")


def test_path_of_the_manifest_stands_for_its_folder(tmp_path: Path) -> None:
    bundle = example_bundle(tmp_path / "bundle")
    assert load_bundle(tmp_path / "bundle" / "bundle.json") == bundle


def test_litter_of_file_managers_is_ignored(tmp_path: Path) -> None:
    archive = add(zipped(tmp_path, "macula/"), "__MACOSX/macula/._bundle.json")
    assert load_bundle(add(archive, "macula/.DS_Store")).manifest.name == "example"


@pytest.mark.parametrize(
    "name", ["../evil.md", "/etc/evil.md", "a/../../evil.md", "..\\evil.md", "C:evil.md"]
)
def test_zip_with_a_hostile_path_is_refused(tmp_path: Path, name: str) -> None:
    archive = add(zipped(tmp_path), name)
    with pytest.raises(BundleError, match="leaves the bundle"):
        load_bundle(archive)


def test_zip_with_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("notes.md")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(BundleError, match="link"):
        load_bundle(add(zipped(tmp_path), link, b"/etc/passwd"))


def test_zip_bomb_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="at most 50 times"):
        load_bundle(add(zipped(tmp_path), "notes.md", b"0" * 20_000_000))


def test_bundle_larger_than_any_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example_bundle(tmp_path / "bundle")
    monkeypatch.setattr("RetinaTriageLib.bundle_files.MAX_TOTAL_BYTES", 1000)
    with pytest.raises(BundleError, match="at most 256 files and 1000 bytes"):
        load_bundle(tmp_path / "bundle")


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".pkl", ".PT"])
def test_pickle_is_refused_in_a_folder_and_in_a_zip(tmp_path: Path, suffix: str) -> None:
    archive = add(zipped(tmp_path), f"weights{suffix}")
    (tmp_path / "bundle" / "deep").mkdir()
    (tmp_path / "bundle" / "deep" / f"weights{suffix}").write_bytes(b"")
    for path in (archive, tmp_path / "bundle"):
        with pytest.raises(BundleError, match="can run code"):
            load_bundle(path)


@pytest.mark.parametrize("name", ["setup.py", "deep/notes.md"])
def test_unexpected_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError, match=f"Found {name}; expected one folder"):
        load_bundle(add(zipped(tmp_path), name))


def test_two_files_of_one_name_in_a_zip_are_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path)
    with pytest.warns(UserWarning, match="Duplicate"):
        add(archive, "MODEL_CARD.md")
    with pytest.raises(BundleError, match="twice"):
        load_bundle(archive)


@pytest.mark.parametrize("kept", [0.3, 0.99])
def test_truncated_zip_is_refused(tmp_path: Path, kept: float) -> None:
    archive = zipped(tmp_path)
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(BundleError, match="no whole zip"):
        load_bundle(archive)


def test_zip_with_a_damaged_file_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path)
    content = bytearray(archive.read_bytes())
    content[500:520] = b"\0" * 20
    archive.write_bytes(content)
    with pytest.raises(BundleError, match="no whole zip"):
        load_bundle(archive)


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scan.vol").write_bytes(b"HSF-OCT-103" + bytes(100))
    with pytest.raises(BundleError, match=r"scan\.vol, which is no whole zip"):
        load_bundle(tmp_path / "scan.vol")


def test_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"")
    with pytest.raises(BundleError, match=r"Found 0 bundle\.json"):
        load_bundle(tmp_path)


def test_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="Found nothing at"):
        load_bundle(tmp_path / "nowhere.zip")
