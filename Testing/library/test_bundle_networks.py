from __future__ import annotations

import hashlib
import json
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

from RetinaTriageLib.bundle import load_bundle, save_bundle
from RetinaTriageLib.errors import BundleError
from RetinaTriageLib.networks.segmentation import SegmentationNetwork
from RetinaTriageLib.outcomes import REFERRAL
from RetinaTriageLib.tissues import TISSUES


def replace_weights(folder: Path, content: bytes) -> None:
    """Put other weights in the first network, with a manifest that agrees."""
    fields = json.loads((folder / "bundle.json").read_text())
    entry = fields["segmenters"][0]
    entry |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / entry["file"]).write_bytes(content)
    rewrite_manifest(folder, segmenters=[entry])


def contiguous(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.contiguous() for name, value in tensors.items()}


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


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    manifest = example_manifest()
    weights = example_weights(manifest)
    weights["segmenter0"]["head.weight"][0] = 1e6  # infinite in half precision
    with pytest.raises(BundleError, match=r"head\.weight that are not finite"):
        save_bundle(tmp_path / "bundle", manifest, weights, "# Card")
