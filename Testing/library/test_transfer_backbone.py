from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from example_transfer import SHAPE, segmentation_weights, tiny_plan
from safetensors.torch import save_file

from RetinaTriageLib.bundle import bundled_models, load_bundle
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Head
from RetinaTriageLib.networks.bscan import BscanNetwork
from RetinaTriageLib.training.checkpoints import read_tensors
from RetinaTriageLib.training.transfer_backbone import (
    HUB,
    RANDOM,
    BackboneSource,
    backbone_digest,
    bscan_network,
)
from RetinaTriageLib.training.transfer_plan import learned_stages


def network(source: BackboneSource, seed: int = 0) -> BscanNetwork:
    return bscan_network(source, ("a", "b"), Head.SOFTMAX, (16, 16), seed)


def test_encoder_has_the_weights_of_a_segmentation_run(tmp_path: Path) -> None:
    stored, _ = read_tensors(segmentation_weights(tmp_path / "best.safetensors"))
    taken = network(BackboneSource(weights=str(tmp_path))).backbone.state_dict()
    same = [key for key in taken if key.startswith("encoder.") and key in stored]
    assert same
    assert all(torch.equal(taken[key], stored[key]) for key in same)


def test_encoder_has_the_weights_of_a_bundle() -> None:
    first, second = (network(BackboneSource(member=member)) for member in (0, 1))
    assert backbone_digest(first) != backbone_digest(second)
    deepest = load_bundle(bundled_models()).manifest.segmenters[0].config["channels"][-2:]
    assert first.backbone.features == 2 * sum(deepest)


def test_random_weights_follow_from_the_seed() -> None:
    source = BackboneSource(weights=RANDOM)
    digests = [backbone_digest(network(source, seed)) for seed in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": HUB}, "expected a bundle, a file or 'random'"),
        ({"weights": "gone.safetensors"}, "cannot be read as safetensors"),
        ({"member": 9}, "Found 5 U-Nets"),
        ({"branch": "zeiss"}, "scanner branch 'zeiss'"),
    ],
)
def test_source_that_gives_no_weights_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        network(replace(BackboneSource(), **change))  # type: ignore[arg-type]


def test_file_of_another_network_is_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="holds no segmentation network"):
        network(BackboneSource(weights=str(tmp_path / "other.safetensors")))


def test_stages_that_learn_are_the_deepest(tmp_path: Path) -> None:
    made = network(tiny_plan(tmp_path).source)
    names = [name for name, _ in made.stages()]
    assert [learned_stages(made, name) for name in (None, names[-1], names[0], "all")] == [
        0,
        1,
        len(SHAPE.channels),
        len(SHAPE.channels),
    ]
    with pytest.raises(InputError, match="from the picture inward"):
        learned_stages(made, "level9")


def test_missing_timm_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(InputError, match=r"retina-triage\[transfer\]"):
        network(BackboneSource("timm:resnet18", RANDOM))


def test_timm_weights_come_from_a_file(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm", reason="timm is not installed; make test-backbones has it")
    whole = timm.create_model("resnet10t", num_classes=7)
    save_file(whole.state_dict(), tmp_path / "model.safetensors")
    made = network(BackboneSource("timm:resnet10t", str(tmp_path / "model.safetensors")))
    kept = made.backbone.state_dict()
    assert torch.equal(kept["network.conv1.0.weight"], whole.state_dict()["conv1.0.weight"])


def test_timm_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm", reason="timm is not installed; make test-backbones has it")
    save_file(timm.create_model("resnet14t").state_dict(), tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="do not fit timm:resnet18"):
        network(BackboneSource("timm:resnet18", str(tmp_path / "model.safetensors")))
