from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_bundle import example_bundle, rewrite_manifest

from RetinaTriageLib import OCTVolume, TriageOptions, VoxelSpacing, triage
from RetinaTriageLib.errors import BundleError, CancelledError, GeometryError
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.result import Fovea
from RetinaTriageLib.volume import DeviceFamily, Laterality, ScanPattern

CPU = TriageOptions(compute="cpu")


def scan(bscans: int = 3) -> OCTVolume:
    voxels = np.random.default_rng(5).integers(0, 255, (bscans, 48, 32), dtype=np.uint8)
    spacing = VoxelSpacing.from_um(120.0, 3.87, 11.7)
    return OCTVolume(voxels, spacing, Laterality.OD, DeviceFamily.SPECTRALIS)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    example_bundle(tmp_path / "bundle", segmenters=2, classifiers=3)
    return tmp_path / "bundle"


def test_every_segmenter_gives_a_hypothesis_with_every_classifiers_opinion(bundle: Path) -> None:
    result = triage(scan(), bundle, CPU)
    assert [h.segmenter for h in result.hypotheses] == ["segmenter0", "segmenter1"]
    assert [len(h.opinions) for h in result.hypotheses] == [3, 3]
    assert all(h.tissue_map.shape == (3, 48, 32) for h in result.hypotheses)


def test_raw_verdict_is_the_mean_of_all_opinions(bundle: Path) -> None:
    result = triage(scan(), bundle, CPU)
    opinions = [o.scores["referral"] for h in result.hypotheses for o in h.opinions]
    np.testing.assert_allclose(result.verdict.raw["referral"], np.mean(opinions, axis=0))


def test_a_single_bscan_is_decided_by_its_own_calibration(bundle: Path) -> None:
    factors = {"urgent": 100.0, "semi_urgent": 1.0, "routine": 1.0, "observation": 1.0}
    own = {"balanced": {"referral": factors}}
    fields = {"schema_version": "1.0", "factors": own, "measured_on": "9 lines", "gaps": {}}
    rewrite_manifest(bundle, line_scans={"calibration": fields, "measured": []})
    line, volume = (triage(scan(bscans), bundle, CPU).verdict for bscans in (1, 3))
    assert line.scores["referral"][0] > line.raw["referral"][0]
    assert line.calibration.startswith("fitted on 9 lines")
    np.testing.assert_allclose(volume.scores["referral"], volume.raw["referral"])
    assert volume.calibration == "uncalibrated"


def test_provenance_names_the_bundle_and_what_it_was_trained_on(bundle: Path) -> None:
    provenance = triage(scan(), bundle, CPU).provenance
    assert provenance.bundle_name == "example 1.0"
    assert provenance.trained_on == "Trained on nothing."
    assert set(provenance.seconds) == {"load", "ensemble", "measure"}


def test_slab_size_does_not_change_the_result(bundle: Path) -> None:
    whole = triage(scan(), bundle, replace(CPU, slab_bscans=3))
    single = triage(scan(), bundle, replace(CPU, slab_bscans=1))
    assert np.array_equal(whole.consensus, single.consensus)
    np.testing.assert_allclose(whole.verdict.raw["conditions"], single.verdict.raw["conditions"])


def test_progress_counts_every_bscan_of_every_segmenter(bundle: Path) -> None:
    seen: list[Progress] = []
    triage(scan(), bundle, CPU, on_progress=seen.append)
    segmented = [p for p in seen if p.stage == "segment"]
    assert segmented[-1].done == segmented[-1].total == 3 * 2


def test_cancel_from_the_progress_callback_stops_the_work(bundle: Path) -> None:
    def cancel(progress: Progress) -> None:
        if progress.done > 1:
            raise CancelledError

    with pytest.raises(CancelledError):
        triage(scan(), bundle, CPU, on_progress=cancel)


def test_unknown_spacing_is_refused_by_measurements_and_not_by_segmentation(bundle: Path) -> None:
    result = triage(replace(scan(), spacing=None), bundle, CPU)
    assert result.consensus.shape == (3, 48, 32)
    assert any("--spacing-um" in sentence for sentence in result.measurements.refused)


def test_circle_scan_is_refused(bundle: Path) -> None:
    with pytest.raises(GeometryError, match="circle"):
        triage(replace(scan(1), pattern=ScanPattern.CIRCLE), bundle, CPU)


def test_folder_without_a_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        triage(scan(), tmp_path, CPU)


def test_fovea_set_by_hand_is_kept(bundle: Path) -> None:
    fovea = Fovea(1.0, 16.0, 0.0, "user")
    result = triage(scan(), bundle, replace(CPU, fovea=fovea))
    assert result.measurements.fovea == fovea
