"""Measurements of one tissue map without its scan, such as of one that was edited by hand."""

from __future__ import annotations

import numpy as np

from RetinaTriageLib.measures.map_place import MapMeasures, MapPlace
from RetinaTriageLib.measures.measure import measure
from RetinaTriageLib.tissues import TISSUES, Tissue
from RetinaTriageLib.volume import LabelArray, OCTVolume, VoxelSpacing


def measure_map(
    tissue_map: LabelArray,
    spacing: VoxelSpacing | None,
    place: MapPlace,
    tissues: tuple[Tissue, ...] = TISSUES,
) -> MapMeasures:
    """Volumes, areas and ETDRS table of one tissue map.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    spacing : None where it is not known; nothing is measured then, which ``refused`` says

    Raises
    ------
    InputError
        If the map does not fit the vocabulary.
    GeometryError
        If the fovea lies outside of it.
    """
    scan = map_scan(tissue_map.shape, spacing, place)
    found = measure(scan, (tissue_map,), tissue_map, tissues, fovea=place.fovea)
    return MapMeasures(found.tissues, found.etdrs, found.fovea, found.refused)


def map_scan(shape: tuple[int, ...], spacing: VoxelSpacing | None, place: MapPlace) -> OCTVolume:
    """Scan that has the geometry of a tissue map and no picture, to measure the map on.

    Parameters
    ----------
    shape : B-scans, depths and A-scans of the map
    """
    # Stripes stand for the gray values, since no scan is constant; they take no memory.
    stripes = (np.arange(shape[2]) % 2).astype(np.uint8)
    return OCTVolume(
        np.broadcast_to(stripes, shape),
        spacing,
        place.laterality,
        pattern=place.pattern,
        directions=place.directions,
        name="The map",
    )
