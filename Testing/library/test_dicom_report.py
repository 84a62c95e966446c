from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from example_result import SMALL, example_result

from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.writers.dicom_codes import SECTOR_CODES
from RetinaTriageLib.writers.dicom_image import captured_image
from RetinaTriageLib.writers.dicom_seg import dicom_segmentation
from RetinaTriageLib.writers.dicom_sr import dicom_report

sr = pytest.importorskip("highdicom.sr", reason="highdicom is not installed")


@cache
def image() -> Any:
    return captured_image(example_result().volume)


def groups_of(result: TriageResult, segmentation: Any = None) -> dict[str, Any]:
    report = dicom_report(result, [image()], segmentation)
    again = sr.Comprehensive3DSR.from_dataset(report)
    groups = again.content.get_image_measurement_groups()
    groups += again.content.get_volumetric_roi_measurement_groups()
    return {group.tracking_identifier: group for group in groups}


@cache
def example_groups() -> dict[str, Any]:
    return groups_of(example_result())


def numbers_of(group: Any) -> dict[str, tuple[float, str]]:
    return {one.name.value: (one.value, one.unit.value) for one in group.get_measurements()}


def test_macular_grid_has_loinc_codes_and_micrometers():
    table = example_result().measurements.etdrs
    found = numbers_of(example_groups()["Macular grid (ETDRS)"])
    for sector, thickness_um in table.thickness_um.items():
        value, unit = found[SECTOR_CODES[sector].value]
        assert (value, unit) == (pytest.approx(thickness_um, rel=1e-5), "um")
    assert found["57118-2"] == (pytest.approx(table.total_mm3, rel=1e-5), "mm3")


def test_tissue_sizes_carry_ucum_units():
    measure = example_result().measurements.tissues[7]
    found = numbers_of(example_groups()[measure.tissue.title])
    assert found["118565006"] == (pytest.approx(measure.volume_mm3["all"], rel=1e-5), "mm3")
    assert found["volume_1mm"] == (pytest.approx(measure.volume_mm3["1 mm"], rel=1e-5), "mm3")
    assert found["42798000"][1] == "mm2"


def test_findings_lie_in_the_retina_of_the_right_eye():
    (site,) = example_groups()["Macular grid (ETDRS)"].finding_sites
    assert site.value.value == "5665001"
    assert site.laterality.value == "24028007"


def test_unknown_eye_is_not_named():
    result = example_result(replace(SMALL, laterality=None))
    group = groups_of(result)["Referral urgency: Urgent"]
    assert group.finding_sites[0].laterality is None


def test_scores_and_decision_of_a_condition_are_coded():
    result, group = example_result(), example_groups()["Conditions: Drusen"]
    assert (group.finding_type.scheme_designator, group.finding_type.value) == ("SCT", "30523006")
    at = result.vocabulary.heads[1].names.index("drusen")
    score = float(result.verdict.scores["conditions"][at])
    assert numbers_of(group)["score"] == (pytest.approx(score, rel=1e-5), "1")
    (decided,) = group.get_qualitative_evaluations()
    assert decided.value.meaning == "Yes"


def test_condition_without_a_standard_code_gets_a_private_one():
    kind = example_groups()["Conditions: Geographic atrophy"].finding_type
    assert kind.scheme_designator == "99RETINATRIAGE"


def test_what_was_not_measured_is_left_out():
    result = example_result()
    table = result.measurements.etdrs
    gap = replace(table, thickness_um={**table.thickness_um, "S2": np.nan}, total_mm3=np.nan)
    measurements = replace(result.measurements, etdrs=gap, tissues=())
    groups = groups_of(replace(result, measurements=measurements))
    found = numbers_of(groups["Macular grid (ETDRS)"])
    assert "57114-1" not in found
    assert "57118-2" not in found
    assert "Retinal pigment epithelium" not in groups


def test_tissue_sizes_refer_to_their_segments():
    result = example_result()
    segmentation = dicom_segmentation(
        result.consensus, result.vocabulary.tissues, image(), [image()], result.provenance
    )
    group = groups_of(result, segmentation)["Retinal pigment epithelium"]
    segment = group.referenced_segment
    assert segment.referenced_sop_instance_uid == segmentation.SOPInstanceUID
    (described,) = (s for s in segmentation.SegmentSequence if s.TrackingID == "rpe")
    assert segment.referenced_segment_numbers == [described.SegmentNumber]
