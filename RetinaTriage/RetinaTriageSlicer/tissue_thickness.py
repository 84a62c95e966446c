"""Thickness of any tissue of a case, by NumPy alone."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from RetinaTriageLib.measures.columns import CountArray, column_counts
from RetinaTriageLib.measures.fovea import find_fovea, ilm_height
from RetinaTriageLib.measures.surfaces import retina_borders
from RetinaTriageLib.measures.thickness import retinal_thickness, thickness_maps, tissue_thickness
from RetinaTriageLib.result import EnFaceArray, Fovea
from RetinaTriageLib.tissues import TissueGroup
from RetinaTriageSlicer.shown_case import ShownCase

RETINA = "retina"


class CaseThickness:
    """Thickness maps of one tissue map of a case; the map is read once."""

    def __init__(self, case: ShownCase, mapNode: Any) -> None:
        """Read the map.

        Raises
        ------
        GeometryError
            If the scan has no distances, or covers no area.
        """
        self.spacing = case.volume.require_spacing()
        case.volume.require_raster()
        self.spacing.column_mm2  # noqa: B018 - a single B-scan has none, and says so
        self.case = case
        labels = case.labels(mapNode)
        self._ilm, self._bruch = retina_borders(labels, case.tissues)
        self._counts: CountArray = column_counts(labels, len(case.tissues))

    def map_um(self, key: str) -> EnFaceArray:
        """Thickness, float32 array (B-scan, width), NaN without data; keys of `tissueChoices`."""
        depth_mm, tissues = self.spacing.depth_mm, self.case.tissues
        if key == RETINA:
            return retinal_thickness(self._ilm, self._bruch, depth_mm)
        label = {tissue.name: tissue.label for tissue in tissues}.get(key)
        if label is not None:
            return tissue_thickness(self._counts, (label,), depth_mm, tissues)
        return thickness_maps(self._counts, depth_mm, tissues)[key]

    def fovea(self) -> Fovea:
        """Fovea as a run finds it."""
        retina_um = self.map_um(RETINA)
        known = retina_um == retina_um  # NaN is not
        maps = [self.map_um(name).copy() for name in ("neurosensory_retina", "intraretinal_fluid")]
        for one in maps:
            one[~known] = float("nan")
        tissue_um, cysts_um = maps
        height = ilm_height(self._ilm, self.spacing)
        return find_fovea((tissue_um + cysts_um, tissue_um, height), self.spacing)


def tissueChoices(case: ShownCase) -> list[tuple[str, str]]:
    """Keys and titles of what has a thickness."""
    groups = [
        (RETINA, _("Retina: ILM to Bruch's membrane")),
        ("fluid", _("Fluid: intraretinal and subretinal")),
        ("ped", _("Pigment epithelial detachments")),
    ]
    hidden = (TissueGroup.ARTIFACT,)
    return groups + [
        (tissue.name, tissue.title)
        for tissue in case.tissues
        if tissue.label != 0 and tissue.group not in hidden
    ]
