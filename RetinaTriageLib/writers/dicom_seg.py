"""Tissue maps as DICOM Segmentation: every tissue that is present, coded, frame by frame.

References
----------
DICOM PS3.3 A.51 and C.8.20 (Segmentation), binary. The B-scans that a frame was made from are
named in its derivation, so that it overlays them also where positions are not understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.result import RESEARCH_USE, Provenance
from RetinaTriageLib.tissues import Tissue, TissueGroup
from RetinaTriageLib.version import VERSION
from RetinaTriageLib.volume import LabelArray
from RetinaTriageLib.writers.dicom_codes import (
    ARTIFICIAL_INTELLIGENCE,
    PRIVATE,
    RETINA,
    concept,
    tissue_modifier,
)
from RetinaTriageLib.writers.dicom_image import MAKER
from RetinaTriageLib.writers.segmentation import CATEGORIES

if TYPE_CHECKING:
    from highdicom.seg import Segmentation, SegmentDescription
    from pydicom.dataset import Dataset

SERIES_NUMBER = 9001
LIES_IN_RETINA = (TissueGroup.FLUID, TissueGroup.PED)


def dicom_segmentation(
    tissue_map: LabelArray,
    tissues: tuple[Tissue, ...],
    image: Dataset,
    files: Sequence[Dataset],
    provenance: Provenance,
) -> Segmentation:
    """Segmentation of one tissue map; segments are numbered from 1 in the order of their labels.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    tissues : the tissues of the map, in the order of their labels
    image : one header for all frames, from `placed_image` or `captured_image`
    files : headers of the files that hold these frames, in their order

    Raises
    ------
    InputError
        If the map has another shape than the image.
    """
    from highdicom.seg import Segmentation
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    shape = (int(image.NumberOfFrames), int(image.Rows), int(image.Columns))
    if tissue_map.shape != shape:
        msg = f"Found a tissue map {tissue_map.shape}; expected {shape} as its images are."
        raise InputError(msg)
    present = [tissue for tissue in tissues if (tissue_map == tissue.label).any()]
    numbers = np.zeros(256, np.uint8)
    numbers[[tissue.label for tissue in present]] = np.arange(1, len(present) + 1)
    segmentation = Segmentation(
        source_images=[image],
        pixel_array=numbers[tissue_map],
        segmentation_type="BINARY",
        segment_descriptions=[
            _description(number, tissue, provenance)
            for number, tissue in enumerate(present, start=1)
        ],
        series_instance_uid=generate_uid(),
        series_number=SERIES_NUMBER,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions=VERSION,
        device_serial_number=provenance.bundle_sha256[:16],
        transfer_syntax_uid=ExplicitVRLittleEndian,
        content_label="RETINAL_TISSUES",
        content_description=RESEARCH_USE[:64],
        series_description="RetinaTriage tissues, research use only",
    )
    segmentation.CodingSchemeIdentificationSequence = [coding_scheme()]
    if len(files) > 1:
        _refer_to_files(segmentation, files)
    return segmentation


def segment_numbers(segmentation: Dataset) -> dict[str, int]:
    """Segment label, which is the tissue's title, to segment number."""
    return {
        str(item.SegmentLabel): int(item.SegmentNumber) for item in segmentation.SegmentSequence
    }


def coding_scheme() -> Dataset:
    """Who stands behind the private codes."""
    from pydicom.dataset import Dataset

    scheme = Dataset()
    scheme.CodingSchemeDesignator = PRIVATE
    scheme.CodingSchemeName = "RetinaTriage tissues, outcomes and measurements"
    scheme.CodingSchemeResponsibleOrganization = "RetinaTriage"
    return scheme


def _description(number: int, tissue: Tissue, provenance: Provenance) -> SegmentDescription:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentDescription
    from pydicom.uid import generate_uid

    description: SegmentDescription = SegmentDescription(
        segment_number=number,
        segment_label=tissue.title[:64],
        segmented_property_category=concept(CATEGORIES[tissue.group]),
        segmented_property_type=concept(tissue.code),
        algorithm_type="AUTOMATIC",
        algorithm_identification=AlgorithmIdentificationSequence(
            provenance.bundle_name[:64],
            concept(ARTIFICIAL_INTELLIGENCE),
            provenance.bundle_sha256[:16],
            source=MAKER,
        ),
        tracking_uid=generate_uid(),
        tracking_id=tissue.name,
        anatomic_regions=[concept(RETINA)] if tissue.group in LIES_IN_RETINA else None,
        display_color=CIELabColor.from_rgb(*tissue.color),
    )
    description.SegmentDescription = tissue.definition
    modifier = tissue_modifier(tissue)
    if modifier is not None:
        kind = description.SegmentedPropertyTypeCodeSequence[0]
        kind.SegmentedPropertyTypeModifierCodeSequence = [concept(modifier)]
    return description


def _refer_to_files(segmentation: Dataset, files: Sequence[Dataset]) -> None:
    """Name the file of each B-scan: highdicom takes one file for all frames of such a class."""
    holder = [
        (file, number)
        for file in files
        for number in range(1, int(file.get("NumberOfFrames") or 1) + 1)
    ]
    items = (
        source
        for group in segmentation.PerFrameFunctionalGroupsSequence
        for source in group.DerivationImageSequence[0].SourceImageSequence
    )
    # Segments of one B-scan share an item, which must be changed once.
    for source in {id(source): source for source in items}.values():
        file, number = holder[int(source.ReferencedFrameNumber) - 1]
        source.ReferencedSOPInstanceUID = file.SOPInstanceUID
        source.ReferencedFrameNumber = number
    (series,) = segmentation.ReferencedSeriesSequence
    series.ReferencedInstanceSequence = [_reference(file) for file in files]
    segmentation.SourceImageSequence = [_reference(file) for file in files]


def _reference(file: Dataset) -> Dataset:
    from pydicom.dataset import Dataset

    reference = Dataset()
    reference.ReferencedSOPClassUID = file.SOPClassUID
    reference.ReferencedSOPInstanceUID = file.SOPInstanceUID
    return reference
