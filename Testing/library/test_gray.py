import numpy as np

from RetinaTriageLib.networks.gray import GrayScale, gray_scale, normalize


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
