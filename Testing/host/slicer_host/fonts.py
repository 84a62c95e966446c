"""Fonts of the views: Slicer brings DejaVu along, the wheel does not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import vtk

SYSTEM_FONTS = Path("/usr/share/fonts/truetype/dejavu")  # Debian package fonts-dejavu-core
FONT_FILES = {
    vtk.VTK_ARIAL: "DejaVuSans.ttf",
    vtk.VTK_COURIER: "DejaVuSansMono.ttf",
    vtk.VTK_TIMES: "DejaVuSerif.ttf",
}


def install_fonts(application_logic: Any) -> None:
    """Put the fonts that this machine has where Slicer's views look for them."""
    folder = Path(application_logic.GetFontsDirectory())
    folder.mkdir(parents=True, exist_ok=True)
    for family, name in FONT_FILES.items():
        if (SYSTEM_FONTS / name).is_file():
            shutil.copy(SYSTEM_FONTS / name, folder)
            application_logic.SetFontFileName(family, name)
