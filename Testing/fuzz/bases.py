"""Sound files to mutate: tiny ones of every format, as the makers write them."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import SimpleITK
from makers.dicom import JPEG_2000, JPEG_LS, Layout, write_dicom, write_single_frames
from makers.heidelberg import write_e2e, write_heidelberg_xml, write_vol
from makers.optovue import write_optovue
from makers.scan import made_scan
from makers.topcon import write_fda, write_fds
from makers.zeiss import img_name, write_img
from PIL import Image
from pydicom.uid import RLELossless

from RetinaTriageLib.volume import OCTVolume, VoxelSpacing

LOCATED = Layout(located=True)
OLDER = Layout(grouped=False, positioned=False, between=True)


@dataclass(frozen=True)
class Base:
    """Files of one scan by their names, and the one that is read; "." is their folder."""

    files: Mapping[str, bytes]
    read: str


def make_bases(folder: Path, kind: str) -> tuple[Base, ...]:
    """Sound files of a kind, written once into a scratch folder."""
    bases = []
    for number, make in enumerate(MAKERS[kind]):
        place = folder / f"{kind}_{number}"
        place.mkdir()
        path = make(place, made_scan((3, 16, 16), seed=number + 1))
        files = {
            str(file.relative_to(place)): file.read_bytes()
            for file in sorted(place.rglob("*"))
            if file.is_file()
        }
        bases.append(Base(MappingProxyType(files), str(path.relative_to(place))))
    return tuple(bases)


def _grid(name: str) -> Callable[[Path, OCTVolume], Path]:
    def write(folder: Path, scan: OCTVolume) -> Path:
        image = SimpleITK.GetImageFromArray(scan.voxels)
        image.SetSpacing((0.012, 0.0039, 0.12))
        SimpleITK.WriteImage(image, str(folder / name), useCompression="packed" in name)
        return folder / name

    return write


def _picture(name: str) -> Callable[[Path, OCTVolume], Path]:
    def write(folder: Path, scan: OCTVolume) -> Path:
        pages = [Image.fromarray(bscan) for bscan in scan.voxels]
        several = {"save_all": True, "append_images": pages[1:]} if "stack" in name else {}
        compression = {"compression": "tiff_adobe_deflate"} if "packed" in name else {}
        pages[0].save(folder / name, **several, **compression)
        return folder / name

    return write


def _folder_of_pictures(folder: Path, scan: OCTVolume) -> Path:
    for number, bscan in enumerate(scan.voxels):
        Image.fromarray(bscan).save(folder / f"{number}.png")
    return folder


def _dicom(layout: Layout) -> Callable[[Path, OCTVolume], Path]:
    return lambda folder, scan: write_dicom(folder / "a.dcm", scan, layout)


def _dicom_rle(folder: Path, scan: OCTVolume) -> Path:
    return write_dicom(folder / "a.dcm", scan, change=lambda data: data.compress(RLELossless))


def _img(folder: Path, _scan: OCTVolume) -> Path:
    cube = made_scan((1, 1024, 16), VoxelSpacing(None, 0.002, 0.012))
    return write_img(folder / img_name(cube), cube)


def _nifti_packed(folder: Path, scan: OCTVolume) -> Path:
    path = _grid("a.nii")(folder, scan)
    (folder / "a.nii.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()
    return folder / "a.nii.gz"


def _two(volume: OCTVolume) -> tuple[OCTVolume, OCTVolume]:
    return volume, replace(volume, voxels=np.ascontiguousarray(volume.voxels[:, ::-1]))


MAKERS: Mapping[str, tuple[Callable[[Path, OCTVolume], Path], ...]] = {
    "nrrd": (_grid("a.nrrd"), _grid("packed.nrrd"), _grid("a.nhdr")),
    "nifti": (_grid("a.nii"), _nifti_packed),
    "meta image": (_grid("a.mha"), _grid("packed.mha"), _grid("a.mhd")),
    "picture": (_picture("a.png"), _picture("a.jpg"), _folder_of_pictures),
    "tiff": (_picture("stack.tif"), _picture("packed_stack.tif")),
    "heidelberg vol": (lambda folder, scan: write_vol(folder / "a.vol", scan),),
    "heidelberg xml": (
        lambda folder, scan: write_heidelberg_xml(folder / "a", scan),
        lambda folder, scan: write_heidelberg_xml(folder / "a", scan) / "export.xml",
    ),
    "heidelberg e2e": (
        lambda folder, scan: write_e2e(folder / "a.e2e", scan),
        lambda folder, scan: write_e2e(folder / "a.e2e", *_two(scan)),
    ),
    "topcon fda": (lambda folder, scan: write_fda(folder / "a.fda", scan),),
    "topcon fds": (lambda folder, scan: write_fds(folder / "a.fds", scan),),
    "zeiss img": (_img,),
    "optovue": (lambda folder, scan: write_optovue(folder / "a.oct", scan),),
    "dicom": (
        _dicom(LOCATED),
        _dicom(OLDER),
        lambda folder, scan: write_single_frames(folder / "a", scan),
    ),
    "dicom jpeg 2000": (_dicom(JPEG_2000),),
    "dicom jpeg-ls": (_dicom(JPEG_LS),),
    "dicom rle": (_dicom_rle,),
}
