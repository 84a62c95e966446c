"""The tissue vocabulary: what each label of a tissue map means, looks like and is coded as.

Ids, names and order are those of US 11,954,902 B2; a bundle for another organ may declare its
own. Colors stay apart under protanopia and deuteranopia (``Testing/library/test_tissues.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class TissueGroup(Enum):
    """Where a tissue class belongs; measurements and displays pick tissues by it."""

    VITREOUS = "vitreous"
    RETINA = "retina"
    FLUID = "fluid"
    PED = "pigment epithelial detachment"
    CHOROID = "choroid"
    ARTIFACT = "artifact"


@dataclass(frozen=True)
class Code:
    """A coded concept; ``exact`` is False where the code is broader than the tissue class."""

    scheme: str
    value: str
    meaning: str
    exact: bool = False


@dataclass(frozen=True)
class Tissue:
    """One tissue class of a segmentation map."""

    label: int
    name: str
    title: str
    definition: str
    color: tuple[int, int, int]
    group: TissueGroup
    code: Code


def _private(value: str, meaning: str) -> Code:
    return Code("99RETINATRIAGE", value, meaning, exact=True)


# Codes: DICOM and SNOMED CT concepts where one is documented for the class, otherwise a private
# scheme. Sources: OpenEyes disorder list, DICOM PS3.16; checked against no SNOMED release.
TISSUES: tuple[Tissue, ...] = (
    Tissue(
        0,
        "vitreous_subhyaloid",
        "Vitreous and subhyaloid",
        "Space in front of the retina: the vitreous gel and the fluid behind its detached face.",
        (0, 0, 81),
        TissueGroup.VITREOUS,
        Code("SCT", "372242005", "Vitreous body"),
    ),
    Tissue(
        1,
        "posterior_hyaloid",
        "Posterior hyaloid",
        "Rear face of the vitreous where it has come off the retina, seen as a thin bright line.",
        (158, 183, 255),
        TissueGroup.VITREOUS,
        _private("posterior_hyaloid", "Posterior hyaloid"),
    ),
    Tissue(
        2,
        "epiretinal_membrane",
        "Epiretinal membrane",
        "Bright fibrous sheet on the inner surface of the retina, often with folds below it.",
        (191, 99, 151),
        TissueGroup.RETINA,
        Code("SCT", "367649002", "Epiretinal membrane"),
    ),
    Tissue(
        3,
        "neurosensory_retina",
        "Neurosensory retina",
        "All retinal layers from the internal limiting membrane to the photoreceptor tips.",
        (65, 117, 247),
        TissueGroup.RETINA,
        Code("SCT", "5665001", "Retina"),
    ),
    Tissue(
        4,
        "intraretinal_fluid",
        "Intraretinal fluid",
        "Dark fluid or cysts inside the neurosensory retina.",
        (255, 255, 46),
        TissueGroup.FLUID,
        Code("SCT", "32457005", "Body fluid"),
    ),
    Tissue(
        5,
        "subretinal_fluid",
        "Subretinal fluid",
        "Dark fluid between the photoreceptors and the retinal pigment epithelium.",
        (112, 255, 242),
        TissueGroup.FLUID,
        Code("SCT", "32457005", "Body fluid"),
    ),
    Tissue(
        6,
        "subretinal_hyperreflective_material",
        "Subretinal hyperreflective material",
        "Bright material between the retina and the retinal pigment epithelium.",
        (199, 59, 0),
        TissueGroup.RETINA,
        _private("subretinal_hyperreflective_material", "Subretinal hyperreflective material"),
    ),
    Tissue(
        7,
        "rpe",
        "Retinal pigment epithelium",
        "Bright outer band of the retina: pigment epithelium on Bruch's membrane.",
        (228, 149, 0),
        TissueGroup.RETINA,
        _private("rpe", "Retinal pigment epithelium"),
    ),
    Tissue(
        8,
        "drusenoid_ped",
        "Drusenoid PED",
        "Drusen: deposits of medium reflectivity that lift the pigment epithelium.",
        (169, 232, 160),
        TissueGroup.PED,
        Code("SCT", "342581000119102", "Drusenoid retinal pigment epithelial detachment"),
    ),
    Tissue(
        9,
        "serous_ped",
        "Serous PED",
        "Dark fluid that lifts the pigment epithelium into a smooth dome.",
        (0, 58, 179),
        TissueGroup.PED,
        Code("SCT", "52002008", "Retinal pigment epithelial detachment"),
    ),
    Tissue(
        10,
        "fibrovascular_ped",
        "Fibrovascular PED",
        "Vascular and fibrous tissue of mixed reflectivity that lifts the pigment epithelium.",
        (10, 141, 96),
        TissueGroup.PED,
        Code("SCT", "52002008", "Retinal pigment epithelial detachment"),
    ),
    Tissue(
        11,
        "choroid_outer",
        "Choroid and outer layers",
        "Everything behind Bruch's membrane: choroid, sclera and the dark depth below.",
        (73, 35, 6),
        TissueGroup.CHOROID,
        Code("SCT", "68703001", "Choroid"),
    ),
    Tissue(
        12,
        "mirror_artifact",
        "Mirror artifact",
        "Folded image of tissue that lies beyond the depth range of the scan.",
        (201, 161, 165),
        TissueGroup.ARTIFACT,
        _private("mirror_artifact", "Mirror artifact"),
    ),
    Tissue(
        13,
        "clipping_artifact",
        "Clipping artifact",
        "Filled-in border without data, black or white, left by the registration of B-scans.",
        (66, 96, 95),
        TissueGroup.ARTIFACT,
        _private("clipping_artifact", "Clipping artifact"),
    ),
    Tissue(
        14,
        "blink_artifact",
        "Blink artifact",
        "B-scan without signal because the eye was closed or moved away.",
        (44, 31, 37),
        TissueGroup.ARTIFACT,
        _private("blink_artifact", "Blink artifact"),
    ),
)

TISSUE_BY_NAME: Mapping[str, Tissue] = {tissue.name: tissue for tissue in TISSUES}


def labels_of(*groups: TissueGroup, tissues: tuple[Tissue, ...] = TISSUES) -> tuple[int, ...]:
    """Labels of all tissues in the given groups, ascending.

    Examples
    --------
    >>> labels_of(TissueGroup.FLUID)
    (4, 5)
    """
    return tuple(tissue.label for tissue in tissues if tissue.group in groups)
