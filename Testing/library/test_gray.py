import numpy as np
import pytest

from RetinaTriageLib.networks.gray import (
    TISSUE_GRAY,
    GrayScale,
    gray_scale,
    is_black_on_white,
    normalize,
    tissue_scale,
)


def noisy_scan() -> np.ndarray:
    """Vitreous, retina and a bright layer, uint8 array (2, 64, 64)."""
    gray = np.full((2, 64, 64), 30.0)
    gray[:, 24:36], gray[:, 36:50] = 90, 150
    return (gray + np.random.default_rng(0).normal(0, 4, gray.shape)).astype(np.uint8)


def test_eight_bit_scale_does_not_depend_on_the_volume():
    dark = np.full((1, 4, 4), 3, np.uint8)
    assert gray_scale(dark) == GrayScale(0.0, 255.0)


def test_sixteen_bit_volume_looks_like_its_eight_bit_copy():
    ramp = np.tile(np.arange(256, dtype=np.uint8), (2, 64, 1))
    from_bytes, from_words = normalize(ramp), normalize(ramp.astype(np.uint16) * 257)
    assert np.abs(from_bytes - from_words).max() < 0.06


def test_one_bright_voxel_does_not_darken_the_rest():
    voxels = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (2, 64, 1))
    bright = voxels.copy()
    bright[0, 0, 0] = 1000
    np.testing.assert_allclose(normalize(bright)[1], normalize(voxels)[1], atol=0.05)


def test_chunks_with_the_scale_of_the_volume_agree_with_it():
    voxels = np.random.default_rng(0).random((4, 16, 16), dtype=np.float32)
    scale = gray_scale(voxels)
    chunks = [normalize(voxels[start : start + 1], scale) for start in range(4)]
    assert np.array_equal(np.concatenate(chunks), normalize(voxels))


def test_nearly_empty_volume_keeps_its_contrast():
    voxels = np.zeros((2, 32, 32), np.float32)
    voxels[0, 3, 3] = 7
    assert gray_scale(voxels) == GrayScale(0.0, 7.0)


def test_background_and_bright_layers_lie_where_they_do_in_every_volume():
    scan = noisy_scan()
    gray = normalize(scan, tissue_scale(scan)) * 0.2 + 0.25
    assert np.median(gray[:, :20]) == pytest.approx(TISSUE_GRAY[0], abs=0.03)
    assert np.median(gray[:, 36:50]) == pytest.approx(TISSUE_GRAY[1], abs=0.06)


@pytest.mark.parametrize(("gain", "black"), [(1.0, 60), (0.4, 0), (1.4, 20)])
def test_black_level_and_contrast_of_a_display_do_not_matter(gain, black):
    scan = noisy_scan()
    other = (scan * gain + black).astype(np.uint8)
    seen, expected = (normalize(one, tissue_scale(one)) for one in (other, scan))
    assert np.abs(seen - expected).max() < 0.1  # a gray level of 8 bit is 0.02 to 0.08


def test_scale_of_other_numbers_is_that_of_eight_bits():
    scan = noisy_scan()
    words, reals = scan.astype(np.uint16) * 200 + 7, scan / np.float32(2000)
    expected = normalize(scan, tissue_scale(scan))
    for one in (words, reals):
        np.testing.assert_allclose(normalize(one, tissue_scale(one)), expected, atol=1e-3)


def test_white_fill_of_registration_does_not_count():
    scan = noisy_scan()
    filled = scan.copy()
    filled[:, :6] = 255
    assert tissue_scale(filled).high == pytest.approx(tissue_scale(scan).high, rel=0.05)


def test_inverted_scan_looks_like_the_inverted_picture_of_it():
    scan = noisy_scan()
    inverted = 255 - scan
    assert is_black_on_white(inverted)
    assert not is_black_on_white(scan)
    gray, turned = (normalize(one, tissue_scale(one)) for one in (scan, inverted))
    np.testing.assert_allclose(turned, (1 - 2 * 0.25) / 0.2 - gray, atol=1e-4)


@pytest.mark.parametrize("value", [0, 7, 255])
def test_volume_of_one_gray_value_has_the_scale_of_its_display(value):
    assert tissue_scale(np.full((2, 16, 16), value, np.uint8)) == GrayScale(0.0, 255.0)


def test_volume_of_two_gray_values_stays_finite():
    voxels = np.zeros((1, 16, 16), np.float32)
    voxels[:, 8:] = 3
    assert np.isfinite(normalize(voxels, tissue_scale(voxels))).all()
