"""Section of the 3D view: surfaces of the tissues, in presets, with depth drawn exaggerated.

Depth is stretched by the camera of the view: what is measured, and how slice views lie on one
another, stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from RetinaTriageLib.tissues import TISSUES, Tissue, TissueGroup
from RetinaTriageSlicer.provenance import PREFIX
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.shown_case import readCase
from RetinaTriageSlicer.widgets import fillBox, makeBox, makeButton, makeLabel, makeSection

SURFACE = "Closed surface"
STRETCH = PREFIX + "DepthStretch"
PRESET = PREFIX + "SurfacePreset"
LARGEST_STRETCH = 8

# Opacity by group; what is not listed is not drawn.
PRESETS: Mapping[str, Mapping[TissueGroup, float]] = {
    "fluid": {TissueGroup.FLUID: 1.0},
    "layers": {TissueGroup.RETINA: 0.3, TissueGroup.FLUID: 1.0, TissueGroup.PED: 1.0},
    "all": {
        TissueGroup.VITREOUS: 0.15,
        TissueGroup.RETINA: 0.3,
        TissueGroup.FLUID: 1.0,
        TissueGroup.PED: 1.0,
        TissueGroup.CHOROID: 0.15,
        TissueGroup.ARTIFACT: 0.5,
    },
}
THIN = {"rpe": 0.6}  # a thin band over what lies behind it


class SurfacesSection:
    """Shows one tissue map of the result in the 3D view."""

    def __init__(self) -> None:
        self._nodes: ResultNodes | None = None
        self._shown: Any = None
        self._makeWidgets()

    def show(self, nodes: ResultNodes | None) -> None:
        """Show a result as it was shown last."""
        self._nodes = nodes
        self.showMaps()
        self._shown = next((one for one in self._maps if one.GetAttribute(PRESET)), None)
        if self._shown is None:
            return
        keys = list(PRESETS)
        preset = self._shown.GetAttribute(PRESET)
        for widget, value in (
            (self.mapBox, self._maps.index(self._shown)),
            (self.presetBox, keys.index(preset) if preset in keys else 0),
        ):
            widget.blockSignals(True)
            widget.setCurrentIndex(value)
            widget.blockSignals(False)
        self.stretch.blockSignals(True)
        self.stretch.value = int(self._shown.GetAttribute(STRETCH) or 1)
        self.stretch.blockSignals(False)
        self._stretch()

    def showMaps(self) -> None:
        """Offer the maps that the scene has now."""
        self._maps = [] if self._nodes is None else list(self._nodes.tissueMaps)
        fillBox(self.mapBox, [one.GetName() for one in self._maps])

    def problems(self) -> list[str]:
        """Every reason why there are no surfaces."""
        return [] if self._maps else [_("There is no result.")]

    def draw(self) -> None:
        """Make the surfaces of the chosen map and show them alone."""
        if not self._maps:
            return
        slicer.app.setOverrideCursor(qt.Qt.WaitCursor)
        try:
            chosen = self._maps[max(0, self.mapBox.currentIndex)]
            for one in self._maps:
                if one is not chosen:
                    one.GetDisplayNode().SetVisibility3D(False)
            chosen.CreateClosedSurfaceRepresentation()
            chosen.GetDisplayNode().SetPreferredDisplayRepresentationName3D(SURFACE)
            chosen.GetDisplayNode().SetVisibility(True)
            chosen.GetDisplayNode().SetVisibility3D(True)
            self._shown = chosen
            self._applyPreset()
            self._stretch()
            slicer.app.layoutManager().resetThreeDViews()
        finally:
            slicer.app.restoreOverrideCursor()

    def _present(self) -> list[Tissue]:
        """Tissues that the drawn map has a surface of."""
        segmentation = self._shown.GetSegmentation()
        found = []
        for tissue in TISSUES:
            segment = segmentation.GetSegment(tissue.name) if tissue.label else None
            surface = None if segment is None else segment.GetRepresentation(SURFACE)
            if surface is not None and surface.GetNumberOfPoints() > 0:
                found.append(tissue)
        return found

    def _opacity(self, tissue: Tissue) -> float:
        preset = PRESETS[list(PRESETS)[max(0, self.presetBox.currentIndex)]]
        opacity = preset.get(tissue.group, 0.0)
        return max(opacity, THIN.get(tissue.name, 0.0)) if opacity else 0.0

    def _applyPreset(self, _index: int = 0) -> None:
        if self._shown is None:
            return
        display = self._shown.GetDisplayNode()
        modified = display.StartModify()
        for tissue in TISSUES:
            if tissue.label:
                opacity = self._opacity(tissue)
                display.SetSegmentVisibility3D(tissue.name, opacity > 0)
                display.SetSegmentOpacity3D(tissue.name, opacity or 1.0)
                if opacity > 0:  # hidden behind the retina at first, see segmentation_nodes
                    display.SetSegmentVisibility(tissue.name, True)
        display.EndModify(modified)
        drawn = sum(self._opacity(tissue) > 0 for tissue in self._present())
        self.label.text = _("{count} tissues are drawn.").format(count=drawn)
        self._shown.SetAttribute(PRESET, list(PRESETS)[max(0, self.presetBox.currentIndex)])

    def _stretch(self, _value: int = 0) -> None:
        """Stretch depth in the 3D view about the middle of the map."""
        factor = self.stretch.value
        self.stretchLabel.text = (
            _("true to scale") if factor == 1 else _("{factor} times").format(factor=factor)
        )
        if self._shown is None or self._nodes is None or self._nodes.volumeNode is None:
            return
        self._shown.SetAttribute(STRETCH, str(factor))
        view = slicer.app.layoutManager().threeDWidget(0).mrmlViewNode()
        camera = slicer.modules.cameras.logic().GetViewActiveCameraNode(view)
        camera.GetCamera().SetModelTransformMatrix(self._matrix(factor))
        camera.ResetClippingRange()

    def _matrix(self, factor: float) -> Any:
        """Matrix that keeps the middle of the map and stretches along its depth."""
        case = readCase(self._nodes, None)
        bounds = [0.0] * 6
        self._shown.GetRASBounds(bounds)
        middle = [(bounds[2 * at] + bounds[2 * at + 1]) / 2 for at in range(3)]
        depth = case.volume.directions[:, 1]
        matrix = vtk.vtkMatrix4x4()
        for row in range(3):
            shift = 0.0
            for column in range(3):
                value = (row == column) + (factor - 1) * float(depth[row] * depth[column])
                matrix.SetElement(row, column, value)
                shift += ((row == column) - value) * middle[column]
            matrix.SetElement(row, 3, shift)
        return matrix

    def _makeWidgets(self) -> None:
        self._maps: list[Any] = []
        self.button, form = makeSection(
            "surfacesButton", _("3D surfaces"), _("Tissues as surfaces in the 3D view.")
        )
        self.mapBox = makeBox("surfaceMapBox", _("Tissue map that is drawn."))
        self.presetBox = makeBox(
            "surfacePresetBox", _("Which tissues are drawn, and how much they let through.")
        )
        titles = (_("Fluid only"), _("Layers: retina, fluid and detachments"), _("All tissues"))
        fillBox(self.presetBox, titles)
        self.presetBox.setCurrentIndex(1)
        self.stretch = qt.QSlider(qt.Qt.Horizontal)
        self.stretch.objectName = "surfaceStretch"
        self.stretch.minimum, self.stretch.maximum = 1, LARGEST_STRETCH
        self.stretch.value = 3
        self.stretch.toolTip = _(
            "How many times depth is drawn as long as it is, in the 3D view alone; measurements "
            "and slice views stay as they are."
        )
        self.stretchLabel = makeLabel("surfaceStretchLabel", _("How depth is drawn."))
        self.stretchLabel.text = _("{factor} times").format(factor=3)
        self.drawButton = makeButton(
            "surfaceDrawButton", _("Draw surfaces"), _("Make the surfaces and look at them.")
        )
        self.label = makeLabel("surfaceLabel", _("What is drawn."))
        form.addRow(_("Map:"), self.mapBox)
        form.addRow(_("Tissues:"), self.presetBox)
        form.addRow(_("Depth:"), self.stretch)
        form.addRow("", self.stretchLabel)
        form.addRow(self.drawButton)
        form.addRow(self.label)
        self.presetBox.connect("currentIndexChanged(int)", self._applyPreset)
        self.stretch.connect("valueChanged(int)", self._stretch)
        self.drawButton.connect("clicked()", self.draw)
