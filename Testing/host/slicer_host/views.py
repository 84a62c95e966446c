"""Slice and 3D views drawn off-screen by Slicer's own displayable managers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from slicer_host.core import Core

SLICE_MANAGERS = (
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
)
THREE_D_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLThreeDReformatDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
)
NAMES_PX = 13


class OffScreenView:
    """A render window without a window, with the displayable managers of one kind of view."""

    def __init__(self, core: Core, factory: Any, managers: tuple[str, ...]) -> None:
        self.renderer = vtk.vtkRenderer()
        self.renderWindow = vtk.vtkRenderWindow()
        self.renderWindow.SetOffScreenRendering(1)
        self.renderWindow.ShowWindowOff()
        self.renderWindow.SetMultiSamples(0)
        self.renderWindow.AddRenderer(self.renderer)
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.renderWindow)
        for name in managers:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self.managers = slicer.vtkMRMLDisplayableManagerGroup()
        self.managers.SetRenderer(self.renderer)
        self.managers.Initialize(factory, self.renderer)
        factory.SetMRMLApplicationLogic(core.applicationLogic)

    def render(self) -> None:
        self.renderWindow.Render()

    def resize(self, width: int, height: int) -> None:
        """Change the size, where it is another one: slice views then lose a stretched depth."""
        if self.renderWindow.GetSize() != (width, height):
            self.onResize(width, height)

    def onResize(self, width: int, height: int) -> None:
        self.renderWindow.SetSize(width, height)

    def picture(self) -> npt.NDArray[np.uint8]:
        """The view as array (row, column, RGB), top row first."""
        self.render()
        grabber = vtk.vtkWindowToImageFilter()
        grabber.SetInput(self.renderWindow)
        grabber.ReadFrontBufferOff()
        grabber.Update()
        image = grabber.GetOutput()
        columns, rows, _ = image.GetDimensions()
        pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, -1)
        return np.ascontiguousarray(pixels[::-1, :, :3])


class SliceView(OffScreenView):
    """One slice through the volumes and segmentations of the scene."""

    def __init__(
        self, core: Core, name: str, orientation: str, color: tuple[float, float, float]
    ) -> None:
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        super().__init__(core, factory, SLICE_MANAGERS)
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._actor = vtk.vtkActor2D()
        self._actor.SetMapper(self._mapper)
        self._actor.GetProperty().SetDisplayLocationToBackground()
        self.renderer.AddViewProp(self._actor)
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(core.applicationLogic)
        core.applicationLogic.GetSliceLogics().AddItem(self.logic)
        self.logic.SetMRMLScene(core.scene)
        self.node = self.logic.AddSliceNode(name)
        self.node.SetOrientation(orientation)
        self.node.SetLayoutColor(*color)
        self.node.SetMappedInLayout(1)
        self.managers.SetMRMLDisplayableNode(self.node)
        self._names = vtk.vtkCornerAnnotation()
        self._names.SetMaximumFontSize(NAMES_PX)
        self._names.GetTextProperty().SetShadow(True)
        core.applicationLogic.UseCustomFontFile(self._names.GetTextProperty())
        self.renderer.AddViewProp(self._names)
        self.onResize(256, 256)

    def onResize(self, width: int, height: int) -> None:
        super().onResize(width, height)
        self.logic.ResizeSliceNode(width, height)

    def render(self) -> None:
        picture = self.logic.GetImageDataConnection()
        self._mapper.SetInputConnection(picture)
        self._actor.SetVisibility(bool(picture))
        self._names.SetText(vtk.vtkCornerAnnotation.LowerLeft, self._shownNames())
        super().render()

    def _shownNames(self) -> str:
        """Names of what is shown, foreground over background, as Slicer's Data Probe has them."""
        shown = self.logic.GetSliceCompositeNode()
        layers = (
            ("F", self.logic.GetForegroundLayer(), f" ({shown.GetForegroundOpacity():.0%})"),
            ("B", self.logic.GetBackgroundLayer(), ""),
        )
        nodes = ((letter, layer.GetVolumeNode(), more) for letter, layer, more in layers)
        return "\n".join(f"{one}: {node.GetName()}{more}" for one, node, more in nodes if node)


class ThreeDView(OffScreenView):
    """The surfaces of the scene."""

    def __init__(self, core: Core, name: str) -> None:
        factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
        super().__init__(core, factory, THREE_D_MANAGERS)
        self.renderer.SetUseDepthPeeling(True)
        self.renderer.GradientBackgroundOn()
        self.logic = slicer.vtkMRMLViewLogic()
        self.logic.SetMRMLApplicationLogic(core.applicationLogic)
        core.applicationLogic.GetViewLogics().AddItem(self.logic)
        self.logic.SetMRMLScene(core.scene)
        self.node = self.logic.AddViewNode(name)
        self.node.SetMappedInLayout(1)
        self.managers.SetMRMLDisplayableNode(self.node)
        self.onResize(256, 256)
