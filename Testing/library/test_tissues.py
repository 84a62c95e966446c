"""The tissue vocabulary; colors must stay apart for readers with a color vision deficiency."""

import itertools

import numpy as np
import pytest

from RetinaTriageLib.tissues import TISSUE_BY_NAME, TISSUES, TissueGroup, labels_of

# Linear RGB as seen, severity 1.0 (Machado, Oliveira, Fernandes 2009).
VISIONS = {
    "normal vision": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
# sRGB to XYZ, relative to its white point D65 (IEC 61966-2-1).
RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
) / np.array([[0.95047], [1.0], [1.08883]])

LEAST_DIFFERENCE = 15.0
"""CIEDE2000 units; about 2 can just be told apart side by side."""


def lab(color: tuple[int, int, int], vision: np.ndarray) -> np.ndarray:
    """CIELAB of an sRGB color as a person with this vision sees it."""
    srgb = np.array(color) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = RGB_TO_XYZ @ np.clip(vision @ linear, 0, 1)
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def ciede2000(first: np.ndarray, second: np.ndarray) -> float:
    """Color difference of two CIELAB colors (Sharma, Wu, Dalal 2005)."""
    lightness = (first[0] + second[0]) / 2
    chroma7 = ((np.hypot(*first[1:]) + np.hypot(*second[1:])) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(chroma7 / (chroma7 + 25.0**7))
    a, b = np.array([first[1], second[1]]) * stretch, np.array([first[2], second[2]])
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    turn = (hue[1] - hue[0] + 180) % 360 - 180
    middle = np.radians(hue[0] + turn / 2)
    mean = chroma.mean()
    hue_weight = (
        1
        - 0.17 * np.cos(middle - np.radians(30))
        + 0.24 * np.cos(2 * middle)
        + 0.32 * np.cos(3 * middle + np.radians(6))
        - 0.20 * np.cos(4 * middle - np.radians(63))
    )
    blue = np.exp(-(((np.degrees(middle) % 360 - 275) / 25) ** 2))
    rotation = -2 * np.sqrt(mean**7 / (mean**7 + 25.0**7)) * np.sin(np.radians(60 * blue))
    offset = (lightness - 50) ** 2
    d_lightness = (second[0] - first[0]) / (1 + 0.015 * offset / np.sqrt(20 + offset))
    d_chroma = (chroma[1] - chroma[0]) / (1 + 0.045 * mean)
    d_hue = 2 * np.sqrt(chroma.prod()) * np.sin(np.radians(turn / 2))
    d_hue /= 1 + 0.015 * mean * hue_weight
    return float(np.sqrt(d_lightness**2 + d_chroma**2 + d_hue**2 + rotation * d_chroma * d_hue))


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [  # pairs 1, 7, 17 and 25 of the test data of Sharma, Wu, Dalal 2005
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_color_difference_matches_published_pairs(first, second, difference):
    found = ciede2000(np.array(first), np.array(second))
    assert found == pytest.approx(difference, abs=1e-4)


@pytest.mark.parametrize("vision", VISIONS)
def test_colors_stay_apart(vision):
    seen = {tissue.name: lab(tissue.color, VISIONS[vision]) for tissue in TISSUES}
    close = {
        (a, b): round(ciede2000(seen[a], seen[b]), 1)
        for a, b in itertools.combinations(seen, 2)
        if ciede2000(seen[a], seen[b]) < LEAST_DIFFERENCE
    }
    assert close == {}


def test_labels_are_0_to_14_in_order():
    assert [tissue.label for tissue in TISSUES] == list(range(15))


def test_names_and_titles_are_unique():
    assert len({tissue.name for tissue in TISSUES}) == 15
    assert len({tissue.title for tissue in TISSUES}) == 15


def test_names_lead_to_their_tissue():
    assert all(TISSUE_BY_NAME[tissue.name] is tissue for tissue in TISSUES)


def test_definitions_are_sentences_of_their_own():
    definitions = [tissue.definition for tissue in TISSUES]
    assert len(set(definitions)) == 15
    assert all(definition.endswith(".") for definition in definitions)


def test_every_tissue_has_a_code_that_says_how_exact_it_is():
    assert all(tissue.code.scheme in ("SCT", "99RETINATRIAGE") for tissue in TISSUES)
    private = [tissue for tissue in TISSUES if tissue.code.scheme == "99RETINATRIAGE"]
    assert all(tissue.code.value == tissue.name and tissue.code.exact for tissue in private)


def test_groups_part_the_tissues():
    labels = [label for group in TissueGroup for label in labels_of(group)]
    assert sorted(labels) == list(range(15))


def test_labels_of_several_groups_ascend():
    assert labels_of(TissueGroup.ARTIFACT, TissueGroup.FLUID) == (4, 5, 12, 13, 14)
