"""The tables of the browser: hypotheses by classifiers as a heat map, and scores of one choice."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import qt
from slicer.i18n import tr as _

from RetinaTriageSlicer.browser_colors import colorItem
from RetinaTriageSlicer.browser_opinions import CaseOpinions, answerTitle
from RetinaTriageSlicer.widgets import SCROLL_BAR_PX, headerHeight, stretchNames

NAME, MEAN, FIRST_CLASSIFIER = 0, 1, 2
"""Columns of the grid: the hypothesis, the mean of its opinions, then one a classifier."""

MOST_ROWS = 9
WORD_ENDS = re.compile("[ _-]+")


def makeGrid() -> Any:
    """Table of all opinions on one outcome; arrow keys walk through it."""
    grid = qt.QTableWidget()
    grid.objectName = "opinionGrid"
    grid.toolTip = _(
        "Tissue hypotheses in rows, classifiers in columns. Choose a hypothesis to see its tissue "
        "map in the views and its scores below; choose a cell for one opinion. Arrow keys work."
    )
    grid.editTriggers = qt.QAbstractItemView.NoEditTriggers
    grid.selectionMode = qt.QAbstractItemView.SingleSelection
    grid.verticalHeader().setVisible(False)
    grid.horizontalHeader().setHighlightSections(False)
    return grid


def fillGrid(grid: Any, case: CaseOpinions | None, answerAt: int) -> None:
    """Show all opinions on one outcome; the current cell stays where it can."""
    at = grid.currentRow(), grid.currentColumn()
    grid.blockSignals(True)
    grid.setRowCount(0 if case is None else len(case.rows))
    grid.setColumnCount(0 if case is None else FIRST_CLASSIFIER + len(case.classifiers))
    if case is not None:
        _fillHeader(grid, case)
        for row, hypothesis in enumerate(case.rows):
            grid.setItem(row, NAME, _nameItem(case, row))
            scores = (hypothesis.mean[answerAt], *hypothesis.scores[:, answerAt])
            for column, score in enumerate(scores, start=MEAN):
                grid.setItem(row, column, scoreItem(float(score)))
        if at[0] >= 0:
            grid.setCurrentCell(
                min(at[0], len(case.rows) - 1), min(at[1], len(case.classifiers) + 1)
            )
    grid.resizeColumnsToContents()
    grid.resizeRowsToContents()
    fitHeight(grid, MOST_ROWS)
    grid.blockSignals(False)


def setCurrent(grid: Any, row: int, column: int) -> None:
    """Make a cell the current one without telling anybody."""
    grid.blockSignals(True)
    grid.setCurrentCell(row, column)
    grid.blockSignals(False)


def fillScores(table: Any, case: CaseOpinions, row: int, column: int) -> None:
    """Show the scores of a choice in the grid: verdict, hypothesis, classifier or opinion."""
    titles, rows = _choiceScores(case, row, column)
    table.setRowCount(len(rows))
    table.setColumnCount(len(titles))
    for at, (title, toolTip) in enumerate(titles):
        item = qt.QTableWidgetItem(title)
        item.setToolTip(toolTip)
        table.setHorizontalHeaderItem(at, item)
    for at, (answer, cells) in enumerate(zip(case.answers, rows, strict=True)):
        table.setItem(at, 0, nameItem(answerTitle(answer)))
        for other, cell in enumerate(cells, start=1):
            item = scoreItem(cell) if other == 1 else qt.QTableWidgetItem(_text(cell))
            table.setItem(at, other, item)
    stretchNames(table)
    table.resizeRowsToContents()
    fitHeight(table, MOST_ROWS)


def choiceTitle(case: CaseOpinions, row: int, column: int) -> str:
    """Name what the scores of a choice are, in one line."""
    hypothesis = case.rows[row]
    if column >= FIRST_CLASSIFIER:
        classifier = case.classifiers[column - FIRST_CLASSIFIER]
        if row == 0:
            return _("{classifier} on all hypotheses: mean and spread").format(
                classifier=classifier
            )
        return _("Opinion of {classifier} on {hypothesis}").format(
            classifier=classifier, hypothesis=hypothesis.title
        )
    if row == 0:
        return _("Verdict of all opinions together, re-weighted, with their spread")
    if not np.isfinite(hypothesis.scores).any():
        return _("{hypothesis}: not judged yet").format(hypothesis=hypothesis.title)
    return _("{hypothesis}: mean and spread of its opinions").format(hypothesis=hypothesis.title)


def scoreItem(score: float) -> Any:
    """Cell of a score, in its color."""
    item = qt.QTableWidgetItem(_text(score))
    item.setTextAlignment(qt.Qt.AlignCenter)
    colorItem(item, score)
    return item


def nameItem(title: str) -> Any:
    """Cell of a name, which its tooltip tells in full where the column is too narrow."""
    item = qt.QTableWidgetItem(title)
    item.setToolTip(title)
    return item


def fitHeight(table: Any, mostRows: int) -> None:
    """Make a table as high as its rows need, up to a number of them."""
    heights = [table.rowHeight(row) for row in range(min(table.rowCount, mostRows))]
    table.setFixedHeight(sum(heights) + headerHeight(table) + SCROLL_BAR_PX)


def _fillHeader(grid: Any, case: CaseOpinions) -> None:
    titles = [
        (_("Hypothesis"), _("Tissue map; the first row is all of them together.")),
        (_("Mean"), _("Mean of the row's opinions as the networks gave them, 0 to 1.")),
        *(
            (short, _("Opinions of {classifier}, 0 to 1.").format(classifier=name))
            for short, name in zip(_short(case.classifiers), case.classifiers, strict=True)
        ),
    ]
    for at, (title, toolTip) in enumerate(titles):
        item = qt.QTableWidgetItem(title)
        item.setToolTip(toolTip)
        grid.setHorizontalHeaderItem(at, item)


def _short(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names without the words that all of them begin with, so that all columns are in sight."""
    words = [WORD_ENDS.split(name) for name in names]
    shared = 0
    while all(len(one) > shared + 1 and one[shared] == words[0][shared] for one in words):
        shared += 1
    return tuple(" ".join(one[shared:]) for one in words) if len(names) > 1 else names


def _nameItem(case: CaseOpinions, row: int) -> Any:
    hypothesis = case.rows[row]
    title = hypothesis.title
    if hypothesis.probability is not None:
        title = _("{title} (probability {share:.2f})").format(
            title=title, share=hypothesis.probability
        )
    if hypothesis.node is None:
        title = _("{title} (map removed)").format(title=title)
    item = qt.QTableWidgetItem(title)
    if hypothesis.edited:
        item.setToolTip(_("Edited by the user."))
    return item


def _choiceScores(
    case: CaseOpinions, row: int, column: int
) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
    """Titles of the columns with their tooltips, and the cells of each answer."""
    outcome = (_("Outcome"), _("Question and possible answer."))
    score = (_("Score (0-1)"), _("How much the networks believe in it, 0 to 1."))
    spread = [
        (_("SD"), _("Standard deviation of the opinions.")),
        (_("Low"), _("Lowest of the opinions.")),
        (_("High"), _("Highest of the opinions.")),
    ]
    hypothesis = case.rows[row]
    if column >= FIRST_CLASSIFIER and row > 0:
        opinion = hypothesis.scores[column - FIRST_CLASSIFIER]
        return [outcome, score], [(float(value),) for value in opinion]
    if column >= FIRST_CLASSIFIER:
        at = column - FIRST_CLASSIFIER
        original = [one.scores[at] for one in case.rows[1:] if not one.edited]
        values = np.array(original)
        if not np.isfinite(values).any():  # it judges all maps together
            values = hypothesis.scores[at][np.newaxis]
        return [outcome, score, *spread], _spreads(values)
    if row == 0 and all(answer in case.verdict for answer in case.answers):
        decided = (_("Decided"), _("Whether the verdict names this outcome."))
        return [outcome, score, *spread, decided], [
            (found.score, found.sd, found.low, found.high, _("yes") if found.decided else "")
            for found in (case.verdict[answer] for answer in case.answers)
        ]
    return [outcome, score, *spread], _spreads(hypothesis.scores)


def _spreads(values: Any) -> list[tuple[Any, ...]]:
    """Mean, deviation, low and high of each outcome of an array (opinion, outcome)."""
    known = values[np.isfinite(values).all(axis=1)]
    if not len(known):
        return [(math.nan,) * 4] * values.shape[1]
    columns = (known.mean(axis=0), known.std(axis=0), known.min(axis=0), known.max(axis=0))
    return [tuple(float(value) for value in row) for row in zip(*columns, strict=True)]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.2f}" if math.isfinite(value) else ""
