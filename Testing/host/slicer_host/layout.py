"""The layout manager: three slice views and a 3D view, four-up, drawn into labels."""

from __future__ import annotations

from typing import Any

import slicer
from PySide6 import QtCore

from slicer_host.core import Core
from slicer_host.qmrml_widget import qMRMLWidget
from slicer_host.qt_module import install_qt
from slicer_host.qt_signals import signals
from slicer_host.views import OffScreenView, SliceView, ThreeDView

qt = install_qt()

SLICES = {
    "Red": ("Axial", (0.95, 0.29, 0.27)),
    "Green": ("Coronal", (0.43, 0.69, 0.29)),
    "Yellow": ("Sagittal", (0.93, 0.84, 0.27)),
}
SMALLEST_PX = 80


class _Picture(qt.QLabel):
    """Shows an off-screen view at the size of the label."""

    def __init__(self, view: OffScreenView) -> None:
        super().__init__()
        self._view = view
        self.setMinimumSize(SMALLEST_PX, SMALLEST_PX)
        self.setStyleSheet("background: black")

    def draw(self) -> None:
        self._view.resize(max(self.width, SMALLEST_PX), max(self.height, SMALLEST_PX))
        pixels = self._view.picture()
        rows, columns, _ = pixels.shape
        image = qt.QImage(pixels.tobytes(), columns, rows, 3 * columns, qt.QImage.Format_RGB888)
        self.setPixmap(qt.QPixmap.fromImage(image))


@signals()
class qMRMLSliceWidget(qMRMLWidget):
    """A slice view with its colored bar."""

    def __init__(self, core: Core, name: str) -> None:
        super().__init__()
        orientation, color = SLICES[name]
        self._view = SliceView(core, name, orientation, color)
        column = qt.QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        self._bar = qt.QLabel()
        red, green, blue = (round(255 * level) for level in color)
        self._bar.setStyleSheet(f"background: rgb({red},{green},{blue}); font-weight: bold")
        self._picture = _Picture(self._view)
        column.addWidget(self._bar)
        column.addWidget(self._picture, 1)

    def sliceView(self) -> qMRMLSliceWidget:
        return self

    def sliceLogic(self) -> Any:
        return self._view.logic

    def mrmlSliceNode(self) -> Any:
        return self._view.node

    def forceRender(self) -> None:
        node, logic = self._view.node, self._view.logic
        offset = logic.GetSliceOffset()
        self._bar.text = f" {node.GetName()[0]}   {node.GetOrientation()}   {offset:.2f} mm"
        self._picture.draw()


@signals()
class qMRMLThreeDWidget(qMRMLWidget):
    """A 3D view."""

    def __init__(self, core: Core) -> None:
        super().__init__()
        self._view = ThreeDView(core, "1")
        column = qt.QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        self._picture = _Picture(self._view)
        column.addWidget(self._picture)

    def threeDView(self) -> qMRMLThreeDWidget:
        return self

    def mrmlViewNode(self) -> Any:
        return self._view.node

    def renderWindow(self) -> Any:
        return self._view.renderWindow

    def resetFocalPoint(self) -> None:
        """Look at what is shown, the box and its labels left out, as Slicer does."""
        node = self._view.node
        shown = node.GetBoxVisible(), node.GetAxisLabelsVisible()
        node.SetBoxVisible(False)
        node.SetAxisLabelsVisible(False)
        self._view.renderer.ResetCamera()
        node.SetBoxVisible(shown[0])
        node.SetAxisLabelsVisible(shown[1])
        node.InvokeEvent(slicer.vtkMRMLViewNode.ResetFocalPointRequestedEvent)
        self._view.renderer.ResetCameraClippingRange()

    def forceRender(self) -> None:
        self._picture.draw()


@signals(layoutChanged="layoutChanged(int)")
class qSlicerLayoutManager(qt.QObject):
    """Only the four-up layout."""

    layoutChanged = QtCore.Signal(int)

    def __init__(self, core: Core) -> None:
        super().__init__()
        self._viewport = qt.QWidget()
        self._core = core
        self._slices = {name: qMRMLSliceWidget(core, name) for name in SLICES}
        self._threeD = qMRMLThreeDWidget(core)
        grid = qt.QGridLayout(self._viewport)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(2)
        placed = (self._slices["Red"], self._threeD, self._slices["Green"], self._slices["Yellow"])
        for at, widget in enumerate(placed):
            grid.addWidget(widget, at // 2, at % 2)

    tableViewCount = QtCore.Property(int, lambda _: 0)
    plotViewCount = QtCore.Property(int, lambda _: 0)
    layout = QtCore.Property(int, lambda _: slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    threeDViewCount = QtCore.Property(int, lambda _: 1)

    def viewport(self) -> Any:
        return self._viewport

    def sliceViewNames(self) -> tuple[str, ...]:
        return tuple(self._slices)

    def sliceWidget(self, name: str) -> Any:
        return self._slices.get(name)

    def threeDWidget(self, index: int) -> Any:
        return self._threeD if index == 0 else None

    def mrmlSliceLogics(self) -> Any:
        return self._core.applicationLogic.GetSliceLogics()

    def resetSliceViews(self) -> None:
        for widget in self._slices.values():
            widget.sliceLogic().FitSliceToBackground()

    def resetThreeDViews(self) -> None:
        self._threeD.resetFocalPoint()

    def draw(self) -> None:
        """Draw all views now; Slicer does it when the event loop is idle."""
        for widget in (*self._slices.values(), self._threeD):
            widget.forceRender()
