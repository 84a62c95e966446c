"""Library messages in the panel's words: where to click, not which command-line option to pass."""

from __future__ import annotations

import re
from collections.abc import Callable

from slicer.i18n import tr as _

PYTHON_HINT = re.compile(r" ?\(Python: with_geometry\([^)]*\)\)")
OTHER_OPTION = re.compile(r"--([a-z-]*[a-z])")


def forPanel(text: str) -> str:
    """Message of the library for somebody who looks at the panel."""
    text = PYTHON_HINT.sub("", text)
    for pattern, remedy in _remedies():
        text = re.sub(pattern, _likeBefore(remedy), text, flags=re.IGNORECASE)
    return OTHER_OPTION.sub(r"\1", text)


def _remedies() -> tuple[tuple[str, str], ...]:
    """Options of the command line, as messages name them, and what they are in the panel."""
    return (
        (
            r"\b(pass|use|state it with) --spacing-um( BSCAN DEPTH WIDTH| B D W)?",
            _("state it under Scan geometry"),
        ),
        (r"--spacing-um", _("B-scan, depth and width in um:")),
        (
            r"\b(pass|state it with) --laterality( OD or OS)?",
            _("choose the eye under Scan geometry"),
        ),
        (r"\b(pass|state it with) --scanner", _("choose the scanner under Scan geometry")),
        (r"\bstate --bscan-axis", _("choose the B-scan axis under Scan geometry")),
        (r"\bleave out --bscan-axis", _("leave the B-scan axis at By spacing")),
        (r"--bscan-axis", _("B-scan axis")),
        (r"\bchoose one with --series", _("choose one of them")),
        (r"\bwith --bundle", _("under Model bundle")),
        (r"\bwith --bscan-bundle", _("under B-scan classifier")),
        (r"\bwith --pictures", _("on the command line")),
        (r"\bpass --overwrite", _("remove it first")),
        (
            r"\binstall it with: pip install '[^']*'",
            _("try again and agree to its installation"),
        ),
        (
            r"\binstall it (in|with) [^;]*; outside Slicer: pip install [\w-]+",
            _("press Install under Set-up"),
        ),
    )


def _likeBefore(remedy: str) -> Callable[[re.Match[str]], str]:
    """Give the remedy a capital where what it replaces had one."""

    def replace(match: re.Match[str]) -> str:
        return remedy[0].upper() + remedy[1:] if match[0][0].isupper() else remedy

    return replace
