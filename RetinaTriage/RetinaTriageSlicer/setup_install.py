"""Installs what is missing, after the user has agreed."""

from __future__ import annotations

import importlib
import logging
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import slicer
from packaging.requirements import Requirement
from slicer.i18n import tr as _

from RetinaTriageLib.errors import MissingPackageError, RetinaTriageError
from RetinaTriageSlicer.setup_needs import Need

TORCH_EXTENSION, TORCH_MODULE = "PyTorch", "PyTorchUtils"
REQUESTER = "Retina Triage"

Result = TypeVar("Result")

# Packages of Slicer, or chosen for its GPU, that an installation must leave as they are.
KEPT = ("numpy", "scipy", "SimpleITK", "pydicom", "torch", "torchvision")


class SetupError(RetinaTriageError):
    """Something could not be installed; the message says what to do."""


def lacksTorchExtension() -> bool:
    """Tell whether the extension that installs torch is missing, without importing it."""
    return find_spec(TORCH_MODULE) is None


def install(needs: Sequence[Need]) -> None:
    """Install packages into Slicer's Python, torch through its extension.

    Raises
    ------
    SetupError
        If something could not be installed, or needs a restart first.
    """
    small = [need.requirement for need in needs if not need.isTorch]
    torch = next((need.requirement for need in needs if need.isTorch), None)
    try:
        if small:
            _installSmall(small, ask=False)
        if torch is not None:
            _installTorch(Requirement(torch))
    except subprocess.CalledProcessError as error:
        raise SetupError(_failed(str(error))) from error
    except (RuntimeError, OSError, ImportError) as error:
        if isinstance(error, SetupError):
            raise
        raise SetupError(_failed(str(error))) from error


def installAgreed(requirements: Sequence[str]) -> bool:
    """Ask in Slicer's own words, install if the user agrees; whether everything is there then."""
    wanted = list(requirements)
    try:
        _installSmall(wanted, ask=True)
    except (subprocess.CalledProcessError, RuntimeError, OSError) as error:
        logging.getLogger(__name__).warning("%s", error)
    importlib.invalidate_caches()
    return bool(slicer.packaging.pip_check(wanted))


def withMissingPackages(call: Callable[[], Result]) -> Result:
    """Make a call, and again where it lacked a package that the user then agreed to.

    Raises
    ------
    MissingPackageError
        If the package was not installed.
    """
    try:
        return call()
    except MissingPackageError as error:
        if not installAgreed(error.requirements):
            raise
    return call()


def _installSmall(requirements: list[str], *, ask: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("".join(f"{line}\n" for line in _kept()), encoding="utf-8")
        slicer.packaging.pip_ensure(
            requirements, constraints=constraints, prompt_install=ask, requester=REQUESTER
        )


def _kept() -> list[str]:
    lines = []
    for name in KEPT:
        try:
            lines.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            continue
    return lines


def _installTorch(requirement: Requirement) -> None:
    if lacksTorchExtension():
        _installTorchExtension()
    # The extension picks the build for this computer's GPU; the user has agreed already.
    logic = importlib.import_module(TORCH_MODULE).PyTorchUtilsLogic()
    logic.installTorch(
        askConfirmation=False, torchVersionRequirement=str(requirement.specifier) or None
    )


def _installTorchExtension() -> None:
    """Get the PyTorch extension, and stop: Slicer loads it at its next start."""
    byHand = _(
        "The extension PyTorch is missing: get it in the Extensions Manager, restart Slicer, then "
        "press Install again."
    )
    manager = getattr(slicer.app, "extensionsManagerModel", None)
    if manager is None:
        raise SetupError(byHand)
    model = manager()
    model.interactive = False
    if not model.installExtensionFromServer(TORCH_EXTENSION, False):  # no restart by itself
        raise SetupError(byHand)
    raise SetupError(
        _("The extension PyTorch was installed: restart Slicer, then press Install again.")
    )


def _failed(reason: str) -> str:
    return _(
        "Not everything was installed: {reason}\nCheck the internet connection and the free disk "
        "space, then press Install again; the Python console shows more."
    ).format(reason=reason)
