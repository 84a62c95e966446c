import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from example_bundle import example_bundle, rewrite_manifest
from example_image_bundle import (
    CLASSES,
    CNV,
    example_image_bundle,
    example_image_manifest,
    example_network,
)

from RetinaTriageLib.bundle import load_bundle
from RetinaTriageLib.bundle_image_manifest import image_manifest_json, parse_image_manifest
from RetinaTriageLib.bundle_images import (
    check_image_bundle,
    is_image_bundle,
    load_image_bundle,
    write_image_bundle,
)
from RetinaTriageLib.errors import BundleError, OutputError
from RetinaTriageLib.image_classes import Head


def test_written_bundle_gives_its_network_back(tmp_path: Path) -> None:
    images = torch.rand(2, 16, 24)
    expected = example_network(attention=3)(images)
    example_image_bundle(tmp_path / "b", attention=3)
    (network,) = load_image_bundle(tmp_path / "b").networks()
    assert torch.allclose(network(images), expected, rtol=0.01, atol=0.05)  # half precision
    assert network.attention is not None


def test_manifest_survives_writing_and_reading(tmp_path: Path) -> None:
    manifest = example_image_bundle(tmp_path / "b", Head.BINARY).manifest
    assert parse_image_manifest(image_manifest_json(manifest)) == manifest


def test_zip_reads_like_the_folder(tmp_path: Path) -> None:
    written = example_image_bundle(tmp_path / "b")
    shutil.make_archive(str(tmp_path / "b"), "zip", tmp_path / "b")
    assert load_image_bundle(tmp_path / "b.zip").sha256 == written.sha256


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    example_image_bundle(tmp_path / "b")
    weights = tmp_path / "b" / "network1.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(BundleError, match="SHA-256"):
        load_image_bundle(tmp_path / "b")


def test_pickles_are_refused(tmp_path: Path) -> None:
    example_image_bundle(tmp_path / "b")
    (tmp_path / "b" / "extra.pth").write_bytes(b"\x80\x04")
    with pytest.raises(BundleError, match="can run code"):
        load_image_bundle(tmp_path / "b")


def test_zip_path_that_leaves_the_bundle_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("../bundle.json", "{}")
    with pytest.raises(BundleError, match="leaves"):
        load_image_bundle(tmp_path / "b.zip")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"surprise": 1}, "surprise"),
        ({"schema_version": 2}, "schema version 2"),
        ({"size": [0, 24]}, "size"),
        ({"otherwise": "whenever"}, "whenever"),
        ({"classes": [{"name": "A", "title": "A"}, {"name": "A", "title": "A"}]}, "two entries"),
        ({"classes": [{"name": "A", "title": "A", "condition": "gout"}]}, "gout"),
    ],
)
def test_manifest_that_makes_no_sense_is_refused(
    tmp_path: Path, fields: dict[str, object], said: str
) -> None:
    example_image_bundle(tmp_path / "b")
    with pytest.raises(BundleError, match=said):
        load_image_bundle(rewrite_manifest(tmp_path / "b", **fields))


def test_weights_of_other_classes_are_refused(tmp_path: Path) -> None:
    example_image_bundle(tmp_path / "b")
    fewer = [{"name": found.name, "title": found.title} for found in CLASSES[:2]]
    with pytest.raises(BundleError, match="do not fit"):
        load_image_bundle(rewrite_manifest(tmp_path / "b", classes=fewer))


def test_network_of_other_classes_is_not_written(tmp_path: Path) -> None:
    draft = replace(example_image_manifest(), classes=(CNV,))
    with pytest.raises(BundleError, match="declares"):
        write_image_bundle(tmp_path / "b", draft, {"n": example_network()}, "# Card\n")
    assert not (tmp_path / "b").exists()


def test_existing_folder_is_never_overwritten(tmp_path: Path) -> None:
    example_image_bundle(tmp_path / "b")
    with pytest.raises(OutputError, match="never overwritten"):
        example_image_bundle(tmp_path / "b")


def test_kinds_of_bundles_are_told_apart(tmp_path: Path) -> None:
    example_image_bundle(tmp_path / "images")
    example_bundle(tmp_path / "maps")
    assert is_image_bundle(tmp_path / "images")
    assert not is_image_bundle(tmp_path / "maps")
    with pytest.raises(BundleError, match="--bscan-bundle"):
        load_bundle(tmp_path / "images")
    with pytest.raises(BundleError, match="--bundle"):
        load_image_bundle(tmp_path / "maps")


def test_check_names_classes_with_their_referrals(tmp_path: Path) -> None:
    example_image_bundle(tmp_path / "b")
    found = {check.what: check.found for check in check_image_bundle(tmp_path / "b")}
    assert found["classes"].startswith("CNV (urgent), DRUSEN (routine)")


def test_manifest_is_read_without_torch() -> None:
    code = "import RetinaTriageLib.bundle_images, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
