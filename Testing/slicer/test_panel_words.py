"""Words of the panel: tooltips everywhere, all of it translated, no options of the command line."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import qt
from panel_steps import ready, run
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.remedies import forPanel
from slicer_host import i18n

ROOT = Path(__file__).parents[2]
SOURCES = [
    ROOT / "RetinaTriage" / "RetinaTriage.py",
    *sorted((ROOT / "RetinaTriage" / "RetinaTriageSlicer").glob("*.py")),
]
UI = ROOT / "RetinaTriage" / "Resources" / "UI" / "RetinaTriage.ui"
OPTION = re.compile(r"--[a-z]")

# Parts of the library whose messages a panel can show; the others are for the command line alone.
SHOWN = ("readers", "measures", "inference", "networks", "worker", "writers")

CONTROLS = (qt.QAbstractButton, qt.QComboBox, qt.QAbstractSpinBox, qt.QPlainTextEdit, qt.QLabel)


def trees() -> Iterator[tuple[str, ast.AST]]:
    for path in SOURCES:
        yield path.name, ast.parse(path.read_text(encoding="utf-8"))


def translations(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            yield node


def library_texts() -> list[str]:
    """Every text of the library that names an option; parts of one text stand together."""
    folder = ROOT / "RetinaTriageLib"
    paths = [
        *folder.glob("*.py"),
        *(path for name in SHOWN for path in folder.glob(f"{name}/*.py")),
    ]
    texts = []
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else "X" for p in node.values]
                texts.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    docs_and_pages = ("``", "<")
    return sorted(
        {
            text
            for text in texts
            if OPTION.search(text) and not any(mark in text for mark in docs_and_pages)
        }
    )


def test_every_control_has_a_tooltip(module: Any):
    ui = module.widgetRepresentation().findChild("qMRMLWidget", "RetinaTriage")
    named = [w for w in ui.findChildren(qt.QWidget) if w.objectName and isinstance(w, CONTROLS)]
    named = [w for w in named if not w.objectName.startswith("qt_")]
    assert len(named) > 40
    assert [w.objectName for w in named if not w.toolTip] == []


def test_every_widget_of_a_parameter_has_one():
    names = [
        one.findtext("string")
        for one in ElementTree.parse(UI).iter("property")
        if one.get("name") == "SlicerParameterName"
    ]
    assert len(names) == len(set(names))
    without_widget = set(RetinaTriageParameterNode.allParameters) - set(names)
    # Wired by hand, see bundle_section.py and bscan_section.py.
    assert without_widget == {"bundlePath", "bscanBundlePath"}


def test_button_is_translated_whenever_it_changes(
    panel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(i18n.TRANSLATIONS, "Apply", "Anwenden")
    monkeypatch.setitem(i18n.TRANSLATIONS, "Segmenting", "Segmentiere")
    ready(panel, tmp_path)
    assert panel.ui.applyButton.text == "Anwenden"
    from RetinaTriageSlicer.run_progress import stageText

    assert stageText("segment") == "Segmentiere"


def test_nothing_is_translated_while_a_file_is_loaded():
    early = []
    for name, tree in trees():
        inside = {
            id(call)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.Lambda)
            for call in translations(node)
        }
        early += [(name, call.lineno) for call in translations(tree) if id(call) not in inside]
    assert early == []


def test_texts_to_translate_are_literals():
    wrong = [
        (name, call.lineno)
        for name, tree in trees()
        for call in translations(tree)
        if not (isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str))
    ]
    assert wrong == []


def test_no_widget_gets_a_text_that_is_not_translated():
    wrong = []
    for name, tree in trees():
        for node in ast.walk(tree):
            targets = node.targets if isinstance(node, ast.Assign) else []
            shown = any(
                isinstance(target, ast.Attribute) and target.attr in ("text", "toolTip")
                for target in targets
            )
            bare = shown and isinstance(node.value, ast.Constant | ast.JoinedStr)
            if bare and ast.unparse(node.value) != "''":
                wrong.append((name, node.lineno))
    assert wrong == []


def test_library_names_options():
    assert len(library_texts()) > 8


@pytest.mark.parametrize("text", library_texts())
def test_no_message_in_the_panel_names_an_option(text: str):
    shown = forPanel(text)
    assert not OPTION.search(shown), shown
    assert "with_geometry" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "Lengths need it; pass --spacing-um BSCAN DEPTH WIDTH "
            "(Python: with_geometry(volume, spacing=...)).",
            "Lengths need it; state it under Scan geometry.",
        ),
        (
            "Laterality is unknown. Pass --laterality OD or OS.",
            "Laterality is unknown. Choose the eye under Scan geometry.",
        ),
        (
            "Install it in Slicer's PyTorch module, then restart Slicer; outside Slicer: "
            "pip install torch.",
            "Press Install under Set-up.",
        ),
    ],
)
def test_remedies_are_those_of_the_panel(text: str, shown: str):
    assert forPanel(text) == shown


def test_notes_of_a_result_name_no_option(panel: Any, tmp_path: Path):
    ready(panel, tmp_path).SetSpacing(1, 1, 1)
    panel.ui.runWithoutSpacing.setChecked(True)
    run(panel)
    assert "Lengths were not measured: spacing is unknown. State it under" in (
        panel.ui.verdictLabel.text
    )


def test_sources_are_ascii():
    assert [path.name for path in SOURCES if not path.read_text(encoding="utf-8").isascii()] == []
