"""Codes of tissues, outcomes and measurements in DICOM; a private one where no standard one fits.

References
----------
DICOM PS3.16: CID 218 and 7471 (quantities), CID 244 (laterality), CID 230 (yes or no), CID 7162
(algorithm families), CID 4262 (retinal thickness definition). LOINC 57108-3 to 57118-2: macular
grid by OCT, as listed by the HL7 Ophthalmology Retinal guide, value set observation-oct-macula.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from RetinaTriageLib.outcomes import Outcome
from RetinaTriageLib.tissues import Code, Tissue
from RetinaTriageLib.volume import Laterality

if TYPE_CHECKING:
    from highdicom.sr import CodedConcept

PRIVATE = "99RETINATRIAGE"

ARTIFICIAL_INTELLIGENCE = Code("DCM", "123110", "Artificial Intelligence")
MEASUREMENT_REPORT = Code("DCM", "126000", "Imaging Measurement Report")
OPHTHALMIC_TOMOGRAPHY = Code("DCM", "OPT", "Ophthalmic Tomography")
DEVICE = Code("DCM", "121007", "Device")
ILM_TO_BM = Code("DCM", "111929", "Total retinal thickness (ILM to BM)")
RETINA = Code("SCT", "5665001", "Retina")
VOLUME = Code("SCT", "118565006", "Volume")
AREA = Code("SCT", "42798000", "Area")
MEAN = Code("SCT", "373098007", "Mean")
YES = Code("SCT", "373066001", "Yes")
NO = Code("SCT", "373067005", "No")
SIDES = {
    Laterality.OD: Code("SCT", "24028007", "Right"),
    Laterality.OS: Code("SCT", "7771000", "Left"),
}
CUBIC_MM = Code("UCUM", "mm3", "cubic millimeter")
SQUARE_MM = Code("UCUM", "mm2", "square millimeter")
MICROMETER = Code("UCUM", "um", "micrometer")
NO_UNITS = Code("UCUM", "1", "no units")

SCORE = Code(PRIVATE, "score", "Score re-weighted for the operating point, 0 to 1")
RAW_SCORE = Code(PRIVATE, "raw_score", "Mean score of all opinions, 0 to 1")
DECIDED = Code(PRIVATE, "decided", "Decided for at the operating point")
THICKNESS_DEFINITION = Code(PRIVATE, "boundaries", "Surfaces that thickness lies between")

CENTER_POINT = Code("LN", "57108-3", "Macular grid.center point thickness by OCT")
TOTAL_VOLUME = Code("LN", "57118-2", "Macular grid.total volume by OCT")
SECTOR_CODES: Mapping[str, Code] = {
    sector: Code("LN", value, f"Macular grid.{where} subfield thickness by OCT")
    for sector, value, where in (
        ("C0", "57109-1", "center"),
        ("S1", "57110-9", "inner superior"),
        ("N1", "57111-7", "inner nasal"),
        ("I1", "57112-5", "inner inferior"),
        ("T1", "57113-3", "inner temporal"),
        ("S2", "57114-1", "outer superior"),
        ("N2", "57115-8", "outer nasal"),
        ("I2", "57116-6", "outer inferior"),
        ("T2", "57117-4", "outer temporal"),
    )
}


def concept(code: Code) -> CodedConcept:
    """Code as highdicom takes it."""
    from highdicom.sr import CodedConcept

    return CodedConcept(code.value, code.scheme, code.meaning[:64])


def tissue_modifier(tissue: Tissue) -> Code | None:
    """Private code that narrows the broader standard one; None where the code fits exactly."""
    return None if tissue.code.exact else Code(PRIVATE, tissue.name, tissue.title)


def outcome_code(outcome: Outcome, head: str) -> Code:
    """SNOMED CT code of an outcome, or the private one."""
    if outcome.code is not None:
        return Code("SCT", outcome.code, outcome.title)
    return Code(PRIVATE, f"{head}.{outcome.name}", outcome.title)


def region_code(quantity: Code, region: str) -> Code:
    """Volume or area in one region of the macula; the plain quantity for the whole scan."""
    if region == "all":
        return quantity
    name = f"{quantity.meaning.lower()}_{region.replace(' ', '')}"
    return Code(PRIVATE, name, f"{quantity.meaning} in the circle of {region} around the fovea")
