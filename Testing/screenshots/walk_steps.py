"""A walk through one result as a user takes it, with a photograph and its numbers at each step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from arrange import VIEW_AXES, slice_node
from RetinaTriageSlicer.browser_opinions import answerTitle
from RetinaTriageSlicer.browser_places import DISAGREEMENTS, POCKETS
from RetinaTriageSlicer.edited_map_tables import Change, scoreChanges
from session import Session

EDEMA = ("conditions", "macular_retinal_edema")
SEEN, NOTABLE = 0.5, 0.05
"""Score from which the networks see a condition, and the least change that counts as one."""

MOST_POCKETS = 7
"""Pockets taken away one after the other at most; real scans have many specks."""


class Walk:
    """Browses a result, shows where maps differ, takes fluid away and has that judged again."""

    def __init__(self, session: Session, folder: Path, key: str) -> None:
        self._session, self._folder, self._key = session, folder, key
        self._step = 0
        self._browser = session.panel.browser.browser
        self._again = session.panel.browser.judgeAgain

    def go(self) -> Iterator[str]:
        """Take all steps; gives a line on each."""
        browser = self._browser
        self._again.button.collapsed = True
        browser.surfacesCheck.setChecked(True)
        title = answerTitle(EDEMA)
        browser.outcomeBox.setCurrentIndex(max(0, browser.outcomeBox.findText(title)))
        browser.choose(0)
        yield self._photograph("verdict", browser.button)
        browser.nextButton.click()
        yield self._photograph("hypothesis", browser.button)
        yield from self._disagreement()
        yield from self._pocket()

    def _disagreement(self) -> Iterator[str]:
        browser = self._browser
        browser.places.kindBox.setCurrentIndex(DISAGREEMENTS)
        browser.places.refresh()
        if not browser.comparison.differButton.enabled:
            yield "one hypothesis only: nothing to compare"
            return
        browser.comparison.differButton.click()
        browser.places.table.setCurrentCell(0, 0)
        yield self._photograph("disagreement", browser.shownLabel)
        browser.comparison.differButton.click()

    def _pocket(self) -> Iterator[str]:
        """Choose the largest pocket of fluid, take it away, and go on with the others."""
        browser, places = self._browser, self._browser.places
        places.kindBox.setCurrentIndex(POCKETS)
        places.refresh()
        if places.table.rowCount == 0:
            yield "no pocket of fluid in this map"
            return
        places.table.setCurrentCell(0, 0)
        offsets = {name: slice_node(name).GetSliceOffset() for name in VIEW_AXES}
        yield self._photograph("pocket", browser.shownLabel)
        self._again.button.collapsed = False
        yield self._remove()
        places.refresh()
        yield self._photograph("judged", places.table)
        removed = 1
        while removed < MOST_POCKETS and places.table.rowCount > 0:
            places.table.setCurrentCell(0, 0)
            yield self._remove()
            places.refresh()
            removed += 1
        if removed > 1:
            for name, offset in offsets.items():  # back to the first pocket
                slice_node(name).SetSliceOffset(offset)
            yield self._photograph("less_fluid", places.table)
        yield self._outcome(removed)

    def _remove(self) -> str:
        """Press the button that takes the chosen pocket away, and wait for the scores."""
        table = self._browser.places.table
        what = ", ".join(table.item(0, at).text() for at in range(table.columnCount))
        self._again.removeButton.click()
        self._session.wait_until(lambda: not self._again.busy)
        return f"removed {what}: {_text(self._change())}; {self._again.statusLabel.text}"

    def _outcome(self, removed: int) -> str:
        change = self._change()
        if change is None:
            return "the bundle has no such condition"
        title, how = answerTitle(EDEMA), _text(change)
        if change.before < SEEN:
            return f"{title} was not seen in this map, so it cannot fall: {how}"
        fell = "falls" if change.change < -NOTABLE else "does not fall"
        return f"{title} {fell} with {removed} pockets removed: {how}"

    def _change(self) -> Change | None:
        return scoreChanges(self._browser.chosenMap).get(EDEMA)

    def _photograph(self, name: str, top: Any) -> str:
        self._step += 1
        path = self._folder / f"{self._key}_walk_{self._step}_{name}.png"
        self._session.photograph(path, top)
        said = self._browser.shownLabel.text.replace("\n", " ")
        return f"{path.name}: {said}"


def _text(change: Change | None) -> str:
    return "no score" if change is None else f"edema {change.before:.3f} -> {change.after:.3f}"
