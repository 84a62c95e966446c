from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from example_bundle import (
    SEGMENTATION,
    example_bundle,
    example_manifest,
    example_weights,
    rewrite_manifest,
)

from RetinaTriageLib.bundle import (
    bundled_models,
    check_bundle,
    load_bundle,
    read_manifest,
    save_bundle,
)
from RetinaTriageLib.bundle_manifest import (
    Manifest,
    Measured,
    SpacingLimits,
    manifest_json,
    parse_manifest,
)
from RetinaTriageLib.calibration import Calibration
from RetinaTriageLib.errors import BundleError, OutputError
from RetinaTriageLib.networks.segmentation import SegmentationNetwork
from RetinaTriageLib.outcomes import REFERRAL, Outcome, OutcomeHead
from RetinaTriageLib.tissues import TISSUES


def replace_weights(folder: Path, content: bytes) -> None:
    """Put other weights in the first network, with a manifest that agrees."""
    fields = json.loads((folder / "bundle.json").read_text())
    entry = fields["segmenters"][0]
    entry |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / entry["file"]).write_bytes(content)
    rewrite_manifest(folder, segmenters=[entry])


def test_loaded_network_gives_the_scores_of_the_saved_one(tmp_path: Path) -> None:
    manifest = example_manifest()
    weights = example_weights(manifest)
    bundle = save_bundle(tmp_path / "bundle", manifest, weights, "# Card")
    saved = SegmentationNetwork(SEGMENTATION)
    # Half precision is what the file holds; the comparison is with the weights rounded to it.
    rounded = {k: v.half().float() if v.ndim > 1 else v for k, v in weights["segmenter0"].items()}
    saved.load_state_dict(rounded)
    bscans = torch.randn(1, 3, 16, 16)
    with torch.inference_mode():
        expected = saved.eval()(bscans, "cirrus")
        found = bundle.segmentation_networks()[0](bscans, "cirrus")
    torch.testing.assert_close(found, expected)


def test_loaded_networks_are_single_precision_and_frozen(tmp_path: Path) -> None:
    network = example_bundle(tmp_path / "bundle").classification_networks()[0]
    assert not network.training
    assert {value.dtype for value in network.parameters()} == {torch.float32}
    assert not any(value.requires_grad for value in network.parameters())


def test_matrices_are_stored_in_half_precision(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    stored = safetensors.torch.load_file(tmp_path / "bundle" / "segmenter0.safetensors")
    assert stored["head.weight"].dtype is torch.float16
    assert stored["head.bias"].dtype is torch.float32


def test_manifest_survives_writing_and_reading() -> None:
    treatment = OutcomeHead("therapy", "Therapy", (Outcome("laser", "Laser", "Light."),), False)  # noqa: FBT003 - dataclass
    manifest = replace(
        parse_manifest(manifest_json(with_files())),
        tissues=(TISSUES[3], replace(TISSUES[7], label=1, title="Own title")),
        heads=(REFERRAL, treatment),
        calibration=Calibration({"balanced": {"therapy": {"laser": 0.3}}}, "8 cases"),
        penalties={"therapy": ((0.0,),)},
        measured=(Measured("Dice", 0.9, "8 cases"),),
        spacing_limits_mm=SpacingLimits((0.01, 0.1), (0.002, 0.005), (0.005, 0.02)),
    )
    manifest = replace(manifest, tissues=(replace(TISSUES[3], label=0), manifest.tissues[1]))
    assert parse_manifest(manifest_json(manifest)) == manifest


def with_files() -> Manifest:
    manifest = example_manifest()
    facts = {"sha256": "0" * 64, "size": 1}
    return replace(
        manifest,
        segmenters=(replace(manifest.segmenters[0], file="a.safetensors", **facts),),
        classifiers=(replace(manifest.classifiers[0], file="b.safetensors", **facts),),
    )


def test_bundle_hash_changes_with_the_weights(tmp_path: Path) -> None:
    manifest = example_manifest()
    weights = example_weights(manifest)
    first = save_bundle(tmp_path / "a", manifest, weights, "# Card")
    same = save_bundle(tmp_path / "b", manifest, weights, "# Card")
    weights["segmenter0"]["head.bias"] += 1
    other = save_bundle(tmp_path / "c", manifest, weights, "# Card")
    assert first.sha256 == same.sha256 != other.sha256


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    path = tmp_path / "bundle" / "segmenter0.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleError, match="altered after the bundle was made"):
        load_bundle(tmp_path / "bundle")


def test_truncated_weights_are_refused(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    path = tmp_path / "bundle" / "segmenter0.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(BundleError, match="cut off or replaced"):
        load_bundle(tmp_path / "bundle")


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    (tmp_path / "bundle" / "classifier0.safetensors").unlink()
    with pytest.raises(BundleError, match=r"no classifier0\.safetensors"):
        load_bundle(tmp_path / "bundle")


def test_missing_model_card_is_refused(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    (tmp_path / "bundle" / "MODEL_CARD.md").unlink()
    with pytest.raises(BundleError, match="MODEL_CARD"):
        load_bundle(tmp_path / "bundle")


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
    rewrite_manifest(tmp_path / "bundle", schema_version=2)
    with pytest.raises(BundleError, match="Update RetinaTriage"):
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


def test_penalty_matrix_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(BundleError, match="penalty matrix"):
        parse_manifest(manifest_json(replace(with_files(), penalties={"referral": ((0.0,),)})))


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    tensors = example_weights(example_manifest())["segmenter0"]
    tensors["head.bias"] = torch.zeros(7)
    replace_weights(tmp_path / "bundle", safetensors.torch.save(contiguous(tensors)))
    with pytest.raises(BundleError, match=r"head\.bias .*\(7,\), expected .*\(30,\)"):
        load_bundle(tmp_path / "bundle")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    replace_weights(tmp_path / "bundle", safetensors.torch.save({"stranger": torch.zeros(2)}))
    with pytest.raises(BundleError, match="do not fit the configuration"):
        load_bundle(tmp_path / "bundle")


def test_file_that_is_no_safetensors_is_refused(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    replace_weights(tmp_path / "bundle", b"\xff" * 200)
    with pytest.raises(BundleError, match="no safetensors file"):
        load_bundle(tmp_path / "bundle")


def contiguous(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.contiguous() for name, value in tensors.items()}


def test_unknown_configuration_field_is_refused(tmp_path: Path) -> None:
    manifest = example_manifest()
    entry = replace(manifest.segmenters[0], config={**asdict(SEGMENTATION), "attention": 8})
    draft = replace(manifest, segmenters=(entry,))
    with pytest.raises(BundleError, match="attention"):
        save_bundle(tmp_path / "bundle", draft, example_weights(manifest), "# Card")


def test_branch_that_the_network_lacks_is_refused(tmp_path: Path) -> None:
    manifest = example_manifest()
    entry = replace(manifest.segmenters[0], branches={"topcon": "topcon"})
    draft = replace(manifest, segmenters=(entry,))
    with pytest.raises(BundleError, match="topcon"):
        save_bundle(tmp_path / "bundle", draft, example_weights(manifest), "# Card")


def test_classifier_of_other_heads_is_refused(tmp_path: Path) -> None:
    draft = replace(example_manifest(), heads=(REFERRAL,))
    with pytest.raises(BundleError, match="heads"):
        save_bundle(tmp_path / "bundle", draft, example_weights(draft), "# Card")


def test_network_of_fewer_tissues_is_refused(tmp_path: Path) -> None:
    draft = replace(example_manifest(), tissues=TISSUES[:5])
    with pytest.raises(BundleError, match=r"tissue classes 15; bundle\.json declares 5"):
        save_bundle(tmp_path / "bundle", draft, example_weights(draft), "# Card")


def test_refused_draft_leaves_nothing_behind(tmp_path: Path) -> None:
    draft = replace(example_manifest(), heads=(REFERRAL,))
    with pytest.raises(BundleError):
        save_bundle(tmp_path / "bundle", draft, example_weights(draft), "# Card")
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    manifest = example_manifest()
    weights = example_weights(manifest)
    weights["segmenter0"]["head.weight"][0] = 1e6  # infinite in half precision
    with pytest.raises(BundleError, match=r"head\.weight that are not finite"):
        save_bundle(tmp_path / "bundle", manifest, weights, "# Card")


def test_bundle_is_never_overwritten(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    with pytest.raises(OutputError, match="never overwritten"):
        example_bundle(tmp_path / "bundle")


def test_draft_without_weights_of_a_network_is_refused(tmp_path: Path) -> None:
    manifest = example_manifest()
    weights = example_weights(manifest)
    del weights["classifier0"]
    with pytest.raises(BundleError, match="classifier0"):
        save_bundle(tmp_path / "bundle", manifest, weights, "# Card")


def test_check_lists_every_network_and_what_it_was_trained_on(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle", segmenters=2, classifiers=2)
    checks = {check.what: check.found for check in check_bundle(tmp_path / "bundle")}
    assert checks["trained on"] == "Trained on nothing."
    assert {f"unet segmenter{n}" for n in (0, 1)} < checks.keys()
    assert {f"densenet classifier{n}" for n in (0, 1)} < checks.keys()


def test_reading_a_manifest_loads_no_torch(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    code = (
        "import sys; from pathlib import Path; from RetinaTriageLib.bundle import read_manifest;"
        f"print(read_manifest(Path({str(tmp_path / 'bundle')!r})).name, 'torch' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["example", "False"]
    assert read_manifest(tmp_path / "bundle").name == "example"


def test_first_shipped_bundle_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("RetinaTriageLib.bundle.SHIPPED", tmp_path)
    example_bundle(tmp_path / "macula2")
    example_bundle(tmp_path / "macula1")
    assert bundled_models() == tmp_path / "macula1"


def test_library_without_a_bundle_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("RetinaTriageLib.bundle.SHIPPED", tmp_path)
    with pytest.raises(BundleError, match="--bundle"):
        bundled_models()
