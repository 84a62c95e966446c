"""The scans that are photographed: the phantom that is shipped and, where at hand, real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from RetinaTriageSlicer.volume_node import DEVICE, LATERALITY, SPACING_SOURCE

from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.volume import DeviceFamily, Laterality, OCTVolume, VoxelSpacing, with_geometry
from RetinaTriageLib.writers.volume_file import write_volume

ROOT = Path(__file__).parents[2]
PHANTOM = ROOT / "Resources" / "SampleData" / "phantom_edema_OD.nrrd"

# Spectralis volumes of Duke University record no spacing of their own; see the data's README.
DUKE_SPACING = VoxelSpacing.from_um(123, 3.87, 11.5)


@dataclass(frozen=True)
class Scan:
    """A volume file and what its node is to state about it.

    Attributes
    ----------
    key : start of the pictures' names
    kept : whether pictures of it may be kept with the project
    """

    key: str
    title: str
    path: Path
    attributes: Mapping[str, str]
    kept: bool = False


def find_scans(data: Path, folder: Path) -> Iterator[Scan]:
    """Phantom first, then the real scans that ``data`` holds, as NRRD files in ``folder``."""
    stated = {LATERALITY: Laterality.OD.value, DEVICE: DeviceFamily.SPECTRALIS.value}
    yield Scan("slicer", "phantom", PHANTOM, stated, kept=True)
    amd, duke = data / "spectralis_volumes/amd_patient1", data / "duke_dme/volume_subject_01"
    if amd.is_dir():
        yield _converted("amd", "amd_patient1", read_volume(amd), folder)
    if duke.is_dir():
        volume = with_geometry(
            read_volume(duke), spacing=DUKE_SPACING, device=DeviceFamily.SPECTRALIS
        )
        yield _converted("duke", "duke_dme_subject_01", volume, folder)


def _converted(key: str, title: str, volume: OCTVolume, folder: Path) -> Scan:
    path = folder / f"{title}.nrrd"
    write_volume(volume, path)
    known = {LATERALITY: volume.laterality, DEVICE: volume.device}
    attributes = {name: fact.value for name, fact in known.items() if fact is not None}
    if "spacing" in volume.sources:
        attributes[SPACING_SOURCE] = volume.sources["spacing"]
    return Scan(key, title, path, attributes)
