"""What the worker needs beyond Slicer: what is installed, what is missing, how large it is."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import slicer
from packaging.requirements import Requirement
from slicer.i18n import tr as _

REQUIREMENTS = Path(__file__).parents[1] / "Resources" / "requirements.txt"

# The license texts of torch 2.13 lie deeper than the 260 characters of a Windows path.
TORCH = "torch>=2.4,<2.13" if sys.platform == "win32" else "torch>=2.4"


@dataclass(frozen=True)
class Package:
    """Facts on a package that a user may want before it is downloaded."""

    title: str
    license: str
    size: str


# Sizes of the wheels on PyPI in 2026, with what they require themselves beyond Slicer's packages.
PACKAGES = {
    "torch": Package("PyTorch", "BSD-3-Clause", "0.2 GB without, up to 3 GB with an NVIDIA GPU"),
    "safetensors": Package("safetensors", "Apache-2.0", "1 MB"),
    "jsonschema": Package("jsonschema", "MIT", "1 MB"),
}


@dataclass(frozen=True)
class Need:
    """One package that runs need; ``installed`` is its version, empty where there is none.

    Attributes
    ----------
    fits : whether the installed version will do
    """

    requirement: str
    package: Package
    installed: str
    fits: bool

    @property
    def isTorch(self) -> bool:
        """Tell whether the PyTorch extension installs it, in the build for this computer."""
        return Requirement(self.requirement).name == "torch"

    @property
    def state(self) -> str:
        """What there is, as a person reads it."""
        if self.fits:
            return _("installed, version {version}").format(version=self.installed)
        if self.installed:
            return _("version {version} does not fit, {requirement} is needed").format(
                version=self.installed, requirement=self.requirement
            )
        return _("missing; download: {size}").format(size=self.package.size)


def findNeeds() -> tuple[Need, ...]:
    """All needs, torch first; nothing is imported to find out."""
    listed = slicer.packaging.load_requirements(REQUIREMENTS)
    return tuple(_need(requirement) for requirement in (Requirement(TORCH), *listed))


def _need(requirement: Requirement) -> Need:
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        installed = ""
    package = PACKAGES.get(
        requirement.name, Package(requirement.name, _("see its page"), _("unknown"))
    )
    return Need(str(requirement), package, installed, slicer.packaging.pip_check(requirement))
