"""All measurements of one case; what cannot be measured is refused in a sentence, the rest is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.measures.columns import class_counts, column_counts
from RetinaTriageLib.measures.disagreement import disagreement_map
from RetinaTriageLib.measures.enface import enface_projection
from RetinaTriageLib.measures.etdrs import etdrs_table
from RetinaTriageLib.measures.etdrs_grid import etdrs_grid, require_nasal_sign
from RetinaTriageLib.measures.fovea import find_fovea, ilm_height
from RetinaTriageLib.measures.inner_retina import inner_retina_um
from RetinaTriageLib.measures.regions import circle_areas, require_inside
from RetinaTriageLib.measures.surfaces import SurfaceArray, retina_borders
from RetinaTriageLib.measures.thickness import retinal_thickness, thickness_maps
from RetinaTriageLib.measures.volumes import tissue_measures
from RetinaTriageLib.result import EnFaceArray, Fovea, Measurements
from RetinaTriageLib.tissues import TISSUES, Tissue
from RetinaTriageLib.volume import LabelArray, OCTVolume, VoxelSpacing


def measure(
    volume: OCTVolume,
    tissue_maps: Sequence[LabelArray],
    consensus: LabelArray,
    tissues: tuple[Tissue, ...] = TISSUES,
    *,
    fovea: Fovea | None = None,
) -> Measurements:
    """Volumes, thickness maps, ETDRS table, fovea and disagreement of one case.

    Parameters
    ----------
    tissue_maps : S uint8 arrays (B-scan, depth, width), the hypotheses
    consensus : uint8 array (B-scan, depth, width), the map that is measured
    tissues : the vocabulary of the maps
    fovea : position set by hand or by the device; found automatically where None

    Returns
    -------
    Measurements
        What unknown spacing, a single B-scan, a circle scan, an unknown eye side or a scan
        without retina forbids is empty or None, each with its sentence in ``refused``.

    Raises
    ------
    InputError
        If a map does not fit the volume or the vocabulary.
    GeometryError
        If the given fovea lies outside the scan.
    """
    classes = 1 + max(tissue.label for tissue in tissues)
    _require_fit(volume, (*tissue_maps, consensus))
    if fovea is not None:
        require_inside((volume.shape[0], volume.shape[2]), fovea)
    counts = column_counts(consensus, classes)
    hypothesis_counts = [class_counts(tissue_map, classes) for tissue_map in tissue_maps]
    no_length = _refusal(OCTVolume.require_spacing, volume)
    no_area = _refusal(require_area, volume)
    no_side = _refusal(require_nasal_sign, volume)
    measured = Measurements(
        enface=enface_projection(volume.voxels),
        fovea=fovea,
        tissues=(),
        etdrs=None,
        thickness_um={},
        disagreement=disagreement_map(tissue_maps),
        refused=no_length + (no_area or no_side),
    )
    if no_length:
        return measured

    spacing = volume.require_spacing()
    ilm, bruch = retina_borders(consensus, tissues)
    retina_um = retinal_thickness(ilm, bruch, spacing.depth_mm)
    maps_um = {"retina": retina_um, **thickness_maps(counts, spacing.depth_mm, tissues)}
    measured = replace(measured, thickness_um=maps_um)
    if no_area:
        return measured

    center = fovea or _found_fovea(volume, maps_um, ilm, bruch)
    areas_mm2 = circle_areas(retina_um.shape, spacing, center)
    measured = replace(
        measured,
        fovea=center,
        tissues=tissue_measures(counts, hypothesis_counts, areas_mm2, spacing, tissues),
    )
    if no_side:
        return measured
    if not np.isfinite(retina_um).any():
        return replace(measured, refused=(_no_retina(volume),))

    by_hypothesis = (
        retinal_thickness(*retina_borders(tissue_map, tissues), spacing.depth_mm)
        for tissue_map in tissue_maps
    )
    grid = etdrs_grid(volume, center)
    return replace(measured, etdrs=etdrs_table(grid, retina_um, tuple(by_hypothesis)))


def require_area(volume: OCTVolume) -> None:
    """Refuse scans whose B-scans do not cover an area.

    Raises
    ------
    GeometryError
        If the scan is a circle or radial scan, a single B-scan, or of unknown B-scan distance.
    """
    volume.require_raster()
    count = volume.shape[0]
    if count == 1:
        msg = (
            f"{volume.name} is a single B-scan; fovea, areas, volumes and the ETDRS table need a "
            "raster of B-scans. Its thickness profile is measured."
        )
        raise GeometryError(msg)
    if volume.spacing is not None and volume.spacing.bscan_mm is None:
        msg = (
            f"Found {count} B-scans of {volume.name} at unknown distance; areas and volumes need "
            "it. Pass --spacing-um BSCAN DEPTH WIDTH (Python: with_geometry(volume, spacing=...))."
        )
        raise GeometryError(msg)


def _found_fovea(
    volume: OCTVolume, maps_um: Mapping[str, EnFaceArray], ilm: SurfaceArray, bruch: SurfaceArray
) -> Fovea:
    spacing = volume.require_spacing()
    inner_um = inner_retina_um(volume.voxels, ilm, bruch, spacing)
    return find_fovea(_pit_maps(maps_um, ilm, spacing), spacing, inner_um)


def _pit_maps(
    maps_um: Mapping[str, EnFaceArray], ilm: SurfaceArray, spacing: VoxelSpacing
) -> tuple[EnFaceArray, ...]:
    """Retina with cysts, without cysts, and the height of the ILM: each has a pit at the fovea."""
    known = np.isfinite(maps_um["retina"])
    blank = np.full(known.shape, np.nan, dtype=np.float32)
    tissue_um = np.where(known, maps_um.get("neurosensory_retina", blank), blank)
    cysts_um = np.where(known, maps_um.get("intraretinal_fluid", blank), blank)
    return tissue_um + cysts_um, tissue_um, ilm_height(ilm, spacing)


def _refusal(check: Callable[[OCTVolume], object], volume: OCTVolume) -> tuple[str, ...]:
    try:
        check(volume)
    except GeometryError as error:
        return (str(error),)
    return ()


def _no_retina(volume: OCTVolume) -> str:
    return (
        f"No A-scan of {volume.name} shows both ILM and Bruch's membrane; the ETDRS table needs "
        "them. Check the tissue maps, or scan the macula again."
    )


def _require_fit(volume: OCTVolume, tissue_maps: Sequence[LabelArray]) -> None:
    for tissue_map in tissue_maps:
        if tissue_map.shape != volume.shape:
            msg = (
                f"Found a tissue map of {tissue_map.shape} for a volume of {volume.shape}; "
                "expected the same size. Pass the maps of this volume."
            )
            raise InputError(msg)
