"""The scene, the application logic and the input and output of files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
import vtk

from slicer_host.fonts import install_fonts
from slicer_host.module_logics import make_module_logics
from slicer_host.subject_hierarchy import SubjectHierarchyKeeper


@dataclass(frozen=True)
class Core:
    """Slicer without Qt; ``keep_alive`` holds objects that C++ points to without owning them."""

    scene: Any
    applicationLogic: Any
    logics: dict[str, Any]
    home: Path
    keepAlive: tuple[Any, ...]


def make_core(home: Path) -> Core:
    """Start the C++ half; ``slicer.mrmlScene`` is its scene."""
    scene = slicer.vtkMRMLScene()
    scene.SetRootDirectory(str(home))
    slicer.mrmlScene = scene
    _add_singletons(scene)
    logic = _make_application_logic(scene, home)
    remote = _connect_remote_io(scene, logic, home)
    logics = make_module_logics(scene, logic, home)
    logic.SetColorLogic(logics["Colors"])
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    return Core(scene, logic, logics, home, (*remote, SubjectHierarchyKeeper(scene)))


def _add_singletons(scene: Any) -> None:
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)
    for class_name in ("vtkMRMLSelectionNode", "vtkMRMLInteractionNode"):
        node = getattr(slicer, class_name)()
        node.SetSingletonTag("Singleton")
        scene.AddNode(node)


def _make_application_logic(scene: Any, home: Path) -> Any:
    logic = slicer.vtkSlicerApplicationLogic()
    logic.SetHomeDirectory(str(home))
    logic.SetShareDirectory("share")
    logic.SetTemporaryPath(str(home))
    logic.SetMRMLScene(scene)
    install_fonts(logic)
    logic.SetSliceLogics(vtk.vtkCollection())
    logic.SetViewLogics(vtk.vtkCollection())
    for kind in ("ThreeD", "Slice"):
        factory = getattr(slicer, f"vtkMRML{kind}ViewDisplayableManagerFactory")
        factory.GetInstance().SetMRMLApplicationLogic(logic)
    return logic


def _connect_remote_io(scene: Any, application_logic: Any, home: Path) -> tuple[Any, Any]:
    """Give the scene a cache folder, without which it does not open ``.mrb`` files."""
    remote = slicer.vtkMRMLRemoteIOLogic()
    cache = home / "cache"
    cache.mkdir(exist_ok=True)
    remote.GetCacheManager().SetRemoteCacheDirectory(str(cache))
    data = slicer.vtkDataIOManagerLogic()
    data.SetMRMLApplicationLogic(application_logic)
    data.SetAndObserveDataIOManager(remote.GetDataIOManager())
    application_logic.SetMRMLSceneDataIO(scene, remote, data)
    return remote, data
