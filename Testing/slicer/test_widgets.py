"""Every widget of the panel, whatever section made it: tooltips, units, legends, keys, width."""

import re
from pathlib import Path
from typing import Any

import pytest
import qt
import slicer
from browser_steps import show_case, show_in
from slicer_host.main_window import PANEL_PX

CONTAINERS = (qt.QScrollArea, qt.QFrame, qt.QStackedWidget)
CONTROLS = (
    qt.QAbstractButton,
    qt.QAbstractSlider,
    qt.QAbstractSpinBox,
    qt.QComboBox,
    qt.QLineEdit,
    qt.QPlainTextEdit,
    qt.QProgressBar,
    qt.QTableWidget,
)
UNITS = re.compile(r"\((nL|nl|mm|mm2|mm3|\u00b5m|um|%|0-1|s|logMAR|years)\)")
TOLD = re.compile(
    r"0 to 1|unit|without unit|counted from 1|from 1|number of|share of|standard deviation|"
    r"lowest|highest|before|edited map|less",
    re.IGNORECASE,
)
SCROLL_BAR_PX = 20
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?( \(.*\)| - \d+)?$")


@pytest.fixture
def ui(module: Any, panel: Any) -> Any:
    """Panel with a result, all of its sections open."""
    nodes = show_case()
    panel.ui.inputSelector.setCurrentNode(nodes.volumeNode)
    panel.enter()
    show_in(panel, nodes)
    shown = module.widgetRepresentation().findChild("qMRMLWidget", "RetinaTriage")
    for section in sections(shown):
        section.collapsed = False
    slicer.app.processEvents()
    yield shown
    for section in sections(shown):
        section.collapsed = section.objectName != "browserButton"


def sections(ui: Any) -> list[Any]:
    """Collapsible sections."""
    return [one for one in ui.findChildren(qt.QWidget) if hasattr(one, "collapsed")]


def controls(ui: Any) -> list[Any]:
    """Controls that a user can meet; parts of others, such as scroll bars, are theirs."""
    return [
        one
        for one in ui.findChildren(qt.QWidget)
        if isinstance(one, CONTROLS)
        and not isinstance(one, qt.QScrollBar)
        and not one.objectName.startswith("qt_")
        and not (hasattr(one.parent(), "collapsed") and one.objectName == "")  # its header
        and not isinstance(one.parent(), (qt.QAbstractSpinBox, qt.QComboBox, qt.QTableWidget))
    ]


def tables(ui: Any) -> list[Any]:
    return [one for one in ui.findChildren(qt.QWidget) if isinstance(one, qt.QTableWidget)]


def test_every_control_and_section_has_a_tooltip(ui: Any):
    found = [*controls(ui), *sections(ui)]
    assert len(found) > 60
    assert [(type(one).__name__, one.objectName) for one in found if not told(one)] == []


def told(widget: Any) -> str:
    """Tooltip of a widget, or of what it is a part of."""
    while widget is not None and not widget.toolTip and hasattr(widget.parent(), "toolTip"):
        if hasattr(widget.parent(), "collapsed"):
            return ""  # that of a section tells nothing of what is in it
        widget = widget.parent()
    return "" if widget is None else str(widget.toolTip)


def test_every_column_has_a_title_and_a_tooltip(ui: Any):
    assert len(tables(ui)) >= 9
    bare = [
        (table.objectName, column)
        for table in tables(ui)
        for column in range(table.columnCount)
        if table.horizontalHeaderItem(column) is None
        or not table.horizontalHeaderItem(column).text()
        or not table.horizontalHeaderItem(column).toolTip()
    ]
    assert bare == []


def test_every_column_of_numbers_states_its_unit(ui: Any):
    unstated = []
    for table in tables(ui):
        for column in range(table.columnCount):
            items = [table.item(row, column) for row in range(table.rowCount)]
            texts = [item.text() for item in items if item is not None and item.text()]
            if texts and all(NUMBER.match(text) for text in texts):
                head = table.horizontalHeaderItem(column)
                whole = f"{head.text()} {head.toolTip()} {table.toolTip}"
                if not UNITS.search(head.text()) and not TOLD.search(whole):
                    unstated.append((table.objectName, head.text()))
    assert unstated == []


def test_everything_can_be_reached_with_the_tab_key(ui: Any):
    unreachable = [
        one.objectName
        for one in controls(ui)
        if not isinstance(one, qt.QProgressBar) and not one.focusPolicy & qt.Qt.TabFocus
    ]
    assert unreachable == []


def test_panel_needs_no_sideways_scrolling(module: Any, ui: Any, window: Any):
    window.show()
    slicer.util.selectModule(module)
    slicer.app.processEvents()
    room = PANEL_PX - SCROLL_BAR_PX
    parts = [*sections(ui), *controls(ui)]
    widths = {one.objectName: one.minimumSizeHint().width() for one in parts}
    widest = sorted(widths.items(), key=lambda item: -item[1])[:5]
    assert ui.minimumSizeHint().width() <= room, widest


@pytest.mark.usefixtures("ui")
def test_colors_of_grid_tissues_and_differences_have_legends(panel: Any):
    browser = panel.browser.browser
    browser.choose(1)
    assert "background-color" in browser.legend.text
    assert "Intraretinal" in browser.tissues.text
    browser.comparison.differButton.click()
    assert "background-color" in browser.comparison.differLabel.text
    assert browser.tissues.text == ""
    browser.comparison.differButton.click()


@pytest.mark.usefixtures("ui")
def test_legend_names_only_tissues_that_are_there_and_shown(panel: Any):
    browser = panel.browser.browser
    browser.choose(1)
    assert "Serous" not in browser.tissues.text
    assert "Neurosensory" in browser.tissues.text
    browser.chosenMap.GetDisplayNode().SetSegmentVisibility("neurosensory_retina", False)
    browser.choose(2)
    assert "Neurosensory" not in browser.tissues.text


@pytest.mark.usefixtures("ui")
def test_no_success_opens_a_window(panel: Any, tmp_path: Path):
    windows = set(qt.QApplication.topLevelWidgets())
    tools = panel.tools
    tools.maps.drawButton.click()
    tools.surfaces.drawButton.click()
    tools.operating.slider.setValue(0)
    tools.export.folderEdit.currentPath = str(tmp_path)
    tools.export.pdfCheck.checked = False
    tools.export.writeButton.click()
    tools.export.pdfCheck.checked = True
    assert "Wrote" in tools.export.label.text
    assert set(qt.QApplication.topLevelWidgets()) <= windows
