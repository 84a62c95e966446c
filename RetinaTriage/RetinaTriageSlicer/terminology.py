"""RetinaTriage's terminology file: codes and colors of its segments for Slicer's own lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import vtk

from RetinaTriageLib.tissues import Code, Tissue
from RetinaTriageLib.writers.segmentation import CATEGORIES, TERMINOLOGY_CONTEXT

FILE_NAME = "SegmentationCategoryTypeModifier-RetinaTriage.term.json"
SCHEMA = "https://raw.githubusercontent.com/qiicr/dcmqi/master/doc/segment-context-schema.json#"


def loadTerminology(logic: Any, resources: Path) -> None:
    """Load the file into Slicer's terminologies, once."""
    if TERMINOLOGY_CONTEXT not in _loadedNames(logic):
        logic.LoadTerminologyFromFile(str(resources / FILE_NAME))


def terminologyContent(tissues: Sequence[Tissue]) -> dict[str, object]:
    """Content of the file: every tissue but the background, by category."""
    coded = [tissue for tissue in tissues if tissue.label != 0]
    categories = dict.fromkeys(CATEGORIES[tissue.group] for tissue in coded)
    return {
        "SegmentationCategoryTypeContextName": TERMINOLOGY_CONTEXT,
        "@schema": SCHEMA,
        "SegmentationCodes": {
            "Category": [
                _coded(category)
                | {
                    "showAnatomy": "true",
                    "Type": [_type(t) for t in coded if CATEGORIES[t.group] == category],
                }
                for category in categories
            ]
        },
    }


def _type(tissue: Tissue) -> dict[str, object]:
    return _coded(tissue.code) | {
        "recommendedDisplayRGBValue": list(tissue.color),
        "3dSlicerLabel": tissue.name,
    }


def _coded(code: Code) -> dict[str, object]:
    return {
        "CodingSchemeDesignator": code.scheme,
        "CodeValue": code.value,
        "CodeMeaning": code.meaning,
    }


def _loadedNames(logic: Any) -> list[str]:
    names = vtk.vtkStringArray()
    logic.GetLoadedTerminologyNames(names)
    return [names.GetValue(at) for at in range(names.GetNumberOfValues())]
