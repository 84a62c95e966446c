"""Pages of an evaluation: sections of text, tables, pictures and lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from RetinaTriageLib.writers.html_page import html_page

STYLE = """
body { max-width: 1140px; padding: 20px; font-size: 15px; line-height: 1.5; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: 18px 22px; margin-bottom: 16px; }
h1 { font-size: 24px; margin-bottom: 4px; } h2 { margin-bottom: 10px; }
p { margin: 4px 0; color: var(--quiet); } img { max-width: 100%; vertical-align: top; }
pre { font: 12.5px/1.45 ui-monospace, monospace; overflow-x: auto; margin: 0; }
.scroll { overflow-x: auto; margin: 6px 0 12px; } li { margin: 4px 0; }
table { border-collapse: collapse; font-size: 13px; min-width: 540px; }
caption { text-align: left; color: var(--quiet); padding: 4px 0; }
th, td { border-bottom: 1px solid var(--line); padding: 5px 12px 5px 0; text-align: left;
  vertical-align: top; } thead th { color: var(--quiet); font-weight: 600; }
tbody th { font-weight: 500; } tbody th, td { white-space: nowrap; }
"""


def report_page(title: str, lead: Sequence[str], sections: Iterable[str]) -> str:
    """Page with the title and lead escaped; the sections are HTML as `section` makes them."""
    head = f"<section><h1>{escape(title)}</h1>{paragraphs(lead)}</section>"
    return html_page(title, STYLE, head + "".join(sections), images="data:")


def section(title: str, *parts: str) -> str:
    """Section of a page from HTML parts; empty text where all of them are empty."""
    shown = "".join(parts)
    return f"<section><h2>{escape(title)}</h2>{shown}</section>" if shown else ""


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


def plots(title: str, pngs: Iterable[str | None]) -> str:
    """Pictures from the base64 of a PNG each; None is left out."""
    return "".join(
        f'<img alt="{escape(title)}" src="data:image/png;base64,{png}">' for png in pngs if png
    )


def plot_section(title: str, pngs: Iterable[str | None]) -> str:
    """Section of plots; empty text where there is none."""
    return section(title, plots(title, pngs))


def paragraphs(lines: Iterable[str]) -> str:
    """One paragraph a line, escaped."""
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def items(lines: Sequence[str]) -> str:
    """Lines as a list, escaped; empty text without lines."""
    listed = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{listed}</ul>" if listed else ""


def columns_of_text(text: str) -> str:
    """Text whose columns stand below each other, escaped."""
    return f"<pre>{escape(text)}</pre>"
