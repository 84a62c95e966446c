"""Heidelberg ``.vol``, ``.E2E`` and xml+tif files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from makers.scan import NAMES, bscan_lines
from RetinaTriageLib.readers.e2e_directory import (
    DIRECTORY,
    ENTRY,
    FILE_HEADER_BYTES,
    ITEM_HEADER_BYTES,
    MAGIC,
)
from RetinaTriageLib.readers.e2e_images import IMAGE, IMAGE_TYPE
from RetinaTriageLib.readers.e2e_scans import BSCAN, BSCAN_TYPE, LATERALITY_BYTE, LATERALITY_TYPE
from RetinaTriageLib.readers.heidelberg_e2e import LINE, LINE_TYPE, MEDIUM_EYE_MM_PER_DEGREE
from RetinaTriageLib.readers.heidelberg_vol import BSCAN_HEADER, FILE_HEADER
from RetinaTriageLib.readers.heidelberg_vol import FILE_HEADER_BYTES as VOL_HEADER_BYTES
from RetinaTriageLib.volume import Laterality, OCTVolume

PATIENT_TYPE = 9
LINE_DEPTH = 5.5
EMPTY = np.finfo(np.float32).max


def write_vol(path: Path, volume: OCTVolume) -> Path:
    """A ``.vol`` file with a 30 x 40 localizer and one device line at depth 5.5."""
    bscans, depths, widths = volume.shape
    spacing = volume.require_spacing()
    header = np.zeros(1, FILE_HEADER)
    header["version"], header["pattern"] = b"HSF-OCT-103", 3 if bscans > 1 else 1
    header["widths"], header["bscans"], header["depths"] = widths, bscans, depths
    header["width_mm"], header["depth_mm"] = spacing.width_mm, spacing.depth_mm
    header["bscan_mm"] = spacing.bscan_mm or 0
    header["localizer_columns"], header["localizer_rows"] = 40, 30
    header["localizer_column_mm"] = header["localizer_row_mm"] = 0.1
    header["eye"] = volume.laterality.value.encode()
    content = [(header.tobytes() + " ".join(NAMES).encode()).ljust(VOL_HEADER_BYTES, b"\0")]
    content.append(np.arange(1200, dtype=np.uint8).tobytes())
    for number, (start, end) in enumerate(zip(*bscan_lines(volume), strict=True)):
        bscan = np.zeros(1, BSCAN_HEADER)
        bscan["version"], bscan["header_bytes"] = b"HSF-BS-103", 256 + 4 * widths
        bscan["start_mm"], bscan["end_mm"] = start, end
        bscan["lines"], bscan["lines_offset"] = 1, 256
        raw = (volume.voxels[number].astype(np.float64) / 255) ** 4
        line = np.full(widths, LINE_DEPTH, "<f4")
        content += [bscan.tobytes().ljust(256, b"\0"), line.tobytes(), raw.astype("<f4").tobytes()]
    path.write_bytes(b"".join(content))
    return path


def write_e2e(path: Path, *volumes: OCTVolume, patterns: tuple[int, ...] = ()) -> Path:
    """An ``.E2E`` file, one series a volume; each has a localizer and one line at depth 5.5."""
    items = [(-1, -1, -1, 0, PATIENT_TYPE, " ".join(NAMES).encode().ljust(131, b"\0"))]
    for series, volume in enumerate(volumes, 1):
        items += _scan_items(series, volume, patterns[series - 1] if patterns else 3)
    first_directory = FILE_HEADER_BYTES + DIRECTORY.itemsize
    half = len(items) // 2
    content, directories = bytearray(first_directory), []
    for part in (items[:half], items[half:]):
        directories.append(_append_directory(content, part, directories[-1:]))
    content[: len(MAGIC)] = MAGIC
    main = np.zeros(1, DIRECTORY)
    main["magic"], main["current"] = b"MDbMDir", directories[-1]
    content[FILE_HEADER_BYTES:first_directory] = main.tobytes()
    path.write_bytes(content)
    return path


def _append_directory(content: bytearray, items, previous) -> int:
    place = len(content)
    directory = np.zeros(1, DIRECTORY)
    directory["magic"], directory["entries"] = b"MDbDir", len(items) + 1
    directory["previous"] = previous[0] if previous else 0
    entries = np.zeros(len(items) + 1, ENTRY)  # the last one stays unused
    start = place + DIRECTORY.itemsize + entries.nbytes
    payloads = bytearray()
    for entry, (patient, series, number, index, kind, payload) in zip(entries, items, strict=False):
        entry["position"], entry["start"] = place, start + len(payloads)
        entry["size"], entry["type"], entry["index"] = len(payload), kind, index
        entry["patient"], entry["study"] = patient, patient
        entry["series"], entry["slice"] = series, number
        payloads += _item_header(entry) + payload
    content += directory.tobytes() + entries.tobytes() + payloads
    return place


def _item_header(entry: np.void) -> bytes:
    """What a directory says of an item, said again before its payload."""
    named = [entry[field] for field in ("patient", "study", "series", "slice")]
    return b"".join(
        (
            b"MDbData".ljust(20, b"\0"),
            entry["position"].tobytes(),
            entry["size"].tobytes(),
            bytes(4),
            *(value.tobytes() for value in named),
            entry["index"].tobytes(),
            bytes(2),
            entry["type"].tobytes(),
            bytes(4),
        )
    ).ljust(ITEM_HEADER_BYTES, b"\0")


def _scan_items(series: int, volume: OCTVolume, pattern: int):
    letter = {Laterality.OD: b"R", Laterality.OS: b"L", None: b"?"}[volume.laterality]
    eye = bytes(LATERALITY_BYTE) + letter + bytes(12)
    localizer = np.arange(48, dtype=np.uint8).reshape(6, 8)
    items = [
        (1, series, -1, 0, LATERALITY_TYPE, eye),
        (1, series, -1, 0, IMAGE_TYPE, _image(localizer, 33620481)),
    ]
    starts, ends = (line / MEDIUM_EYE_MM_PER_DEGREE - 5 for line in bscan_lines(volume))
    bscans, depths, widths = volume.shape
    for number in range(bscans):
        header = np.zeros(1, BSCAN)
        header["depths"], header["widths"], header["scanned_widths"] = depths, widths, widths
        header["start_degrees"], header["end_degrees"] = starts[number], ends[number]
        header["center_degrees"] = (starts[number] + ends[number]) / 2
        header["depth_mm"] = volume.require_spacing().depth_mm
        header["bscans"], header["number"], header["pattern"] = bscans, number, pattern
        line = np.zeros(1, LINE)
        line["line"], line["widths"] = 1, widths
        depths_px = np.full(widths, LINE_DEPTH, "<f4")
        depths_px[0] = EMPTY
        # Twenty bytes of unknown use lie between header and line, as in files of HEYEX 2.
        payload = line.tobytes() + bytes(20) + depths_px.tobytes()
        items += [
            (1, series, 2 * number, 1, IMAGE_TYPE, _image(_codes(volume.voxels[number]), 35652097)),
            (1, series, 2 * number, 0, BSCAN_TYPE, header.tobytes().ljust(428, b"\0")),
            (1, series, 2 * number, 0, LINE_TYPE, payload),
        ]
    return items


def _image(pixels: np.ndarray, kind: int) -> bytes:
    header = np.zeros(1, IMAGE)
    header["size"], header["kind"], header["count"] = pixels.nbytes, kind, pixels.size
    header["depths"], header["widths"] = pixels.shape
    return header.tobytes() + pixels.tobytes()


def _codes(gray: np.ndarray) -> np.ndarray:
    """Pixels of 6 bits of exponent and 10 of mantissa for gray values; 0 becomes no data."""
    reflectivity = (gray.astype(np.float64) / 255) ** 4
    fraction, exponent = np.frexp(np.where(gray > 0, reflectivity, 1.0))
    mantissa = np.rint((2 * fraction - 1) * 1024).astype(np.int64)
    codes = ((exponent - 1 + 63).astype(np.int64) << 10) + mantissa
    return np.where(gray > 0, codes, 0xFFFF).astype("<u2")


def write_heidelberg_xml(folder: Path, *volumes: OCTVolume) -> Path:
    """A folder with one XML file and a TIFF for each picture, one series a volume."""
    folder.mkdir()
    scans = "".join(_series(folder, place, volume) for place, volume in enumerate(volumes))
    text = (
        f"<HEDX><BODY><Patient><LastName>{NAMES[0]}</LastName><FirstNames>{NAMES[1]}</FirstNames>"
        f"<PatientID>{NAMES[2]}</PatientID><Study>{scans}</Study></Patient></BODY></HEDX>"
    )
    (folder / "export.xml").write_text(text, encoding="utf-8")
    return folder


def _series(folder: Path, place: int, volume: OCTVolume) -> str:
    localizer = np.arange(1200, dtype=np.uint16).reshape(30, 40).astype(np.uint8)
    spacing = volume.require_spacing()
    images = [_xml_image(folder, f"{place}_0.tif", localizer, "LOCALIZER", volume, (0.1, 0.1), "")]
    for number, (start, end) in enumerate(zip(*bscan_lines(volume), strict=True)):
        position = "".join(
            f"<{tag}><Coord><X>{at[0]:.4f}</X><Y>{at[1]:.4f}</Y></Coord></{tag}>"
            for tag, at in (("Start", start), ("End", end))
        )
        scales = (spacing.width_mm, spacing.depth_mm)
        name = f"{place}_{number + 1}.tif"
        pixels = volume.voxels[number]
        images.append(_xml_image(folder, name, pixels, "OCT", volume, scales, position))
    return (
        "<Series><Type>Volume</Type><GeneralEquipment><Manufacturer>Heidelberg Engineering"
        f"</Manufacturer></GeneralEquipment><NumImages>{len(images)}</NumImages>"
        f"{''.join(images)}</Series>"
    )


def _xml_image(folder, name, pixels, kind, volume, scales, position) -> str:
    Image.fromarray(pixels).save(folder / name)
    eye = "R" if volume.laterality is Laterality.OD else "L"
    return (
        f"<Image><Laterality>{eye}</Laterality><ImageType><Type>{kind}</Type></ImageType>"
        f"<OphthalmicAcquisitionContext><Width>{pixels.shape[1]}</Width>"
        f"<Height>{pixels.shape[0]}</Height><ScaleX>{scales[0]:.5f}</ScaleX>"
        f"<ScaleY>{scales[1]:.6f}</ScaleY>{position}</OphthalmicAcquisitionContext>"
        f"<ImageData><ExamURL>file:///C:\\Export\\{name}</ExamURL></ImageData></Image>"
    )
