"""Section of the model bundle: which one, what it was trained on, and whether it is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctk
from slicer.i18n import tr as _

from RetinaTriageLib.bundle_files import MANIFEST
from RetinaTriageLib.errors import BundleError
from RetinaTriageSlicer.bundle_facts import BundleFacts, bundleFacts
from RetinaTriageSlicer.parameters import BundleChoice, RetinaTriageParameterNode
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.run_settings import bundlePath


class BundleSection:
    """Shows the chosen bundle's own words; its hashes are checked by the worker."""

    def __init__(self, ui: Any, onPath: Callable[[str], object]) -> None:
        self._ui = ui
        self._key: tuple[Path | None, int] | None = None
        self._facts: BundleFacts | None = None
        self._problem = ""
        ui.bundlePath.nameFilters = ("*.zip",)
        # By hand: Slicer's own connection takes a `Path`, which eats a slash at the end of what
        # is being typed.
        ui.bundlePath.connect("currentPathChanged(QString)", onPath)

    def show(self, parameters: RetinaTriageParameterNode) -> None:
        """Show what the parameters say."""
        edit, choice = self._ui.bundlePath, parameters.bundleChoice
        own = choice is not BundleChoice.SHIPPED
        edit.setVisible(own)
        zipped = choice is BundleChoice.ZIP
        edit.filters = ctk.ctkPathLineEdit.Files if zipped else ctk.ctkPathLineEdit.Dirs
        if edit.currentPath != parameters.bundlePath:
            edit.currentPath = parameters.bundlePath
        self._read(parameters)
        self._ui.bundleLabel.text = self._problem or self._text()

    def problems(self, parameters: RetinaTriageParameterNode) -> list[str]:
        """Every reason why this bundle cannot be run."""
        self._read(parameters)
        return [self._problem] if self._problem else []

    def _read(self, parameters: RetinaTriageParameterNode) -> None:
        """Read the bundle, unless it is the one that was read last."""
        if (
            parameters.bundleChoice is not BundleChoice.SHIPPED
            and not parameters.bundlePath.strip()
        ):
            self._key = None
            self._problem = _("Choose the folder or zip file of the model bundle.")
            return
        path = bundlePath(parameters)
        key = (path, _changed(path))
        if key == self._key:
            return
        self._key, self._facts, self._problem = key, None, ""
        try:
            self._facts = bundleFacts(path)
        except BundleError as error:
            self._problem = forPanel(str(error))

    def _text(self) -> str:
        facts = self._facts
        if facts is None:
            return ""
        return _(
            "{name}: {segmenters} segmentation and {classifiers} classification networks. "
            "{trainedOn}\nLicense: {license}"
        ).format(
            name=facts.name,
            segmenters=facts.segmenters,
            classifiers=facts.classifiers,
            trainedOn=facts.trainedOn,
            license=facts.license,
        )


def _changed(path: Path | None) -> int:
    """When the manifest or zip was last changed; 0 where there is none."""
    if path is None:
        return 0
    try:
        return (path / MANIFEST if path.is_dir() else path).stat().st_mtime_ns
    except OSError:
        return 0
