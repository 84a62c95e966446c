"""Small labeled pictures: dark ones and bright ones, each of a patient."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def write_pictures(folder: Path, patients: int = 6, each: int = 2) -> Path:
    """Class folders DARK and BRIGHT with ``each`` noisy pictures of ``patients`` patients."""
    rng = np.random.default_rng(0)
    for label, level in (("DARK", 60), ("BRIGHT", 160)):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for patient in range(patients):
            for number in range(each):
                pixels = np.clip(rng.normal(level, 20, (40, 36)), 0, 255).astype(np.uint8)
                name = f"{label[0]}{patient}-{number}.png"
                Image.fromarray(pixels).save(folder / label / name)
    return folder
