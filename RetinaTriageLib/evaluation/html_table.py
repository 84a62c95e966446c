"""Tables of a report as HTML; every cell is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def html_table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Table whose first column names its rows; empty text without rows.

    Examples
    --------
    >>> html_table("Sizes", ["class", "images"], [["drusen", "8 < 9"]])
    '<div class="scroll"><table><caption>Sizes</caption><thead><tr><th scope="col">class</th>\
<th scope="col">images</th></tr></thead><tbody><tr><th scope="row">drusen</th>\
<td>8 &lt; 9</td></tr></tbody></table></div>'
    """
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def content_section(title: str, *parts: str) -> str:
    """Section of a page from HTML parts; empty text where all of them are empty."""
    shown = "".join(parts)
    return f"<section><h2>{escape(title)}</h2>{shown}</section>" if shown else ""


def picture(title: str, png: str) -> str:
    """Picture from the base64 of a PNG."""
    return f'<img alt="{escape(title)}" src="data:image/png;base64,{png}">'


def paragraphs(lines: Sequence[str]) -> str:
    """Lines as a list; empty text without lines."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""
