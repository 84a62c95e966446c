from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from example_eye import BRUCH_MM, FLAT, SMALL, mean_eye

from RetinaTriageLib.phantoms.devices import CIRRUS, SPECTRALIS, DeviceProfile
from RetinaTriageLib.phantoms.exposure import Exposure, draw_exposure
from RetinaTriageLib.phantoms.lesions import Cyst, Lesions
from RetinaTriageLib.phantoms.paint import CYST, paint_regions
from RetinaTriageLib.phantoms.picture import take_picture
from RetinaTriageLib.phantoms.surfaces import REGIONS, find_surfaces

X_MM, Y_MM = np.linspace(-2.0, 2.0, 200)[None], np.zeros((1, 200))
DEPTH_MM = np.arange(0.5, 400) * 0.004
NO_VESSELS = (np.full((1, 200), np.inf), np.zeros((1, 200)))


def exposure(seed: int = 0, device: DeviceProfile = SPECTRALIS) -> Exposure:
    """Even light and no noise but speckle."""
    drawn = draw_exposure(np.random.default_rng(seed), device)
    return replace(drawn, illumination=FLAT, opacity=(), gain=1.0)


def picture(
    shown: Exposure,
    lesions: Lesions = Lesions(),  # noqa: B008 - frozen
    vessels: tuple[np.ndarray, np.ndarray] = NO_VESSELS,
    device: DeviceProfile = SPECTRALIS,
) -> tuple[np.ndarray, np.ndarray]:
    """Gray and regions of one B-scan through the fovea, each (depth, A-scan)."""
    surfaces = find_surfaces(mean_eye(), lesions, X_MM, Y_MM, BRUCH_MM)
    regions = paint_regions(surfaces, lesions, 0, DEPTH_MM)
    rng = np.random.default_rng(7)
    return take_picture(regions, surfaces, vessels, 0, DEPTH_MM, shown, device, rng), regions


def gray_of(image: np.ndarray, regions: np.ndarray, region: str) -> float:
    return float(image[regions == REGIONS.index(region)].mean())


def test_bright_bands_are_brighter_than_dark_ones():
    image, regions = picture(exposure())
    bright = min(gray_of(image, regions, name) for name in ("rnfl", "ez", "rpe"))
    dark = max(gray_of(image, regions, name) for name in ("onl", "inl"))
    assert bright > dark > gray_of(image, regions, "vitreous")


def test_more_frames_mean_less_speckle():
    few, many = (picture(replace(exposure(), speckle=s)) for s in (0.9, 0.2))
    deviations = [image[regions == REGIONS.index("onl")].std() for image, regions in (few, many)]
    assert deviations[0] > 1.5 * deviations[1]


def test_vessels_throw_shadows():
    relative = np.where(np.abs(X_MM - 1.0) < 0.05, 0.3, np.inf)
    image, regions = picture(
        replace(exposure(), vessel_shadow=0.05), vessels=(relative, np.full_like(relative, 0.05))
    )
    rpe, shadowed = regions == REGIONS.index("rpe"), relative[0] < 1
    assert image[:, shadowed][rpe[:, shadowed]].mean() < 0.8 * image[rpe].mean()


def test_opacity_takes_light_where_it_lies():
    image, regions = picture(replace(exposure(), opacity=((1.0, 0.0, 0.3, 5.0),)))
    dark, rpe = np.abs(X_MM[0] - 1.0) < 0.15, regions == REGIONS.index("rpe")
    light = X_MM[0] < 0
    assert image[:, dark][rpe[:, dark]].mean() < 0.6 * image[:, light][rpe[:, light]].mean()


def test_cysts_are_darker_than_the_retina():
    image, regions = picture(exposure(), Lesions(cysts=(Cyst((1.0, 0.0), 0.5, (0.3, 0.3, 0.06)),)))
    assert image[regions == CYST].mean() < 0.8 * gray_of(image, regions, "ipl")


def test_choroid_fades_with_depth():
    image, _ = picture(exposure())
    below = DEPTH_MM - BRUCH_MM
    near, deep = (image[(below > a) & (below < a + 0.05)].mean() for a in (0.02, 0.45))
    assert near > 1.3 * deep


@pytest.mark.parametrize("device", [SPECTRALIS, CIRRUS, SMALL])
def test_exposure_stays_within_the_profile_of_its_device(device):
    for seed in range(20):
        drawn = draw_exposure(np.random.default_rng(seed), device)
        low, high = device.noise_floor
        assert low <= drawn.floor ** (1 / device.root) <= high
        assert 1.5 / device.frames[1] ** 0.5 <= drawn.speckle <= 1.5 / device.frames[0] ** 0.5
        assert ((drawn.raw >= 0) & (drawn.raw <= 1)).all()
        assert drawn.raw.shape == (len(REGIONS) + 3,)
