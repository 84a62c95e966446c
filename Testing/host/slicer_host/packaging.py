"""``slicer.packaging`` that looks packages up but installs nothing: it records what was asked."""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import slicer
from packaging.requirements import Requirement

requests: list[tuple[str, ...]] = []


def load_requirements(path: str | Path) -> list[Requirement]:
    """Requirements of a file, comments left out."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    stripped = (line.partition("#")[0].strip() for line in lines)
    return [Requirement(line) for line in stripped if line]


def pip_check(req: str | Requirement | Sequence[str | Requirement]) -> bool:
    """Whether all requirements are installed here, without importing any."""
    return all(_installed(requirement) for requirement in _as_requirements(req))


def pip_install(requirements: Any, **_options: Any) -> None:
    """Record the request and refuse it."""
    wanted = tuple(str(requirement) for requirement in _as_requirements(requirements))
    requests.append(wanted)
    msg = f"The test host installs nothing; it was asked for {', '.join(wanted)}."
    raise RuntimeError(msg)


def pip_ensure(requirements: Any, **options: Any) -> None:
    """Ask for what is missing."""
    missing = [one for one in _as_requirements(requirements) if not _installed(one)]
    if missing:
        pip_install(missing, **options)


def _as_requirements(given: Any) -> list[Requirement]:
    many = [given] if isinstance(given, str | Requirement) else given
    return [one if isinstance(one, Requirement) else Requirement(one) for one in many]


def _installed(requirement: Requirement) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    try:
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return False


def install_packaging() -> None:
    """Register ``slicer.packaging``."""
    module = types.ModuleType("slicer.packaging")
    for function in (load_requirements, pip_check, pip_install, pip_ensure):
        setattr(module, function.__name__, function)
    sys.modules["slicer.packaging"] = module
    slicer.packaging = module
