from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from example_bundle import example_bundle, example_manifest, rewrite_manifest

from RetinaTriageLib.bundle import load_bundle
from RetinaTriageLib.bundle_manifest import (
    LineScans,
    Manifest,
    Measured,
    SpacingLimits,
)
from RetinaTriageLib.bundle_manifest_json import manifest_json, parse_manifest
from RetinaTriageLib.calibration import Calibration
from RetinaTriageLib.errors import BundleError
from RetinaTriageLib.outcomes import REFERRAL, Outcome, OutcomeHead
from RetinaTriageLib.tissues import TISSUES


def with_files() -> Manifest:
    manifest = example_manifest()
    facts = {"sha256": "0" * 64, "size": 1}
    return replace(
        manifest,
        segmenters=(replace(manifest.segmenters[0], file="a.safetensors", **facts),),
        classifiers=(replace(manifest.classifiers[0], file="b.safetensors", **facts),),
    )


def test_manifest_survives_writing_and_reading() -> None:
    treatment = OutcomeHead("therapy", "Therapy", (Outcome("laser", "Laser", "Light."),), False)  # noqa: FBT003 - dataclass
    manifest = replace(
        parse_manifest(manifest_json(with_files())),
        tissues=(TISSUES[3], replace(TISSUES[7], label=1, title="Own title")),
        heads=(REFERRAL, treatment),
        calibration=Calibration({"balanced": {"therapy": {"laser": 0.3}}}, "8 cases"),
        penalties={"therapy": ((0.0,),)},
        measured=(Measured("Dice", 0.9, "8 cases"),),
        line_scans=LineScans(
            Calibration({"balanced": {"therapy": {"laser": 0.6}}}, "9 line scans"),
            (Measured("Sensitivity", 0.8, "9 line scans"),),
        ),
        spacing_limits_mm=SpacingLimits((0.01, 0.1), (0.002, 0.005), (0.005, 0.02)),
    )
    manifest = replace(manifest, tissues=(replace(TISSUES[3], label=0), manifest.tissues[1]))
    assert parse_manifest(manifest_json(manifest)) == manifest


def test_truncated_manifest_is_refused(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    path = tmp_path / "bundle" / "bundle.json"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BundleError, match="cannot be read"):
        load_bundle(tmp_path / "bundle")


def test_manifest_of_another_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text('{"monai_version": "1.6"}')
    (tmp_path / "MODEL_CARD.md").write_text("# Card")
    with pytest.raises(BundleError, match="another program"):
        load_bundle(tmp_path)


def test_newer_schema_asks_for_an_update(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    rewrite_manifest(tmp_path / "bundle", schema_version=3)
    with pytest.raises(BundleError, match="Update RetinaTriage"):
        load_bundle(tmp_path / "bundle")


def test_networks_of_an_older_schema_are_not_shown_other_gray(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    rewrite_manifest(tmp_path / "bundle", schema_version=1)
    with pytest.raises(BundleError, match=r"reads 2.*see other numbers"):
        load_bundle(tmp_path / "bundle")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"trained_on": ""}, "trained_on"),
        ({"classifier_input": "magic"}, "classifier_input"),
        ({"surprise": 1}, "surprise"),
        ({"segmenters": []}, "segmenters"),
        ({"name": "../../etc"}, "name"),
    ],
)
def test_manifest_that_breaks_the_schema_says_where(
    tmp_path: Path, changes: dict[str, object], where: str
) -> None:
    example_bundle(tmp_path / "bundle")
    rewrite_manifest(tmp_path / "bundle", **changes)
    with pytest.raises(BundleError, match=where):
        load_bundle(tmp_path / "bundle")


def test_number_that_is_none_is_refused_on_both_ways(tmp_path: Path) -> None:
    draft = replace(with_files(), measured=(Measured("Dice", float("nan"), "no case"),))
    with pytest.raises(BundleError, match="NaN"):
        manifest_json(draft)
    example_bundle(tmp_path / "bundle")
    rewrite_manifest(tmp_path / "bundle", measured=float("nan"))
    with pytest.raises(BundleError, match="NaN is no JSON"):
        load_bundle(tmp_path / "bundle")


def test_calibration_that_is_unusable_is_refused(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    rewrite_manifest(tmp_path / "bundle", calibration={"factors": 3})
    with pytest.raises(BundleError, match="unusable calibration"):
        load_bundle(tmp_path / "bundle")


def test_unknown_tissue_name_is_refused(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    rewrite_manifest(tmp_path / "bundle", tissues=["rpe", "cartilage"])
    with pytest.raises(BundleError, match="cartilage"):
        load_bundle(tmp_path / "bundle")


def test_two_networks_of_one_name_are_refused(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    fields = json.loads((tmp_path / "bundle" / "bundle.json").read_text())
    rewrite_manifest(tmp_path / "bundle", segmenters=fields["segmenters"] * 2)
    with pytest.raises(BundleError, match="two entries for network"):
        load_bundle(tmp_path / "bundle")


def test_calibration_of_other_outcomes_is_refused() -> None:
    entry = Calibration({"balanced": {"referral": {"soon": 1.0}}}, "8 cases")
    with pytest.raises(BundleError, match="Calibrate"):
        parse_manifest(manifest_json(replace(with_files(), calibration=entry)))


def test_line_scans_calibrated_for_other_outcomes_are_refused() -> None:
    entry = LineScans(Calibration({"balanced": {"referral": {"soon": 1.0}}}, "8 cases"))
    with pytest.raises(BundleError, match="Calibrate"):
        parse_manifest(manifest_json(replace(with_files(), line_scans=entry)))


def test_a_single_bscan_has_rates_of_its_own() -> None:
    own = LineScans(Calibration({}, "9 line scans"), (Measured("Dice", 0.5, "9 line scans"),))
    manifest = replace(with_files(), line_scans=own)
    assert manifest.of_scan(1).calibration == own.calibration
    assert manifest.of_scan(1).measured == own.measured
    assert manifest.of_scan(2) == manifest
    assert with_files().of_scan(1) == with_files()


def test_penalty_matrix_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(BundleError, match="penalty matrix"):
        parse_manifest(manifest_json(replace(with_files(), penalties={"referral": ((0.0,),)})))
