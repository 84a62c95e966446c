"""DICOM files, parsed with pydicom, which is optional and imported here alone.

Files are mapped before they are parsed: a damaged length then ends at the end of the file, while a
stream would reserve as much memory as the length states.
"""

from __future__ import annotations

import mmap
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from RetinaTriageLib.errors import InputError, MissingPackageError
from RetinaTriageLib.readers.sizes import MOST_BYTES

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

PREAMBLE_BYTES = 128
MAGIC = b"DICM"
DEFLATED = "1.2.840.10008.1.2.1.99"

INSTALL = "install it with: pip install 'retina-triage[formats]'"
# pydicom converts values when they are looked at; on a damaged file nearly any error can result.
PARSER_ERRORS = (
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    OSError,
    EOFError,
    RuntimeError,
    ArithmeticError,
    AssertionError,
    MemoryError,
    struct.error,
)


def is_dicom(path: Path) -> bool:
    """Whether a file starts as DICOM files do."""
    with path.open("rb") as file:
        return file.read(PREAMBLE_BYTES + len(MAGIC))[PREAMBLE_BYTES:] == MAGIC


@contextmanager
def damaged_values(name: str) -> Iterator[None]:
    """Turn whatever pydicom raises on a damaged file into an `InputError`; mute its warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except _parser_errors() as error:
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        msg = f"{name} cannot be read as DICOM ({reason[0][:200]}); copy or export it again."
        raise InputError(msg) from error


def parse_dicom(path: Path, *, pixels: bool) -> FileDataset:
    """Read the data set of a file.

    Parameters
    ----------
    pixels : whether to read the pixel data too

    Raises
    ------
    InputError
        If pydicom is missing, the file is too large, damaged or of the deflated transfer syntax.
    """
    pydicom = _pydicom()
    if not is_dicom(path):
        msg = f"{path.name} holds no DICM at byte {PREAMBLE_BYTES}; expected a DICOM file."
        raise InputError(msg)
    if path.stat().st_size > MOST_BYTES:
        msg = f"{path.name} has more than 2 GiB; expected one OCT scan."
        raise InputError(msg)
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        damaged_values(path.name),
    ):
        meta = pydicom.filereader.read_file_meta_info(path)
        if meta.get("TransferSyntaxUID") == DEFLATED:
            msg = (
                f"{path.name} is deflated as a whole, which could unpack to any size; store it "
                "uncompressed or as JPEG 2000."
            )
            raise InputError(msg)
        dataset: FileDataset = pydicom.dcmread(content, stop_before_pixels=not pixels)
    return dataset


def stored_instance(path: Path) -> str:
    """Return the instance UID of a file, which stands at its start too."""
    with damaged_values(path.name):
        meta = _pydicom().filereader.read_file_meta_info(path)
        return str(meta.get("MediaStorageSOPInstanceUID", ""))


def _parser_errors() -> tuple[type[Exception], ...]:
    """Everything that pydicom raises, its own errors among it, which derive from no common one."""
    from pydicom import errors

    return (*PARSER_ERRORS, errors.InvalidDicomError, errors.BytesLengthException)


def _pydicom() -> Any:
    try:
        import pydicom
    except ImportError as error:
        msg = f"DICOM files need pydicom, which is not installed; {INSTALL}"
        raise MissingPackageError(msg, "pydicom>=3.0") from error
    return pydicom
