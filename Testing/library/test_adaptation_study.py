from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_bundle import example_bundle
from PIL import Image

from RetinaTriageLib.cli.main import main
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation import adaptation_eyes, adaptation_study
from RetinaTriageLib.evaluation.adaptation_eyes import AdaptationStudy, write_labeled
from RetinaTriageLib.evaluation.unseen_device import UNSEEN_DEVICES, UnseenDevice, unseen_phantom
from RetinaTriageLib.phantoms.devices import DeviceProfile, with_bscans
from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.volume import VoxelSpacing

FIRST_SEED = 700


def small(profile: DeviceProfile) -> DeviceProfile:
    spacing = VoxelSpacing.from_um(200, 14.0, 60.0)
    return replace(profile, shape=(6, 96, 64), spacing=spacing)


@pytest.fixture
def device() -> UnseenDevice:
    known = UNSEEN_DEVICES["decibel-inverted"]
    return replace(known, profile=small(known.profile))


def test_eye_is_that_of_the_known_scanner(device: UnseenDevice) -> None:
    new = unseen_phantom(FIRST_SEED, device, 3)
    known = make_phantom(FIRST_SEED, with_bscans(device.profile, 3))
    assert new.eye.diseases == known.eye.diseases
    np.testing.assert_array_equal(new.tissue_map, known.tissue_map)
    assert new.volume.device is None


def test_display_keeps_the_order_of_gray_or_turns_it_round() -> None:
    gray = np.arange(256, dtype=np.uint8)[None, None]
    upright = UNSEEN_DEVICES["decibel"].displayed(gray).ravel().astype(int)
    inverted = UNSEEN_DEVICES["decibel-inverted"].displayed(gray).ravel().astype(int)
    assert (np.diff(upright) >= 0).all()
    assert (upright[0], upright[-1]) == (0, 255)
    np.testing.assert_array_equal(inverted, 255 - upright)


def test_decibel_display_is_linear_in_the_logarithm() -> None:
    device = UNSEEN_DEVICES["decibel"]
    half = device.displayed(np.array([[[128]]], np.uint8)).item()
    lost_db = -10 * device.profile.root * np.log10(128 / 255)
    assert half == pytest.approx(255 * (1 - lost_db / device.range_db), abs=1)


def test_labeled_eyes_are_none_of_the_evaluated(device: UnseenDevice) -> None:
    study = AdaptationStudy(device, eyes=5, first_seed=FIRST_SEED, labeled_eyes=4)
    assert not set(study.seeds) & set(study.labeled_seeds)
    longer = replace(study, eyes=50)
    assert longer.labeled_seeds == study.labeled_seeds


def test_labeled_stack_is_a_training_stack(device: UnseenDevice, tmp_path: Path) -> None:
    study = AdaptationStudy(device, 1, FIRST_SEED, labeled_eyes=2, labeled_bscans=2, bscans=5)
    path = write_labeled(study, FIRST_SEED - 1, tmp_path)
    with np.load(path) as stack:
        assert stack["image"].shape == stack["codes"].shape == (2, 96, 64)
        assert stack["image"].dtype == np.uint8


def test_seeds_below_zero_are_refused(device: UnseenDevice) -> None:
    with pytest.raises(InputError, match="room for their seeds"):
        AdaptationStudy(device, 1, first_seed=3, labeled_eyes=4)


def test_command_writes_table_figure_and_json_and_goes_on(
    device: UnseenDevice,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(
        "RetinaTriageLib.evaluation.unseen_device.UNSEEN_DEVICES", {device.name: device}
    )
    for module in (adaptation_eyes, adaptation_study):
        monkeypatch.setattr(module, "SPECTRALIS", small(module.SPECTRALIS))
    example_bundle(tmp_path / "bundle", segmenters=1)
    out = tmp_path / "out"
    words = ["evaluate", "adaptation", "--bundle", tmp_path / "bundle", "--compute", "cpu"]
    words += ["--device-profile", device.name, "--bscans", 3, "--labeled-eyes", 1]
    words += ["--iterations", 1, "--out", out, "--seeds", FIRST_SEED]
    assert main([str(word) for word in [*words, 1]]) == 0
    assert "Unchanged, by SHA-256: 2 of 2 networks" in capsys.readouterr().out
    facts = json.loads((out / "adaptation.json").read_text(encoding="utf-8"))
    assert facts["untouched_sha256"]["source"] == facts["untouched_sha256"]["adapted"]
    with Image.open(out / "adaptation.png") as figure:
        assert figure.width > 1000
    first = (out / "cases" / f"after_{FIRST_SEED:06d}.json").stat().st_mtime_ns
    assert main([str(word) for word in [*words, 2]]) == 0
    assert "referral error" in capsys.readouterr().out
    assert (out / "cases" / f"after_{FIRST_SEED:06d}.json").stat().st_mtime_ns == first
    assert main([str(word) for word in [*words, 2, "--labeled-eyes", 2]]) == 6
    assert "another labeled eyes" in capsys.readouterr().err
