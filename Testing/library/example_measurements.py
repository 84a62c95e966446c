"""Measurements of the example eye, written down plainly and apart from those of the library."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.hypotheses import Spread, spread
from RetinaTriageLib.result import EtdrsTable, Fovea, Measurements, TissueMeasure
from RetinaTriageLib.tissues import TISSUES, TissueGroup, labels_of
from RetinaTriageLib.volume import LabelArray, OCTVolume, VoxelSpacing

REGIONS_MM = {"1 mm": 0.5, "3 mm": 1.5, "6 mm": 3.0, "all": np.inf}
SECTORS = ("C0", "S1", "N1", "I1", "T1", "S2", "N2", "I2", "T2")
FLUID = labels_of(TissueGroup.FLUID)
PED = labels_of(TissueGroup.PED)
RETINA = (*labels_of(TissueGroup.RETINA, TissueGroup.PED), *FLUID)


def example_measurements(
    volume: OCTVolume,
    maps: list[LabelArray],
    consensus: LabelArray,
) -> Measurements:
    """Measurements of tissue maps, array by array, around the middle of the scan."""
    agree = sum((one == consensus).astype(np.float32) for one in maps) / np.float32(len(maps))
    apart = np.maximum(1 - agree, 1e-9)
    entropy = -(agree * np.log2(agree) + apart * np.log2(apart)).mean(1).astype(np.float32)
    entropy = np.maximum(entropy, 0)
    enface = volume.voxels.mean(1, dtype=np.float32)
    spacing = volume.spacing
    if spacing is None:
        reason = "Lengths were not measured: spacing is unknown. Pass --spacing-um B D W."
        return Measurements(enface, None, (), None, {}, entropy, (reason,))
    thickness = {
        name: _thickness_um(consensus, labels, spacing.depth_mm)
        for name, labels in (("retina", RETINA), ("fluid", FLUID), ("ped", PED))
    }
    if spacing.bscan_mm is None:
        reason = "Areas, volumes and the ETDRS grid were not measured: this is a single B-scan."
        return Measurements(enface, None, (), None, thickness, entropy, (reason,))
    bscans, _, widths = volume.shape
    fovea = Fovea((bscans - 1) / 2, (widths - 1) / 2, 0.12, "thinnest point of the retina")
    radius = _radius_mm(volume, fovea)
    tissues = tuple(
        _tissue_measure(tissue.label, maps, consensus, spacing, radius) for tissue in TISSUES
    )
    if volume.nasal_sign is None:
        reason = (
            "The ETDRS grid was not measured: laterality is unknown. Pass --laterality OD or OS."
        )
        return Measurements(enface, fovea, tissues, None, thickness, entropy, (reason,))
    etdrs = _etdrs(volume, maps, thickness["retina"], fovea)
    return Measurements(enface, fovea, tissues, etdrs, thickness, entropy, ())


def _thickness_um(
    tissue_map: LabelArray, labels: tuple[int, ...], depth_mm: float
) -> npt.NDArray[np.float32]:
    return (np.isin(tissue_map, labels).sum(1) * depth_mm * 1000).astype(np.float32)


def _radius_mm(volume: OCTVolume, fovea: Fovea) -> npt.NDArray[np.float64]:
    bscans, _, widths = volume.shape
    spacing = volume.require_spacing()
    along = (np.arange(bscans) - fovea.bscan) * (spacing.bscan_mm or 0.0)
    across = (np.arange(widths) - fovea.width) * spacing.width_mm
    return np.hypot(along[:, None], across[None])


def _tissue_measure(
    label: int,
    maps: list[LabelArray],
    consensus: LabelArray,
    spacing: VoxelSpacing,
    radius: npt.NDArray[np.float64],
) -> TissueMeasure:
    columns = (consensus == label).sum(1)
    inside = {region: radius <= limit for region, limit in REGIONS_MM.items()}
    return TissueMeasure(
        TISSUES[label],
        {region: float(columns[disc].sum() * spacing.voxel_mm3) for region, disc in inside.items()},
        {
            region: float((columns[disc] > 0).sum() * spacing.column_mm2)
            for region, disc in inside.items()
        },
        spread([float((one == label).sum() * spacing.voxel_mm3) for one in maps]),
    )


def _etdrs(
    volume: OCTVolume,
    maps: list[LabelArray],
    retina_um: npt.NDArray[np.float32],
    fovea: Fovea,
) -> EtdrsTable:
    spacing = volume.require_spacing()
    discs = _sector_masks(volume, fovea)
    each = [_thickness_um(one, RETINA, spacing.depth_mm) for one in maps]
    six_mm = _radius_mm(volume, fovea) <= 3
    center = _radius_mm(volume, fovea) <= 0.2
    spreads: dict[str, Spread] = {
        sector: spread([one[disc].mean() for one in each]) for sector, disc in discs.items()
    }
    return EtdrsTable(
        fovea,
        {sector: float(retina_um[disc].mean()) for sector, disc in discs.items()},
        {sector: 0.97 if sector in ("S2", "I2") else 1.0 for sector in SECTORS},
        spreads,
        float(retina_um[round(fovea.bscan), round(fovea.width)]),
        float(retina_um[center].std()) if center.any() else 0.0,
        float(retina_um[six_mm].sum() / 1000 * spacing.column_mm2),
        "inner limiting membrane to Bruch's membrane",
    )


def _sector_masks(volume: OCTVolume, fovea: Fovea) -> dict[str, npt.NDArray[np.bool_]]:
    bscans, _, widths = volume.shape
    spacing = volume.require_spacing()
    up = (np.arange(bscans) - fovea.bscan)[:, None] * (spacing.bscan_mm or 0) * volume.superior_sign
    nasal = (np.arange(widths) - fovea.width)[None] * spacing.width_mm * (volume.nasal_sign or 1)
    radius, angle = np.hypot(up, nasal), np.degrees(np.arctan2(up, nasal))
    quadrant = {
        "S": (angle > 45) & (angle <= 135),
        "N": np.abs(angle) <= 45,
        "I": (angle > -135) & (angle <= -45),
        "T": np.abs(angle) > 135,
    }
    masks = {"C0": radius <= 0.5}
    for sector in SECTORS[1:]:
        low, high = ((0.5, 1.5), (1.5, 3.0))[int(sector[1]) - 1]
        masks[sector] = quadrant[sector[0]] & (radius > low) & (radius <= high)
    return masks
