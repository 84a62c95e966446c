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
    # Stripes stand for the gray values: nothing kept here rests on them, and a scan is never
    # constant.
    stripes = (np.arange(tissue_map.shape[2]) % 2).astype(np.uint8)
    scan = OCTVolume(
        np.broadcast_to(stripes, tissue_map.shape),
        spacing,
        place.laterality,
        pattern=place.pattern,
        directions=place.directions,
        name="The map",
    )
    found = measure(scan, (tissue_map,), tissue_map, tissues, fovea=place.fovea)
    return MapMeasures(found.tissues, found.etdrs, found.fovea, found.refused)
