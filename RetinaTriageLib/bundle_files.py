"""The files of a model bundle, read from a folder or a zip that nobody has to trust.

Everything is read into memory once, so what was checked is what is used, and a zip is never
unpacked: an entry with a hostile path has nowhere to go.
"""

from __future__ import annotations

import hashlib
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TypeVar

from RetinaTriageLib.bundle_manifest import (
    ClassifierEntry,
    FluidEntry,
    NamerEntry,
    NetworkEntry,
    SegmenterEntry,
)
from RetinaTriageLib.errors import BundleError, OutputError

Entry = TypeVar("Entry", SegmenterEntry, NamerEntry, FluidEntry, ClassifierEntry)
Loaded = TypeVar("Loaded")

MANIFEST = "bundle.json"
MODEL_CARD = "MODEL_CARD.md"

MAX_FILES = 256
MAX_TOTAL_BYTES = 512 << 20  # an ensemble of 5 x 5 networks takes up to 60 MB
MAX_RATIO = 50  # trained weights hardly shrink in a zip, text shrinks to a tenth
KINDS = (".json", ".safetensors", ".md", ".txt", ".csv")
PICKLES = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz")
LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")  # of file managers; never read


@dataclass(frozen=True)
class _Member:
    """A file inside a bundle; ``path`` starts at the bundle's folder or at the zip's root."""

    path: PurePosixPath
    size: int
    read: Callable[[], bytes]


def read_bundle_files(path: Path) -> Mapping[str, bytes]:
    """Content of every file of a bundle, by name.

    Raises
    ------
    BundleError
        If it is no folder or zip with a ``bundle.json``, is larger than any bundle, or holds
        pickles, links, unsafe paths or unexpected kinds of files.
    """
    path = path.parent if path.name == MANIFEST else path
    try:
        if path.is_dir():
            return _contents(path, _folder_members(path))
        with zipfile.ZipFile(path) as archive:
            return _contents(path, _zip_members(archive))
    except FileNotFoundError as error:
        msg = f"Found nothing at {path}; expected a bundle, as folder or zip. Check the path."
        raise BundleError(msg) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        msg = (
            f"Found {path.name}, which is no whole zip ({error}); expected a bundle as folder or "
            "zip. The file was cut off or is of another kind: get the bundle again."
        )
        raise BundleError(msg) from error
    except OSError as error:
        msg = f"Found a bundle that cannot be read ({error}); check the disk and the permissions."
        raise BundleError(msg) from error


def require_weights(files: Mapping[str, bytes], entry: NetworkEntry) -> bytes:
    """Weights of one network, of the size and SHA-256 that the manifest says."""
    weights = files.get(entry.file)
    if weights is None:
        msg = (
            f"Found no {entry.file} in the bundle, the weights of {entry.name}; expected every "
            "file that bundle.json names. Get the whole bundle again."
        )
        raise BundleError(msg)
    if len(weights) != entry.size:
        msg = (
            f"Found {entry.file} with {len(weights)} bytes, expected {entry.size}: it was cut off "
            "or replaced. Get the bundle again."
        )
        raise BundleError(msg)
    found = hashlib.sha256(weights).hexdigest()
    if found != entry.sha256:
        msg = (
            f"Found {entry.file} with SHA-256 {found}, expected {entry.sha256}: it was altered "
            "after the bundle was made. Do not use it; get the bundle again from its source."
        )
        raise BundleError(msg)
    return weights


def write_bundle_files(
    folder: Path, files: Mapping[str, bytes], load: Callable[[Path], Loaded]
) -> Loaded:
    """Write a bundle and read it back with ``load``; nothing is left behind if that fails.

    Raises
    ------
    OutputError
        If the folder exists or cannot be written.
    """
    if folder.exists():
        msg = f"Found {folder} already; a bundle is never overwritten. Choose a folder that is new."
        raise OutputError(msg)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        msg = f"Could not write a bundle to {folder.parent}: {error}. Choose another folder."
        raise OutputError(msg) from error
    try:
        partial.chmod(0o755)  # mkdtemp makes it private
        for name, content in files.items():
            (partial / name).write_bytes(content)
        loaded = load(partial)
        partial.rename(folder)
    except OSError as error:
        msg = f"Could not write the bundle {folder}: {error}. Free some space or choose another."
        raise OutputError(msg) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return loaded


def with_file_facts(entry: Entry, files: Mapping[str, bytes]) -> Entry:
    """Entry of a manifest with name, hash and size of its weight file among ``files``."""
    name = entry.file if entry.file in files else f"{entry.name}.safetensors"
    sha256 = hashlib.sha256(files[name]).hexdigest()
    return replace(entry, file=name, sha256=sha256, size=len(files[name]))


def _contents(path: Path, members: list[_Member]) -> Mapping[str, bytes]:
    root = _root(path, members)
    for member in members:
        _require_expected(member.path, root)
    total = sum(member.size for member in members)
    if len(members) > MAX_FILES or total > MAX_TOTAL_BYTES:
        msg = (
            f"Found {len(members)} files or more, {total} bytes, in {path.name}; expected at most "
            f"{MAX_FILES} files and {MAX_TOTAL_BYTES} bytes. This is no model bundle."
        )
        raise BundleError(msg)
    files = {member.path.name: member.read() for member in members}
    if MODEL_CARD not in files:
        msg = (
            f"Found no {MODEL_CARD} in {path.name}; expected a model card that says what the "
            "networks are for. Get the whole bundle again."
        )
        raise BundleError(msg)
    return files


def _root(path: Path, members: list[_Member]) -> PurePosixPath:
    """Folder of the manifest: the top, or the only folder of a zip."""
    roots = [member.path.parent for member in members if member.path.name == MANIFEST]
    roots = [root for root in roots if len(root.parts) <= 1]
    if len(roots) != 1:
        msg = (
            f"Found {len(roots)} {MANIFEST} in {path.name}; expected one. This is no model bundle: "
            "choose the folder or zip that holds it."
        )
        raise BundleError(msg)
    return roots[0]


def _require_expected(path: PurePosixPath, root: PurePosixPath) -> None:
    suffix = path.suffix.lower()
    if suffix in PICKLES:
        msg = (
            f"Found {path}, a format that can run code when it is loaded; expected weights as "
            ".safetensors. Do not use this bundle; ask its author for safetensors."
        )
        raise BundleError(msg)
    if suffix not in KINDS or path.parent != root:
        msg = (
            f"Found {path}; expected one folder with files of kind {', '.join(KINDS)} alone. "
            "Remove the file or get the bundle again from its source."
        )
        raise BundleError(msg)


def _folder_members(folder: Path) -> list[_Member]:
    if not (folder / MANIFEST).is_file():
        return []  # not a bundle, and may be the root of a disk
    files = (file for file in folder.rglob("*") if file.is_file() and file.name not in LITTER)
    return [
        _Member(
            PurePosixPath(file.relative_to(folder).as_posix()), file.stat().st_size, file.read_bytes
        )
        for file in islice(files, MAX_FILES + 1)
    ]


def _zip_members(archive: zipfile.ZipFile) -> list[_Member]:
    members: dict[PurePosixPath, _Member] = {}
    for info in archive.infolist():
        path = PurePosixPath(info.filename)
        _require_safe(info, path)
        if info.is_dir() or path.name in LITTER or path.parts[0] == "__MACOSX":
            continue
        if path in members:
            msg = f"Found {path} twice in the zip; expected one file of a name. Pack it again."
            raise BundleError(msg)
        members[path] = _Member(path, info.file_size, lambda info=info: archive.read(info))  # type: ignore[misc]
    return list(members.values())


def _require_safe(info: zipfile.ZipInfo, path: PurePosixPath) -> None:
    # zipfile keeps a backslash on POSIX and turns it into a slash on Windows; a colon names a drive
    unsafe_name = path.is_absolute() or ".." in path.parts or set("\\:\0") & set(info.filename)
    link = stat.S_ISLNK(info.external_attr >> 16)
    encrypted = info.flag_bits & 0x1
    if unsafe_name or link or encrypted or not path.parts:
        msg = (
            f"Found {info.filename!r} in the zip: a link, an encrypted file or a path that leaves "
            "the bundle; expected plain files. Do not use this bundle."
        )
        raise BundleError(msg)
    if info.file_size > MAX_RATIO * max(info.compress_size, 1024):
        msg = (
            f"Found {info.filename} to grow from {info.compress_size} to {info.file_size} bytes; "
            f"expected at most {MAX_RATIO} times. This is no model bundle."
        )
        raise BundleError(msg)
