from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from example_bundle import CLASSIFICATION, SEGMENTATION, random_network

from RetinaTriageLib.bundle import load_bundle
from RetinaTriageLib.cli.main import main
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.classification import ClassificationNetwork
from RetinaTriageLib.networks.segmentation import SegmentationNetwork
from RetinaTriageLib.training.assemble import facts_from_json
from RetinaTriageLib.training.checkpoints import save_weights

FACTS = {
    "name": "own",
    "version": "1.0",
    "license": "Apache-2.0",
    "description": "Random weights.",
    "trained_on": "Trained on nothing.",
    "trained_on_phantoms_only": True,
    "measured": [{"name": "Dice", "value": 0.5, "data": "nothing"}],
}


def words(folder: Path) -> list[str]:
    segmenter = random_network(SegmentationNetwork(SEGMENTATION), 1)
    classifier = random_network(ClassificationNetwork(CLASSIFICATION), 2)
    for name, network, config in (
        ("seg", segmenter, SEGMENTATION),
        ("cls", classifier, CLASSIFICATION),
    ):
        facts = {"config": json.dumps(asdict(config))}
        save_weights(folder / f"{name}.safetensors", network, facts)
    (folder / "facts.json").write_text(json.dumps(FACTS))
    (folder / "card.md").write_text("# Own\n")
    options = {
        "--out": "bundle",
        "--facts": "facts.json",
        "--model-card": "card.md",
    }
    given = [str(word) for name, path in options.items() for word in (name, folder / path)]
    networks = {"--segmenter": "seg", "--classifier": "cls"}
    given += [
        w for option, n in networks.items() for w in (option, f"{n}={folder / n}.safetensors")
    ]
    return ["bundle", "make", *given]


def test_trained_weights_become_a_bundle_that_loads(tmp_path: Path) -> None:
    assert main(words(tmp_path)) == 0
    bundle = load_bundle(tmp_path / "bundle")
    assert bundle.manifest.name == "own"
    assert bundle.manifest.measured[0].value == 0.5
    assert len(bundle.segmentation_networks()) == 1


def test_weights_that_do_not_say_their_network_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = words(tmp_path)
    save_weights(tmp_path / "seg.safetensors", SegmentationNetwork(SEGMENTATION), {})
    assert main(given) == 3
    assert "best.safetensors" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "own"}', '{"color": "red"}'])
def test_unusable_facts_are_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(InputError, match="trained_on"):
        facts_from_json(text)
