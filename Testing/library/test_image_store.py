from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.training.image_sets import LabeledImage
from RetinaTriageLib.training.image_store import ImageStore, content_digests, read_gray


def saved(path: Path, pixels: np.ndarray) -> LabeledImage:
    Image.fromarray(pixels).save(path, **({"quality": 95} if path.suffix == ".jpg" else {}))
    return LabeledImage(path, path.name, (True,), "anna")


def test_pictures_have_the_size_of_the_network(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(0, 200, 5, np.uint8), (30, 1))
    image = saved(tmp_path / "a.png", ramp)
    shown = ImageStore((15, 20)).batch([image, image])
    assert shown.shape == (2, 15, 20)
    assert shown[0, 0, 10] == pytest.approx(ramp[0, 20:22].mean() / 255, abs=0.01)


def test_pictures_are_read_again_where_memory_ends(tmp_path: Path) -> None:
    image = saved(tmp_path / "a.png", np.zeros((8, 8), np.uint8))
    kept, read = ImageStore((8, 8)), ImageStore((8, 8), kept_bytes=0)
    for store in (kept, read):
        store.batch([image])
    saved(tmp_path / "a.png", np.full((8, 8), 255, np.uint8))
    assert [float(store.batch([image]).max()) for store in (kept, read)] == [0, 1]


def test_gray_that_jpeg_tinted_is_read(tmp_path: Path) -> None:
    gray = np.full((16, 16, 3), 100, np.uint8) + np.array([0, 6, 12], np.uint8)
    assert read_gray(saved(tmp_path / "a.jpg", gray), (4, 4)).mean() == pytest.approx(106, abs=2)


def test_colors_are_refused(tmp_path: Path) -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    with pytest.raises(InputError, match="Found colors"):
        read_gray(saved(tmp_path / "a.jpg", red), (4, 4))


def test_same_content_has_the_same_digest(tmp_path: Path) -> None:
    images = [saved(tmp_path / name, np.zeros((4, 4), np.uint8)) for name in ("a.png", "b.png")]
    assert len(set(content_digests(images).values())) == 1
