"""The C++ module logics that the application would have loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer

# Module name to logic class, in the order of their dependencies.
LOGIC_CLASSES = {
    "Colors": "vtkSlicerColorLogic",
    "Units": "vtkSlicerUnitsLogic",
    "Cameras": "vtkSlicerCamerasModuleLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Models": "vtkSlicerModelsLogic",
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "ViewControllers": "vtkSlicerViewControllersLogic",
}


def make_module_logics(scene: Any, application_logic: Any, home: Path) -> dict[str, Any]:
    """Logics by module name, each in the scene and known to the application logic."""
    logics = {}
    for name, class_name in LOGIC_CLASSES.items():
        logic = getattr(slicer, class_name)()
        if isinstance(logic, slicer.vtkSlicerModuleLogic):
            logic.SetModuleShareDirectory(str(home / "share" / "qt-loadable-modules" / name))
        logic.SetMRMLApplicationLogic(application_logic)
        logic.SetMRMLScene(scene)
        application_logic.SetModuleLogic(name, logic)
        logics[name] = logic
    return logics
