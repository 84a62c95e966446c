"""From regions to the picture a scanner shows: reflectivity, attenuation, speckle, noise, display.

The physics is kept where it shows: layers reflect, shadows fall along A-scans, averaged speckle is
log-normal with a strength of 1.5/sqrt(frames), the detector adds a noise floor, the point-spread
function correlates both, and the display takes a root of the intensity above a black level.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, zoom

from RetinaTriageLib.phantoms.devices import DeviceProfile
from RetinaTriageLib.phantoms.exposure import Exposure
from RetinaTriageLib.phantoms.fields import Array
from RetinaTriageLib.phantoms.paint import CYST, EXUDATE, RegionArray
from RetinaTriageLib.phantoms.surfaces import REGIONS, Surfaces
from RetinaTriageLib.tissues import TISSUES

FloatImage = npt.NDArray[np.float32]

# Log contrast within each kind of PED: drusen are even, fibrovascular tissue is mixed.
_PED_TEXTURE = {8: 0.12, 9: 0.10, 10: 0.80}
_SHRM_TEXTURE = 0.45

_REFLEX_MM = 0.006  # depth over which the specular reflex of the inner limiting membrane fades


def take_picture(
    regions: RegionArray,
    surfaces: Surfaces,
    vessels: tuple[Array, Array],
    bscan: int,
    depth_mm: Array,
    exposure: Exposure,
    device: DeviceProfile,
    rng: np.random.Generator,
) -> npt.NDArray[np.uint8]:
    """Gray B-scan, uint8 array (depth, A-scan), of painted regions at the given depths."""
    raw = _reflect(regions, surfaces, bscan, depth_mm, exposure, rng)
    raw *= _vessel_gain(regions, surfaces, vessels, bscan, depth_mm, exposure)
    raw *= _exudate_shadow(regions)
    raw *= _light(surfaces, bscan, exposure, rng)
    fall = np.exp(-np.log(10) / 10 * device.roll_off_db * np.linspace(0, 1, len(depth_mm)))
    raw *= fall[:, None].astype(np.float32)
    # Blurred as displayed, so that a boundary lies where the shown gray changes fastest. That is
    # where scanners draw their lines; blurring raw intensity would move edges 1 px outwards.
    blur = (device.axial_blur, device.lateral_blur)
    shown = gaussian_filter(raw ** np.float32(1 / device.root), blur)
    raw = np.asarray(shown**device.root, dtype=np.float32)
    noise = gaussian_filter(rng.standard_normal(raw.shape, dtype=np.float32), (0.87, 0.57))
    noise /= noise.std()
    signal = raw * np.exp(exposure.speckle * noise - exposure.speckle**2 / 2)
    grain = 0.25 + 0.6 * exposure.speckle
    floor = exposure.floor * (np.exp(grain * noise[::-1] - grain**2 / 2) - exposure.black)
    gray: FloatImage = np.clip(signal + floor, 0, 1) ** np.float32(1 / device.root)
    return np.asarray(gray * 255, dtype=np.uint8)


def _reflect(
    regions: RegionArray,
    surfaces: Surfaces,
    bscan: int,
    depth_mm: Array,
    exposure: Exposure,
    rng: np.random.Generator,
) -> FloatImage:
    """Raw reflectivity: constant a layer, textured and fading in the choroid, deeper in atrophy."""
    raw: FloatImage = exposure.raw[regions]
    ped, ped_label = regions == REGIONS.index("ped"), surfaces.ped_label[bscan]
    raw = np.where(ped, _by_label(exposure.ped_raw, ped_label), raw)
    raw *= _reflex(regions, surfaces, bscan, depth_mm, exposure)
    texture = _texture(raw.shape, 11.0, 9.0, rng)
    lumens = _texture(raw.shape, 22.0, 26.0, rng)
    fine = _texture(raw.shape, 3.0, 2.0, rng)
    outer = regions >= REGIONS.index("choroid")
    outer &= regions < CYST
    atrophy = surfaces.atrophy[bscan]
    below = np.clip(depth_mm[:, None] - surfaces.top_mm("choroid")[bscan], 0, None)
    decay = exposure.choroid_decay * (1 - 0.45 * atrophy)
    light = np.exp(-decay * below + 1.2 * atrophy).astype(np.float32)
    patchy = np.exp(exposure.texture * (texture + 0.25 * fine))
    in_choroid = regions == REGIONS.index("choroid")
    patchy *= np.exp(exposure.lumens * lumens * in_choroid + exposure.sclera * ~in_choroid)
    raw = np.where(outer, raw * light * patchy.astype(np.float32), raw * np.exp(0.22 * fine))
    mixed = np.where(regions == REGIONS.index("shrm"), np.float32(_SHRM_TEXTURE), np.float32(0))
    mixed = np.where(ped, _by_label(_PED_TEXTURE, ped_label), mixed)
    return np.where(mixed > 0, raw * np.exp(mixed * texture), raw).astype(np.float32)


def _by_label(values: Mapping[int, float], labels: Array) -> FloatImage:
    """Value of each tissue label, float32 array of the labels' shape; 0 for others."""
    table = np.zeros(len(TISSUES), dtype=np.float32)
    for label, value in values.items():
        table[label] = value
    chosen: FloatImage = table[labels]
    return chosen


def _reflex(
    regions: RegionArray, surfaces: Surfaces, bscan: int, depth_mm: Array, exposure: Exposure
) -> FloatImage:
    """Gain of a healthy inner surface that mirrors light; it is no membrane."""
    gain = np.ones(regions.shape, dtype=np.float32)
    if exposure.reflex == 0:
        return gain
    rows, columns = np.nonzero(regions == REGIONS.index("rnfl"))
    x_mm, y_mm = surfaces.x_mm[bscan], surfaces.y_mm[bscan]
    lit = exposure.reflex * np.clip(exposure.reflex_field(x_mm, y_mm), 0, None)
    below_mm = depth_mm[rows] - surfaces.top_mm("rnfl")[bscan, columns]
    gain[rows, columns] = 1 + lit[columns] * np.exp(-((below_mm / _REFLEX_MM) ** 2))
    return gain


def _texture(
    shape: tuple[int, ...], depth_px: float, width_px: float, rng: np.random.Generator
) -> FloatImage:
    """Smooth noise of unit standard deviation, made on a coarse grid."""
    coarse = rng.standard_normal(
        (int(shape[0] / depth_px) + 2, int(shape[1] / width_px) + 2), dtype=np.float32
    )
    fine = zoom(coarse, (depth_px, width_px), order=1)[: shape[0], : shape[1]]
    return np.asarray(fine / fine.std(), dtype=np.float32)


def _vessel_gain(
    regions: RegionArray,
    surfaces: Surfaces,
    vessels: tuple[Array, Array],
    bscan: int,
    depth_mm: Array,
    exposure: Exposure,
) -> FloatImage:
    """Bright walls of retinal vessels and the shadow below them."""
    relative, radius = vessels[0][bscan], vessels[1][bscan]
    inside = relative < 1
    if not inside.any():
        return np.ones((1, regions.shape[1]), dtype=np.float32)
    center = surfaces.top_mm("erm")[bscan] + radius + 0.01
    below = depth_mm[:, None] > center
    strength = np.clip(radius / 0.045, 0.3, 1) * np.clip(1.3 - relative, 0, 1)
    gain = np.where(below & inside, exposure.vessel_shadow**strength, 1.0)
    reach = (depth_mm[:, None] - center) ** 2 / np.maximum(radius, 1e-3) ** 2 + relative**2
    wall = (reach > 0.5) & (reach < 1.2) & (regions > 0) & inside
    gain = np.where(wall, 1.8, gain)
    soft: FloatImage = gaussian_filter(gain.astype(np.float32), (0.0, 0.8))
    return soft


def _exudate_shadow(regions: RegionArray) -> FloatImage:
    """Columns below hard exudates get darker."""
    dense = (regions == EXUDATE).cumsum(axis=0)
    if not dense[-1].any():
        return np.ones((1, regions.shape[1]), dtype=np.float32)
    shadow = np.exp(-0.25 * np.minimum(dense, 8))
    return np.where(regions == EXUDATE, 1.0, shadow).astype(np.float32)


def _light(
    surfaces: Surfaces, bscan: int, exposure: Exposure, rng: np.random.Generator
) -> FloatImage:
    """Illumination along the B-scan, with media opacities."""
    x, y = surfaces.x_mm[bscan], surfaces.y_mm[bscan]
    log_gain = exposure.illumination_strength * exposure.illumination(x, y)
    log_gain = log_gain + np.log(exposure.gain) + rng.normal(0, 0.1)
    for center_x, center_y, radius, loss in exposure.opacity:
        squared = (x - center_x) ** 2 + (y - center_y) ** 2
        log_gain = log_gain - loss * np.exp(-squared / (2 * radius**2))
    gain: FloatImage = np.exp(log_gain)[None].astype(np.float32)
    return gain
