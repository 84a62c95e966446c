"""Figures and tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

UNKNOWN = "–"


def figure(value: float | None, digits: int) -> str:
    """Value with a fixed number of digits; a dash where it is not known."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown table.

    Examples
    --------
    >>> print(markdown(["a", "b"], [["1", "2"]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    <BLANKLINE>
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(_markdown_row(line) for line in lines) + "\n"


def _markdown_row(cells: Sequence[str]) -> str:
    if set(cells) == {"---"}:
        return "|" + "|".join(cells) + "|"
    return "| " + " | ".join(cells) + " |"
