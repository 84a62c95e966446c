"""A page that is one HTML file and needs no network.

The page forbids itself to load anything from elsewhere (content security policy) and runs no other
script than its own, which the policy names by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from RetinaTriageLib.result import RESEARCH_USE


@dataclass(frozen=True)
class PageScript:
    """The one script of a page.

    Attributes
    ----------
    text : JavaScript
    data_id : id of the element whose text is the data
    data : what the script reads: dicts, lists, texts and finite numbers
    """

    text: str
    data_id: str
    data: object

    @property
    def markup(self) -> str:
        """Elements of the data and of the script."""
        return (
            f'<script type="application/json" id="{self.data_id}">{script_json(self.data)}</script>'
            f"\n<script>{self.text}</script>"
        )

    @property
    def source(self) -> str:
        """Name of the script in the policy: its hash."""
        digest = hashlib.sha256(self.text.encode("utf-8")).digest()
        return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def html_page(
    title: str, style: str, body: str, *, images: str = "'none'", script: PageScript | None = None
) -> str:
    """Page with the style and notice that all pages share; the title is escaped.

    Parameters
    ----------
    style : CSS, follows the shared one
    body : HTML, in which everything that comes from data is escaped
    images : where the page may take pictures from, as in the policy
    """
    policy = f"default-src 'none'; img-src {images}; style-src 'unsafe-inline'"
    if script is not None:
        policy += f"; script-src {script.source}"
    return Template(_part("html")).substitute(
        policy=policy,
        title=escape(title),
        style=_part("css") + style,
        research_use=escape(RESEARCH_USE),
        body=body,
        script="" if script is None else script.markup,
    )


def script_json(data: object) -> str:
    r"""JSON that cannot end or open an HTML element.

    Examples
    --------
    >>> script_json({"note": "</script>"})
    '{"note":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def _part(suffix: str) -> str:
    return Path(__file__).with_suffix(f".{suffix}").read_text(encoding="utf-8")
