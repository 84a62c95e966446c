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
constraint_lines: list[tuple[str, ...]] = []  # one entry a request, lines of its file


def load_requirements(path: str | Path) -> list[Requirement]:
    """Requirements of a file, comments left out."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    stripped = (line.partition("#")[0].strip() for line in lines)
    return [Requirement(line) for line in stripped if line]


def pip_check(req: str | Requirement | Sequence[str | Requirement]) -> bool:
    """Whether all requirements are installed here, without importing any."""
    return all(_installed(requirement) for requirement in _as_requirements(req))


def pip_install(
    requirements: Any,
    constraints: str | Path | None = None,
    *,
    requester: str | None = None,  # noqa: ARG001 - for the progress dialog, which is absent
) -> None:
    """Record the request and refuse it."""
    wanted = tuple(str(requirement) for requirement in _as_requirements(requirements))
    lines = "" if constraints is None else Path(constraints).read_text(encoding="utf-8")
    requests.append(wanted)
    constraint_lines.append(tuple(lines.splitlines()))
    msg = f"The test host installs nothing; it was asked for {', '.join(wanted)}."
    raise RuntimeError(msg)


def pip_ensure(
    requirements: Any,
    constraints: str | Path | None = None,
    *,
    prompt_install: bool = True,
    requester: str | None = None,
) -> None:
    """Ask for what is missing; a module that has its own question leaves out Slicer's."""
    missing = [one for one in _as_requirements(requirements) if not _installed(one)]
    if missing and (not prompt_install or slicer.util.confirmOkCancelDisplay("Install?")):
        pip_install(missing, constraints, requester=requester)


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
