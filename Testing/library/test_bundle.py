from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from example_bundle import example_bundle, example_manifest, example_weights

from RetinaTriageLib.bundle import (
    bundled_models,
    check_bundle,
    load_bundle,
    read_manifest,
    save_bundle,
)
from RetinaTriageLib.errors import BundleError, OutputError
from RetinaTriageLib.outcomes import REFERRAL


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


def test_refused_draft_leaves_nothing_behind(tmp_path: Path) -> None:
    draft = replace(example_manifest(), heads=(REFERRAL,))
    with pytest.raises(BundleError):
        save_bundle(tmp_path / "bundle", draft, example_weights(draft), "# Card")
    assert list(tmp_path.iterdir()) == []


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
    assert checks["operating points"] == "uncalibrated"
    assert checks["operating points of single B-scans"] == "those of volumes"


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
