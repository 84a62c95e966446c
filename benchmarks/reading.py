"""Time to read 128 x 496 x 512 voxels of each format, beside the plain library call.

    PYTHONPATH=Testing:. python benchmarks/reading.py [--runs N] [--format NAME]

The plain call is what a script without this library would write: pydicom's ``pixel_array``,
SimpleITK's ``ReadImage``, Pillow, or for formats of makers the least that reads their voxels at
all, without positions, names or checks: as OCT-Converter does it, its B-scans stacked into one
array. Times are processor time, medians of interleaved calls.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import SimpleITK
from makers.dicom import JPEG_2000, JPEG_LS, Layout, write_dicom
from makers.heidelberg import write_e2e, write_heidelberg_xml, write_vol
from makers.optovue import write_optovue
from makers.scan import made_scan
from makers.topcon import write_fda, write_fds
from makers.zeiss import img_name, write_img
from PIL import Image

from RetinaTriageLib.readers.e2e_directory import read_directory
from RetinaTriageLib.readers.heidelberg_vol import BSCAN_HEADER, FILE_HEADER_BYTES
from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.readers.topcon_frames import PACKED_HEADER, RAW_HEADER
from RetinaTriageLib.volume import VoxelSpacing

SHAPE = (128, 496, 512)
MOST = 1.5
LOCATED = Layout(located=True)


def main() -> int:
    """Print a table; returns 1 where a reader takes more than 1.5 times the plain call."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--format", action="append", help="name in the table; default: all")
    parser.add_argument("--shape", type=int, nargs=3, default=SHAPE)
    parsed = parser.parse_args()
    scan = made_scan(tuple(parsed.shape), VoxelSpacing.from_um(46.9, 3.87, 11.7))
    down = made_scan(tuple(parsed.shape), scan.spacing, superior_first=True)
    cube = made_scan((parsed.shape[0], 1024, parsed.shape[2]), scan.spacing)
    slow = []
    print(f"{'format':22} {'ours s':>8} {'plain s':>8} {'ratio':>6}  plain call")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        cases = {
            "NRRD": (lambda: _grid(folder / "a.nrrd", scan), _simple_itk),
            "NIfTI": (lambda: _grid(folder / "a.nii", scan), _simple_itk),
            "NIfTI packed": (lambda: _grid(folder / "b.nii.gz", scan), _simple_itk),
            "MetaImage": (lambda: _grid(folder / "a.mha", scan), _simple_itk),
            "TIFF stack": (lambda: _tiff(folder / "a.tif", scan), _pillow),
            "Heidelberg .vol": (lambda: write_vol(folder / "a.vol", scan), _vol),
            "Heidelberg xml+tif": (lambda: write_heidelberg_xml(folder / "x", scan), _xml),
            "Heidelberg .E2E": (lambda: write_e2e(folder / "a.E2E", scan), _e2e),
            "DICOM": (lambda: write_dicom(folder / "a.dcm", scan, Layout()), _pydicom),
            "DICOM, on localizer": (lambda: write_dicom(folder / "o.dcm", scan, LOCATED), _pydicom),
            "DICOM JPEG 2000": (lambda: write_dicom(folder / "j.dcm", scan, JPEG_2000), _pydicom),
            "DICOM JPEG-LS": (lambda: write_dicom(folder / "l.dcm", scan, JPEG_LS), _pydicom),
            "Topcon .fda": (lambda: write_fda(folder / "a.fda", down), _fda),
            "Topcon .fds": (lambda: write_fds(folder / "a.fds", down), _fds),
            "Zeiss .img": (lambda: write_img(folder / img_name(cube), cube), _img),
            "Optovue .OCT": (lambda: write_optovue(folder / "a.OCT", scan), _optovue),
        }
        for name, (write, plain) in cases.items():
            if parsed.format and name not in parsed.format:
                continue
            path = write()
            ours, theirs = _compare(
                partial(read_volume, path), partial(plain, path, parsed.shape), parsed.runs
            )
            ratio = ours / theirs
            slow += [name] if ratio > MOST else []
            print(f"{name:22} {ours:8.3f} {theirs:8.3f} {ratio:6.2f}  {PLAIN[plain]}", flush=True)
    print(f"more than {MOST} times the plain call: {', '.join(slow) or 'none'}")
    return 1 if slow else 0


def _compare(ours: Callable, theirs: Callable, runs: int) -> tuple[float, float]:
    """Median processor seconds of interleaved calls, the first of each left out."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs + 1):
        for call, taken in zip((ours, theirs), times, strict=True):
            start = time.process_time()
            call()
            taken.append(time.process_time() - start)
    first, second = (statistics.median(taken[1:]) for taken in times)
    return first, second


def _grid(path: Path, scan) -> Path:
    image = SimpleITK.GetImageFromArray(scan.voxels)
    image.SetSpacing((0.0117, 0.00387, 0.0469))
    SimpleITK.WriteImage(image, str(path))
    return path


def _tiff(path: Path, scan) -> Path:
    pages = [Image.fromarray(bscan) for bscan in scan.voxels]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    return path


def _simple_itk(path: Path, _shape):
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))


def _pillow(path: Path, _shape):
    with Image.open(path) as stack:
        pages = []
        for number in range(stack.n_frames):
            stack.seek(number)
            pages.append(np.asarray(stack))
    return np.stack(pages)


def _xml(folder: Path, _shape):
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.tif"))[1:]])


def _pydicom(path: Path, _shape):
    import pydicom

    return pydicom.dcmread(path).pixel_array


def _vol(path: Path, shape):
    content = np.fromfile(path, np.uint8)
    start = FILE_HEADER_BYTES + 1200
    header = np.frombuffer(content[start : start + BSCAN_HEADER.itemsize], BSCAN_HEADER)[0]
    head, pixels = int(header["header_bytes"]), shape[1] * shape[2] * 4
    bscans = content[start:].reshape(-1, head + pixels)[:, head:]
    raw = np.ascontiguousarray(bscans).view("<f4").reshape(shape)
    return np.rint(255 * raw**0.25).astype(np.uint8)


def _e2e(path: Path, _shape):
    file = read_directory(np.fromfile(path, np.uint8), path.name)
    items = file.items[file.items["index"] == 1]
    return np.stack([file.payload(item)[20:].view("<u2") for item in items])


def _fda(path: Path, shape):
    content = path.read_bytes()
    place = content.index(b"@IMG_JPEG") + 13 + PACKED_HEADER.itemsize
    pages = []
    for _ in range(shape[0]):
        size = int.from_bytes(content[place : place + 4], "little")
        stream = io.BytesIO(content[place + 4 : place + 4 + size])
        pages.append(np.asarray(Image.open(stream)))
        place += 4 + size
    return np.stack(pages)


def _fds(path: Path, shape):
    content = path.read_bytes()
    place = content.index(b"@IMG_SCAN_03") + 16 + RAW_HEADER.itemsize
    count = shape[0] * shape[1] * shape[2]
    volume = np.array(np.frombuffer(content, "<u2", count, place))
    return np.stack(list(volume.reshape(shape)))


def _img(path: Path, shape):
    volume = np.frombuffer(path.read_bytes(), np.uint8)
    return np.stack(list(volume.reshape(shape[0], 1024, shape[2])))


def _optovue(path: Path, shape):
    data = np.frombuffer(path.read_bytes(), "<f4").reshape(shape[0], shape[2], shape[1])
    return np.stack([np.rot90(bscan) for bscan in data])


PLAIN = {
    _simple_itk: "SimpleITK.ReadImage to array",
    _pillow: "Pillow, page by page",
    _xml: "Pillow, file by file",
    _pydicom: "pydicom.dcmread().pixel_array",
    _vol: "numpy.fromfile, fourth root, 8 bit",
    _e2e: "16 bit pixels, stacked",
    _fda: "Pillow, stacked",
    _fds: "numpy, stacked",
    _img: "numpy, stacked",
    _optovue: "numpy, turned and stacked",
}
"""Each plain call as the table names it."""

if __name__ == "__main__":
    raise SystemExit(main())
