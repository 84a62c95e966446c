"""Packages that a file needs are installed once the user has agreed, and not before."""

from pathlib import Path
from typing import Any

import pytest
import scan_makers  # noqa: F401 - makes `makers` importable
import slicer
from makers.dicom import JPEG_LS, write_dicom
from makers.scan import made_scan
from RetinaTriageSlicer.file_reader import loadScans
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.setup_install import withMissingPackages
from slicer_host import packaging

from RetinaTriageLib.errors import MissingPackageError
from RetinaTriageLib.readers import dicom_pixels

NEEDED = "some-decoder>=1.4"


class Pip:
    """Installs what it is asked for, in this test alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, agreed: bool) -> None:
        self.installed: list[str] = []
        monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_, **__: agreed)
        monkeypatch.setattr(packaging, "_installed", lambda one: str(one) in self.installed)
        monkeypatch.setattr(packaging, "pip_install", self._install)

    def _install(self, requirements: Any, _constraints: Any, **_: Any) -> None:
        self.installed += [str(one) for one in requirements]

    def decode(self) -> str:
        if NEEDED not in self.installed:
            msg = "No decoder is here; install it with: pip install 'retina-triage[formats]'"
            raise MissingPackageError(msg, NEEDED)
        return "voxels"


def test_package_is_installed_where_the_user_agrees(monkeypatch: pytest.MonkeyPatch):
    pip = Pip(monkeypatch, agreed=True)
    assert withMissingPackages(pip.decode) == "voxels"
    assert pip.installed == [NEEDED]


def test_nothing_is_installed_where_the_user_declines(monkeypatch: pytest.MonkeyPatch):
    pip = Pip(monkeypatch, agreed=False)
    with pytest.raises(MissingPackageError) as caught:
        withMissingPackages(pip.decode)
    assert pip.installed == []
    assert forPanel(str(caught.value)).endswith("try again and agree to its installation")


def test_file_reader_asks_for_the_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(_dataset: Any, _name: str) -> None:
        raise MissingPackageError("no decoder", NEEDED)

    pip = Pip(monkeypatch, agreed=True)
    monkeypatch.setattr(dicom_pixels, "_require_decoder", refuse)
    path = write_dicom(tmp_path / "a.dcm", made_scan(), JPEG_LS)
    with pytest.raises(MissingPackageError):  # installed, and still of no use
        loadScans({"fileName": str(path)})
    assert pip.installed == [NEEDED]
