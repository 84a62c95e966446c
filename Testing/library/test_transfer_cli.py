from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from example_pictures import write_pictures
from example_transfer import PATTERN, segmentation_weights

from RetinaTriageLib.bundle_images import load_image_bundle
from RetinaTriageLib.cli.main import main
from RetinaTriageLib.evaluation.score_table import read_scores
from RetinaTriageLib.image_classes import Pooling
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.judge_images import judge_bscans, judge_images
from RetinaTriageLib.readers.pictures import read_pages
from RetinaTriageLib.volume import OCTVolume

SMALL = ("--size", "16", "16", "--iterations", "20", "--learning-rate", "0.05", "--copies", "1")


def train(folder: Path, *more: str) -> int:
    write_pictures(folder / "set")
    weights = segmentation_weights(folder / "segmenter.safetensors")
    data = (str(folder / "set"), "--patient-pattern", PATTERN, "--weights", str(weights))
    return main(["train", "transfer", *data, "--out", str(folder / "run"), *SMALL, *more])


def test_command_makes_a_bundle_that_judges_pictures(tmp_path: Path) -> None:
    stated = ("--normal", "DARK", "--referral", "BRIGHT=urgent", "--condition", "BRIGHT=cnv")
    assert train(tmp_path, "--test-share", "0.3", "--single-precision", *stated) == 0
    bundle = load_image_bundle(tmp_path / "run" / "bundle")
    assert [c.finding for c in bundle.manifest.classes] == [True, False]
    assert bundle.manifest.classes[0].referral == "urgent"
    table = read_scores(tmp_path / "run" / "scores.csv")
    pictures = [read_pages(tmp_path / "set" / name)[0] for name in table.files]
    exact = Compute("cpu", "float32", 1, "float32")
    # Training rounds pictures to 8 bits, the bundle weights to half precision; features of random
    # weights hardly vary, so their head is steep and makes much of either.
    assert np.allclose(judge_images(pictures, bundle, compute=exact), table.scores, atol=0.08)


def test_folds_judge_every_picture_once(tmp_path: Path) -> None:
    assert train(tmp_path, "--folds", "3", "--scores-only") == 0
    table = read_scores(tmp_path / "run" / "scores.csv")
    assert len(set(table.files)) == 24
    assert table.classes == ("BRIGHT", "DARK")
    assert table.patients is not None
    assert len(set(table.patients)) == 12
    assert not (tmp_path / "run" / "bundle").exists()


def test_training_on_every_picture_says_that_nothing_was_measured(tmp_path: Path) -> None:
    assert train(tmp_path, "--held-out-share", "0") == 0
    card = (tmp_path / "run" / "bundle" / "MODEL_CARD.md").read_text()
    assert "Nothing: every picture was learned from." in card


def test_card_says_what_was_measured_and_how(tmp_path: Path) -> None:
    share = ("--held-out-share", "0.3")
    assert train(tmp_path, "--folds", "2", "--members", "2", "--name", "light", *share) == 0
    bundle = load_image_bundle(tmp_path / "run" / "bundle")
    assert len(bundle.networks()) == 2
    assert "2-fold cross-validation by patient" in bundle.model_card
    assert "| BRIGHT | 12 |" in bundle.model_card
    assert "24 pictures of 12 patients" in bundle.manifest.trained_on


def test_attention_over_the_bscans_of_volumes_is_trained_and_measured(tmp_path: Path) -> None:
    weights = segmentation_weights(tmp_path / "segmenter.safetensors")
    names = sorted(
        path.relative_to(tmp_path / "set").as_posix()
        for path in write_pictures(tmp_path / "set").rglob("*.png")
    )
    rows = ["file,class,patient,eye"]
    for name in names:
        patient = Path(name).stem.rpartition("-")[0]
        rows.append(f"{name},{name.partition('/')[0]},{patient},OD")
    table = tmp_path / "set" / "table.csv"
    table.write_text("\n".join(rows))
    words = ["train", "transfer", str(table), "--weights", str(weights), "--normal", "DARK"]
    words += ["--attention", "4", "--scan-column", "eye", "--held-out-share", "0.3", *SMALL]
    assert main([*words, "--out", str(tmp_path / "run")]) == 0
    bundle = load_image_bundle(tmp_path / "run" / "bundle")
    assert bundle.manifest.pooling is Pooling.ATTENTION
    assert any("AUC of volumes, attention" in one.name for one in bundle.manifest.measured)
    volume = OCTVolume(np.random.default_rng(0).integers(0, 255, (3, 20, 20), np.uint8), None)
    verdict = judge_bscans(volume, bundle)
    assert "Trained attention" in verdict.pooled_by
    assert verdict.weights is not None
    assert verdict.weights.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--folds", "1"), "expected two or more"),
        (("--held-out-share", "1"), "expected less than 1 in all"),
        (("--attention", "4"), "column scan"),
        (("--copies", "0"), "--copies 0; expected 1 or more"),
        (("--unfreeze-from", "level9"), "from the picture inward"),
        (("--normal", "GRAY"), "expected a class: BRIGHT, DARK"),
        (("--referral", "BRIGHT=soon"), "Found referral 'soon'"),
        (("--condition", "BRIGHT=flu"), "Found condition 'flu'"),
        (("--name", "a b"), "letters, digits"),
    ],
)
def test_option_that_makes_no_sense_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    message: str,
) -> None:
    assert train(tmp_path, *options) == 3
    assert message in capsys.readouterr().err


def test_bundle_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run" / "bundle").mkdir(parents=True)
    assert train(tmp_path) == 6
    assert "not overwritten" in capsys.readouterr().err


def test_refused_options_do_not_claim_the_folder(tmp_path: Path) -> None:
    assert train(tmp_path, "--unfreeze-from", "level9") == 3
    assert train(tmp_path) == 0
