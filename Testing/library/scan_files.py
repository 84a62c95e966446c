"""Small scan files of every format that the readers know, written into a test's own folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK
from PIL import Image

from RetinaTriageLib.readers.heidelberg_vol import BSCAN_HEADER, FILE_HEADER, FILE_HEADER_BYTES

REAL_DATA = Path(__file__).parents[2].parent / "shared" / "data"

LPS_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
NO_VALUE = np.finfo(np.float32).max


def speckle(shape: tuple[int, ...] = (3, 16, 20), seed: int = 1) -> npt.NDArray[np.uint8]:
    """Seeded noise, brighter with every depth (the last axis but one)."""
    noise = np.random.default_rng(seed).integers(0, 100, shape)
    ramp = np.arange(shape[-2])[:, np.newaxis] * (155 // shape[-2])
    return (noise + ramp).astype(np.uint8)


def write_grid(
    path: Path,
    voxels: npt.NDArray[Any],
    spacing_mm: tuple[float, ...] = (0.012, 0.0039, 0.12),
    direction: tuple[float, ...] = LPS_IDENTITY,
    *,
    channels: bool = False,
) -> Path:
    """NRRD, NIfTI or MetaImage; spacing and direction as for SimpleITK, fastest axis first."""
    image = SimpleITK.GetImageFromArray(voxels, isVector=channels)
    image.SetSpacing(spacing_mm)
    if image.GetDimension() == 3:
        image.SetDirection(direction)
        image.SetOrigin((1.0, 2.0, 3.0))
    SimpleITK.WriteImage(image, str(path))
    return path


def write_segmentation(path: Path, labels: npt.NDArray[np.uint8]) -> Path:
    """A segmentation with the metadata that Slicer writes into ``.seg.nrrd``."""
    image = SimpleITK.GetImageFromArray(labels)
    image.SetSpacing((0.012, 0.0039, 0.12))
    image.SetMetaData("Segment0_ID", "retina")
    SimpleITK.WriteImage(image, str(path))
    return path


def write_picture(path: Path, pixels: npt.NDArray[Any]) -> Path:
    """PNG, JPEG or TIFF, by the end of the path."""
    Image.fromarray(pixels).save(path)
    return path


def write_picture_folder(folder: Path, names: Sequence[str], bscans: npt.NDArray[Any]) -> Path:
    """One picture a B-scan, named as told."""
    folder.mkdir()
    for name, bscan in zip(names, bscans, strict=True):
        write_picture(folder / name, bscan)
    return folder


def write_tiff_stack(path: Path, bscans: npt.NDArray[Any]) -> Path:
    """One TIFF with a page a B-scan."""
    pages = [Image.fromarray(bscan) for bscan in bscans]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    return path


@dataclass(frozen=True)
class Export:
    """A Heidelberg scan to be written; positions are (column, row) on the localizer, in mm.

    B-scans go upwards by default, from inferior to superior, as the scanner makes them.
    """

    starts_mm: Sequence[tuple[float, float]] = ((1.0, 3.24), (1.0, 3.12), (1.0, 3.0))
    ends_mm: Sequence[tuple[float, float]] = ((1.24, 3.24), (1.24, 3.12), (1.24, 3.0))
    widths: int = 20
    depths: int = 16
    width_mm: float = 0.012
    depth_mm: float = 0.00387167
    right_eye: bool = True
    pattern: int = 3
    lines: int = 2


def raw_reflectivity(export: Export) -> npt.NDArray[np.float32]:
    """Seeded reflectivity in 0 to 1, the first pixel of every B-scan without data."""
    shape = (len(export.starts_mm), export.depths, export.widths)
    raw = np.random.default_rng(2).random(shape).astype(np.float32)
    raw[:, 0, 0] = NO_VALUE
    return raw


def write_vol(path: Path, export: Export) -> Path:
    """A ``.vol`` file with a 30 x 40 localizer and lines at depth 2, 3, ..., invalid at width 0."""
    header = np.zeros(1, FILE_HEADER)
    header["version"] = b"HSF-OCT-103"
    header["widths"], header["depths"] = export.widths, export.depths
    header["bscans"] = len(export.starts_mm)
    header["width_mm"], header["depth_mm"] = export.width_mm, export.depth_mm
    header["localizer_columns"], header["localizer_rows"] = 40, 30
    header["localizer_column_mm"] = header["localizer_row_mm"] = 0.1
    header["eye"] = b"OD" if export.right_eye else b"OS"
    header["pattern"] = export.pattern
    # The patient's data follow in a real file; the name must not turn up anywhere.
    content = [header.tobytes() + b"Doe^John"]
    content[0] = content[0].ljust(FILE_HEADER_BYTES, b"\0")
    content.append(np.arange(1200, dtype=np.uint8).tobytes())
    lines = np.full((export.lines, export.widths), NO_VALUE, "<f4")
    lines[:, 1:] = np.arange(2, 2 + export.lines)[:, np.newaxis]
    for start, end, raw in zip(
        export.starts_mm, export.ends_mm, raw_reflectivity(export), strict=True
    ):
        bscan = np.zeros(1, BSCAN_HEADER)
        bscan["version"], bscan["header_bytes"] = b"HSF-BS-103", 256 + lines.nbytes
        bscan["start_mm"], bscan["end_mm"] = start, end
        bscan["lines"], bscan["lines_offset"] = export.lines, 256
        content += [bscan.tobytes().ljust(256, b"\0"), lines.tobytes(), raw.astype("<f4").tobytes()]
    path.write_bytes(b"".join(content))
    return path


def write_xml_export(
    folder: Path, export: Export, replacements: Mapping[str, str] | None = None
) -> Path:
    """A folder with XML and TIFF files; ``replacements`` are made in the text of the XML."""
    folder.mkdir()
    eye = "R" if export.right_eye else "L"
    images = [_image(0, eye, "LOCALIZER", (30, 40), ("0.1", "0.1"), "")]
    write_picture(folder / "0.tif", speckle((30, 40)))
    scales = (f"{export.width_mm:.4f}", f"{export.depth_mm:.4f}")
    voxels = speckle((len(export.starts_mm), export.depths, export.widths))
    for index, (start, end) in enumerate(zip(export.starts_mm, export.ends_mm, strict=True)):
        position = _position("Start", start) + _position("End", end)
        size = (export.depths, export.widths)
        images.append(_image(index + 1, eye, "OCT", size, scales, position))
        write_picture(folder / f"{index + 1}.tif", np.repeat(voxels[index, ..., None], 3, axis=2))
    text = (
        "<HEDX><BODY><Patient><LastName>Doe</LastName><FirstNames>John</FirstNames><Study>"
        "<Operator>Roe</Operator><Series><Type>Volume</Type><GeneralEquipment>"
        "<Manufacturer>Heidelberg Engineering</Manufacturer></GeneralEquipment>"
        f"{_thickness_grid()}<NumImages>{len(images)}</NumImages>{''.join(images)}"
        "</Series></Study></Patient></BODY></HEDX>"
    )
    for old, new in (replacements or {}).items():
        assert old in text, f"{old} is not in the XML"
        text = text.replace(old, new)
    (folder / "export.xml").write_text(text, encoding="utf-8")
    return folder


def _thickness_grid() -> str:
    diameters = "".join(f"<Diameter{n}>{d}.00</Diameter{n}>" for n, d in ((1, 1), (2, 3), (3, 6)))
    sectors = ("C0", "N1", "N2", "S1", "S2", "T1", "T2", "I1", "I2")
    zones = "".join(
        f"<Zone><Name>{sector}</Name><AvgThickness>0.{300 + place}</AvgThickness></Zone>"
        for place, sector in enumerate(sectors)
    )
    center = "<CenterPos><Coord><X>11.2</X><Y>31.2</Y></Coord></CenterPos>"
    total = "<TotalVolume>8.500</TotalVolume>"
    return f"<ThicknessGrid>{diameters}{center}{total}{zones}</ThicknessGrid>"


def _image(
    number: int, eye: str, kind: str, size: tuple[int, int], scales: tuple[str, str], position: str
) -> str:
    return (
        f"<Image><Laterality>{eye}</Laterality><ImageType><Type>{kind}</Type></ImageType>"
        f"<OphthalmicAcquisitionContext><Width>{size[1]}</Width><Height>{size[0]}</Height>"
        f"<ScaleX>{scales[0]}</ScaleX><ScaleY>{scales[1]}</ScaleY>{position}"
        "</OphthalmicAcquisitionContext><ImageData>"
        f"<ExamURL>file:///C:\\Export\\{number}.TIF</ExamURL></ImageData></Image>"
    )


def _position(end: str, position_mm: tuple[float, float]) -> str:
    column, row = position_mm
    return f"<{end}><Coord><X>{column:.3f}</X><Y>{row:.3f}</Y></Coord></{end}>"
