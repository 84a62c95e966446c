from pathlib import Path

import numpy as np
import pytest
from example_bundle import random_network
from example_image_bundle import (
    SIZE,
    example_image_bundle,
    example_image_manifest,
    example_network,
)

from RetinaTriageLib.bundle_images import ImageBundle, write_image_bundle
from RetinaTriageLib.errors import CancelledError, InputError
from RetinaTriageLib.image_classes import Pooling
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.judge_images import image_judge, judge_bscans, judge_images
from RetinaTriageLib.networks.image_input import network_images, unit_gray
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.volume import OCTVolume, ScanPattern

CPU = Compute("cpu", "float32", 1, "CPU, float32")


@pytest.fixture
def bundle(tmp_path: Path) -> ImageBundle:
    return example_image_bundle(tmp_path / "images")


def pictures(count: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, *size)).astype(np.uint8)


def test_answer_does_not_depend_on_the_batch(bundle: ImageBundle) -> None:
    images = list(pictures(5))
    whole = judge_images(images, bundle, compute=CPU, batch=5)
    parts = judge_images(images, bundle, compute=CPU, batch=2)
    assert np.allclose(whole, parts, atol=1e-6)
    assert np.allclose(whole.sum(axis=1), 1)


def test_pictures_of_several_sizes_are_judged_in_one_run(bundle: ImageBundle) -> None:
    images = [pictures(1)[0], pictures(1, (40, 31))[0], pictures(1, (7, 9))[0]]
    assert judge_images(images, bundle, compute=CPU).shape == (3, 3)


def test_gray_scale_of_sixteen_bits_does_not_matter() -> None:
    image = pictures(1).astype(np.uint16)
    assert np.allclose(unit_gray(image * 200), unit_gray(image), atol=1e-6)


def test_enlarged_picture_keeps_its_gray_values() -> None:
    image = np.full((1, 5, 6), 51, np.uint8)
    assert np.allclose(network_images(image, (16, 24)).numpy(), 0.2)


def test_probabilities_of_several_networks_are_averaged(tmp_path: Path) -> None:
    networks = {"a": example_network(seed=1), "b": example_network(seed=2)}
    both = write_image_bundle(tmp_path / "both", example_image_manifest(), networks, "# Card\n")
    single = [
        write_image_bundle(tmp_path / name, example_image_manifest(), {name: net}, "# Card\n")
        for name, net in networks.items()
    ]
    images = list(pictures(2))
    mean = np.mean([judge_images(images, one, compute=CPU) for one in single], axis=0)
    assert np.allclose(judge_images(images, both, compute=CPU), mean)


def test_volume_is_judged_as_its_bscans(bundle: ImageBundle) -> None:
    volume = OCTVolume(pictures(4), None, pattern=ScanPattern.RADIAL)
    verdict = judge_bscans(volume, bundle, Pooling.MEAN, compute=CPU)
    alone = judge_images(list(volume.voxels), bundle, compute=CPU)
    assert np.allclose(verdict.bscans, alone)
    assert np.allclose(verdict.scores, alone.mean(axis=0))


def test_attention_of_the_bundle_weights_bscans(tmp_path: Path) -> None:
    bundle = example_image_bundle(tmp_path / "attentive", attention=2)
    volume = OCTVolume(pictures(4), None)
    verdict = judge_bscans(volume, bundle, Pooling.ATTENTION, compute=CPU)
    assert verdict.weights is not None
    assert verdict.weights.sum() == pytest.approx(1)
    assert verdict.pooled_by.startswith("Trained attention")


def test_judge_for_occlusion_gives_the_same_scores(bundle: ImageBundle) -> None:
    images = pictures(2)
    judged = image_judge(bundle, CPU)(unit_gray(images))
    assert np.allclose(judged, judge_images(list(images), bundle, compute=CPU), atol=1e-6)


def test_caller_can_stop_between_batches(bundle: ImageBundle) -> None:
    seen = []

    def stop(progress: Progress) -> None:
        seen.append(progress.done)
        if progress.done >= 2:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        judge_images(list(pictures(6)), bundle, compute=CPU, batch=2, on_progress=stop)
    assert seen == [0, 2]


def test_lack_of_memory_halves_the_batch_and_is_noted(
    bundle: ImageBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = example_network()
    random_network(network, 0)
    forward = type(network.backbone).forward

    def small_memory(backbone: object, images: object) -> object:
        if len(images) > 2:  # type: ignore[arg-type]
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return forward(backbone, images)  # type: ignore[arg-type]

    monkeypatch.setattr(type(network.backbone), "forward", small_memory)
    verdict = judge_bscans(OCTVolume(pictures(4), None), bundle, compute=CPU, batch=4)
    assert verdict.bscans.shape == (4, 3)
    assert "starting again with 2" in verdict.origin.notes[0]


def test_colors_and_nothing_are_refused(bundle: ImageBundle) -> None:
    with pytest.raises(InputError, match="gray values"):
        judge_images([np.zeros((4, 4, 3), np.uint8)], bundle, compute=CPU)
    with pytest.raises(InputError, match="at least one"):
        judge_images([], bundle, compute=CPU)
