"""The small ``share`` folder that the C++ logics look for; the wheel ships none."""

from __future__ import annotations

import json
from pathlib import Path

COLORS = 64
SCHEMA = "https://raw.githubusercontent.com/qiicr/dcmqi/master/doc/schemas"
TISSUE = {"CodingSchemeDesignator": "SCT", "CodeValue": "85756007", "CodeMeaning": "Tissue"}
ORGAN = {"CodingSchemeDesignator": "SCT", "CodeValue": "113343008", "CodeMeaning": "Organ"}


def make_share_tree(home: Path) -> None:
    """Write the color tables and terminologies that Slicer loads at its start, cut to one entry."""
    colors = home / "share" / "ColorFiles"
    colors.mkdir(parents=True, exist_ok=True)
    for table in ("GenericColors", "GenericAnatomyColors", "MediumChartColors"):
        rows = [f"# {table}", "0 background 0 0 0 0"]
        rows += [f"{at} {table}_{at} {_channels(at)} 255" for at in range(1, COLORS + 1)]
        (colors / f"{table}.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    terms = home / "share" / "qt-loadable-modules" / "Terminologies"
    terms.mkdir(parents=True, exist_ok=True)
    for name, title in (
        ("SlicerGeneralAnatomy", "3D Slicer General Anatomy list"),
        ("DICOM-Master", "DICOM master list"),
    ):
        _write(terms / f"SegmentationCategoryTypeModifier-{name}.term.json", _segments(title))
    _write(terms / "AnatomicRegionAndModifier-DICOM-Master.term.json", _regions())


def _channels(number: int) -> str:
    return " ".join(str(60 + number * factor % 190) for factor in (37, 73, 111))


def _segments(title: str) -> dict[str, object]:
    kind = TISSUE | {"recommendedDisplayRGBValue": [128, 174, 128]}
    category = TISSUE | {"showAnatomy": "true", "Type": [kind]}
    return {
        "SegmentationCategoryTypeContextName": f"Segmentation category and type - {title}",
        "@schema": f"{SCHEMA}/segment-context-schema.json#",
        "SegmentationCodes": {"Category": [category]},
    }


def _regions() -> dict[str, object]:
    return {
        "AnatomicContextName": "Anatomic codes - DICOM master list",
        "@schema": f"{SCHEMA}/anatomic-context-schema.json#",
        "AnatomicCodes": {"AnatomicRegion": [ORGAN]},
    }


def _write(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
