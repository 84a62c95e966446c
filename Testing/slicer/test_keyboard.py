"""The browser by keyboard alone, keys pressed in a window as a person presses them."""

from typing import Any

import pytest
import qt
import slicer
from browser_steps import show_case, show_in, visible_maps
from browser_worker import judging_client
from panel_steps import wait_until
from PySide6.QtTest import QTest
from RetinaTriageSlicer.browser_grid import FIRST_CLASSIFIER
from RetinaTriageSlicer.logic import RetinaTriageLogic

CONTROL = qt.Qt.ControlModifier
CONTROL_SHIFT = qt.Qt.ControlModifier | qt.Qt.ShiftModifier


@pytest.fixture
def browser(module: Any, panel: Any, window: Any) -> Any:
    """Browser in a window, with a result."""
    window.resize(1200, 900)
    window.show()
    slicer.util.selectModule(module)
    window.activateWindow()
    wait_until(lambda: window.isActiveWindow)
    shown = show_in(panel, show_case())
    shown.button.collapsed = False
    slicer.app.processEvents()
    return shown


def press(widget: Any, key: Any, modifiers: Any = qt.Qt.NoModifier) -> None:
    QTest.keyClick(widget, key, modifiers)
    slicer.app.processEvents()


def shown_soon(name: str) -> None:
    """Wait for a map: a button that is pressed by its shortcut stays down for a moment."""
    wait_until(lambda: visible_maps() == [name])


def test_arrow_keys_walk_through_hypotheses_and_opinions(browser: Any):
    browser.grid.setFocus()
    press(browser.grid, qt.Qt.Key_Down)
    assert visible_maps() == ["example_eye hypothesis 1"]
    press(browser.grid, qt.Qt.Key_Right)
    press(browser.grid, qt.Qt.Key_Right)
    assert browser.column == FIRST_CLASSIFIER
    assert browser.shownLabel.text.startswith("Opinion of classifier 1")


def test_shortcuts_step_swap_and_blink(browser: Any, window: Any):
    press(window, qt.Qt.Key_PageDown, CONTROL)
    shown_soon("example_eye hypothesis 1")
    press(window, qt.Qt.Key_PageUp, CONTROL)
    shown_soon("example_eye consensus")
    browser.comparison.compareBox.setFocus()
    press(browser.comparison.compareBox, qt.Qt.Key_Down)
    press(window, qt.Qt.Key_X, CONTROL_SHIFT)
    shown_soon("example_eye hypothesis 1")
    press(window, qt.Qt.Key_B, CONTROL_SHIFT)
    wait_until(lambda: browser.comparison.blinkButton.checked)
    wait_until(lambda: not browser.comparison.blinkButton.down)
    press(window, qt.Qt.Key_B, CONTROL_SHIFT)
    wait_until(lambda: not browser.comparison.blinkButton.checked)


def test_pocket_is_chosen_removed_and_judged_by_keys(browser: Any, panel: Any, window: Any):
    judging = RetinaTriageLogic(judging_client())
    panel.useLogic(judging)
    again = panel.browser.judgeAgain
    again.button.collapsed = False
    press(window, qt.Qt.Key_PageDown, CONTROL)
    shown_soon("example_eye hypothesis 1")
    browser.places.refresh()
    table = browser.places.table
    table.setFocus()
    press(table, qt.Qt.Key_Down)
    assert browser.places.current is not None
    again.removeButton.setFocus()
    press(again.removeButton, qt.Qt.Key_Space)
    shown_soon("example_eye hypothesis 1 edited")
    wait_until(lambda: "Judged again" in again.statusLabel.text)
    press(window, qt.Qt.Key_J, CONTROL_SHIFT)
    wait_until(lambda: "Judging" in again.statusLabel.text)
    wait_until(lambda: "Judged again" in again.statusLabel.text)
    judging.close()
