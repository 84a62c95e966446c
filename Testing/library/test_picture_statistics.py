from __future__ import annotations

import numpy as np
import pytest

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.phantoms.devices import CIRRUS, SPECTRALIS
from RetinaTriageLib.training.phantom_realism import compare_with_phantoms, imitated_device
from RetinaTriageLib.training.phantom_realism_figure import draw_comparison
from RetinaTriageLib.training.picture_statistics import (
    LAGS,
    PROFILE_UM,
    REGIONS,
    _autocorrelation,
    measure_pictures,
)
from RetinaTriageLib.volume import DeviceFamily, OCTVolume, VoxelSpacing

SPACING = VoxelSpacing.from_um(120, 4, 12)
GRAYS = {"vitreous": 20, "retina": 120, "bright": 220, "choroid": 90}


def layered(seed: int = 0) -> np.ndarray:
    """Vitreous, retina from row 60, bright bands from 120 to 135, choroid, with noise."""
    image = np.full((250, 128), GRAYS["vitreous"], float)
    image[60:] = GRAYS["retina"]
    image[120:135] = GRAYS["bright"]
    image[135:] = GRAYS["choroid"]
    return (image + np.random.default_rng(seed).normal(0, 4, image.shape)).astype(np.uint8)


def scan(device: DeviceFamily | None = DeviceFamily.SPECTRALIS, spacing=SPACING) -> OCTVolume:
    return OCTVolume(np.stack([layered(seed) for seed in range(3)]), spacing, device=device)


def test_regions_have_the_gray_that_was_drawn():
    found = measure_pictures([layered()], SPACING)
    gray = dict(zip(REGIONS, found.region_gray[0] * 255, strict=True))
    assert gray["vitreous"] == pytest.approx(GRAYS["vitreous"], abs=3)
    assert gray["inner retina"] == pytest.approx(GRAYS["retina"], abs=3)
    assert gray["choroid"] == pytest.approx(GRAYS["choroid"], abs=3)
    assert found.histogram.sum() == pytest.approx(1)


def test_profile_is_aligned_at_the_outer_edge_of_the_bright_bands():
    profile = measure_pictures([layered()], SPACING).profile[0] * 255
    assert profile[np.abs(PROFILE_UM + 30).argmin()] == pytest.approx(GRAYS["bright"], abs=4)
    assert profile[np.abs(PROFILE_UM - 40).argmin()] == pytest.approx(GRAYS["choroid"], abs=4)


def test_white_noise_has_no_autocorrelation_and_steps_have_some():
    noise = np.random.default_rng(0).normal(size=(100, 100))
    everywhere = np.ones((100, 100), bool)
    assert np.abs(_autocorrelation(noise, everywhere)).max() < 0.05
    doubled = _autocorrelation(np.repeat(noise, 2, axis=0), np.ones((200, 100), bool))
    assert doubled[0] == pytest.approx(0.5, abs=0.05)
    assert doubled.shape == LAGS.shape


def test_pictures_without_layers_are_refused():
    with pytest.raises(InputError, match="none of 1 B-scans"):
        measure_pictures([np.full((250, 128), 7, np.uint8)], SPACING)


def test_imitated_device_takes_size_and_spacing_of_the_scan():
    device = imitated_device(scan(DeviceFamily.CIRRUS))
    assert device.frames == CIRRUS.frames
    assert device.shape == (CIRRUS.shape[0], 250, 128)
    assert device.spacing.depth_mm == SPACING.depth_mm
    assert imitated_device(scan()).frames == SPECTRALIS.frames


def test_scan_of_an_unknown_scanner_or_spacing_is_refused():
    with pytest.raises(InputError, match="--scanner"):
        imitated_device(scan(None))
    with pytest.raises(GeometryError, match="--spacing-um"):
        imitated_device(scan(spacing=None))


def test_comparison_becomes_a_table_and_a_figure(tmp_path):
    seen = []
    found = compare_with_phantoms(scan(), count=2, diseases=(), on_progress=seen.append)
    assert (seen[-1].done, seen[-1].total) == (4, 4)
    assert len(found.real.images) == len(found.phantom.images) == 2
    assert 0 < found.histogram_difference() <= 1
    assert "gray, vitreous" in found.table()
    draw_comparison(found, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes()[:4] == b"\x89PNG"
