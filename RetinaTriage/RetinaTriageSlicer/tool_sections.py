"""Sections that work on the result that is shown: each gets it, and makes of it what it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import qt
import slicer

from RetinaTriageSlicer.explain_section import ExplainSection
from RetinaTriageSlicer.export_section import ExportSection
from RetinaTriageSlicer.maps_section import MapsSection
from RetinaTriageSlicer.occlusion_section import OcclusionSection
from RetinaTriageSlicer.operating_section import OperatingSection
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.surfaces_section import SurfacesSection

SETTLED_MS = 150


class ToolSection(Protocol):
    """A section below the verdict."""

    button: Any

    def show(self, nodes: ResultNodes | None) -> None:
        """Show a result, or nothing."""

    def problems(self) -> list[str]:
        """Every reason why the section can do nothing."""


class ToolSections:
    """Makes the sections below the verdict, which are hidden where there is no result.

    Parameters
    ----------
    ui : widgets of the panel
    logic, parameters : give the logic and the parameters of the moment

    Attributes
    ----------
    onSettled : called where no result is shown, when nodes have come into the scene
    """

    def __init__(
        self,
        ui: Any,
        logic: Callable[[], Any],
        parameters: Callable[[], RetinaTriageParameterNode | None],
    ) -> None:
        self.nodes: ResultNodes | None = None
        self.onSettled: Callable[[], object] = _ignore
        self.explain = ExplainSection(logic, parameters)
        self.occlusion = OcclusionSection(logic, parameters)
        self.operating = OperatingSection(parameters)
        self.maps = MapsSection(parameters)
        self.surfaces = SurfacesSection()
        self.export = ExportSection(parameters, self.maps.center)
        self.sections: tuple[ToolSection, ...] = (
            self.operating,
            self.explain,
            self.occlusion,
            self.maps,
            self.surfaces,
            self.export,
        )
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLED_MS)
        self._timer.connect("timeout()", self._showMaps)
        layout = ui.logButton.parentWidget().layout()
        for section in self.sections:
            layout.insertWidget(layout.indexOf(ui.logButton), section.button)
            section.button.collapsed = True

    def show(self, nodes: ResultNodes | None) -> None:
        """Show a result in all sections; hide them where there is none, or none with its volume.

        What was drawn or is being explained stays where the same result is shown again.
        """
        before = self.nodes
        self.nodes = nodes if nodes is not None and nodes.volumeNode is not None else None
        same = before is not None and self.nodes is not None and before.case == self.nodes.case
        for section in self.sections:
            section.button.setVisible(self.nodes is not None)
            if not (same and section in (self.explain, self.occlusion, self.maps)):
                section.show(self.nodes)

    def close(self) -> None:
        """Let go of the scene."""
        self._timer.stop()
        self.show(None)

    def lookAgain(self) -> None:
        """Offer maps that were added since, such as by an edit, once the last of them is there."""
        self._timer.start()

    def _showMaps(self) -> None:
        if self.nodes is None:
            self.onSettled()
            return
        for section in (self.explain, self.surfaces, self.export):
            section.showMaps()

    def dropRemoved(self) -> None:
        """Let go of a result whose volume or map was removed from the scene."""
        if self.nodes is None:
            return
        self.lookAgain()
        present = slicer.mrmlScene.IsNodePresent(self.nodes.consensus)
        if not present or self.nodes.volumeNode is None:
            self.show(None)


def _ignore() -> None:
    """Do nothing about new nodes."""
