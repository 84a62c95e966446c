"""Section of the scan geometry: each value with its origin, and controls to state it otherwise."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.run_settings import statedAxis, statedSpacing
from RetinaTriageSlicer.scan_facts import Fact, ScanFacts, scanFacts
from RetinaTriageSlicer.stored_scan import ScanReader, StoredScan

NOTHING = Fact("", "")


class GeometrySection:
    """Shows the geometry that a run takes; `scan` is what the chosen volume says itself."""

    def __init__(self, ui: Any) -> None:
        self.scan: StoredScan | None = None
        self._ui = ui
        self._reader = ScanReader()
        self._problem = ""
        self._facts: ScanFacts | None = None
        self._opened = ""  # id of the volume for which the section was opened

    def forget(self) -> None:
        """Let go of what was read, as the scene is closed."""
        self._reader.forget()
        self.scan = self._facts = None
        self._opened = ""

    def show(self, parameters: RetinaTriageParameterNode) -> None:
        """Show the geometry of the chosen volume."""
        self._read(parameters)
        facts, ui = self._facts, self._ui
        known = facts is None or facts.spacingKnown
        for label, name in (
            (ui.bscanSpacingLabel, "bscanSpacing"),
            (ui.depthSpacingLabel, "depthSpacing"),
            (ui.widthSpacingLabel, "widthSpacing"),
            (ui.axisLabel, "axis"),
            (ui.lateralityLabel, "laterality"),
            (ui.scannerLabel, "scanner"),
        ):
            label.text = (NOTHING if facts is None else getattr(facts, name)).text
        ui.geometryLabel.text = self._summary(parameters)
        ui.bscanSpacing.enabled = self.scan is None or not self.scan.single
        ui.runWithoutSpacing.setVisible(not known)
        if not known and self._opened != parameters.inputVolume.GetID():
            self._opened = parameters.inputVolume.GetID()
            ui.geometryButton.collapsed = False

    def problems(self, parameters: RetinaTriageParameterNode) -> list[str]:
        """Every reason why the chosen volume cannot be run as it is."""
        node = parameters.inputVolume
        if node is None:
            return [_("Choose an OCT volume.")]
        self._read(parameters)
        if self._problem:
            return [self._problem]
        if self._facts is not None and not (
            self._facts.spacingKnown or parameters.runWithoutSpacing
        ):
            return [
                _(
                    "Distances between voxels are not known: state them under Scan geometry, or "
                    "choose there to run without lengths, areas and volumes."
                )
            ]
        return []

    def _read(self, parameters: RetinaTriageParameterNode) -> None:
        node = parameters.inputVolume
        self.scan, self._facts, self._problem = None, None, ""
        if node is None:
            return
        try:
            self.scan = self._reader.read(node, statedAxis(parameters))
            self._facts = scanFacts(self.scan, parameters)
            statedSpacing(parameters, self.scan)
        except RetinaTriageError as error:
            self._problem = forPanel(str(error))

    def _summary(self, parameters: RetinaTriageParameterNode) -> str:
        if parameters.inputVolume is None:
            return _("Choose a volume.")
        if self._facts is None:
            return self._problem
        lines = (self._facts.size + ".", self._problem, *self._facts.notes)
        return "\n".join(line for line in lines if line)
