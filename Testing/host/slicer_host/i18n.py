"""``slicer.i18n``: every text is its own, unless a test translates it."""

from __future__ import annotations

import sys
import types

import slicer

TRANSLATIONS: dict[str, str] = {}


def tr(text: str) -> str:
    """Text as the user reads it."""
    return TRANSLATIONS.get(text, text)


def translate(_context: str, text: str) -> str:
    """Text as the user reads it, in a context."""
    return text


def install_i18n() -> None:
    """Register ``slicer.i18n``."""
    module = types.ModuleType("slicer.i18n")
    module.tr = tr  # type: ignore[attr-defined]
    module.translate = translate  # type: ignore[attr-defined]
    sys.modules["slicer.i18n"] = module
    slicer.i18n = module
