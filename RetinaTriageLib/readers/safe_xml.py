"""XML from an untrusted file: bounded in size, without document types or entities."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from RetinaTriageLib.errors import InputError

LARGEST_BYTES = 64 * 2**20  # 97 B-scans with eleven device lines need 7 MB


class _NoDoctype(TreeBuilder):
    """Builder that stops at a document type, before any entity is declared."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:  # noqa: ARG002
        """Refuse a document type; called by the parser."""
        msg = "Found a document type or entities in the XML; scanner exports have none. Refused."
        raise InputError(msg)


def parse_xml(path: Path) -> Element:
    """Root element of a file.

    Text that is not valid UTF-8 is kept readable: some exports store names in another encoding
    without saying so, and names are not used.

    Raises
    ------
    InputError
        If the file is too large, declares a document type, or is not XML.
    """
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        msg = f"{path.name} has {size} bytes; expected at most {LARGEST_BYTES}. Is it an export?"
        raise InputError(msg)
    content = path.read_bytes()
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    parser = XMLParser(target=_NoDoctype())
    try:
        parser.feed(content.decode("utf-16" if utf16 else "utf-8-sig", errors="replace"))
        root: Element = parser.close()
    except ParseError as error:
        msg = f"{path.name} is not valid XML ({error}); copy or export it again."
        raise InputError(msg) from error
    return root


def text(element: Element, tag: str) -> str:
    """Text of a descendant, or an error that names it."""
    found = element.findtext(tag)
    if found is None or not found.strip():
        msg = f"Found no {tag} in <{element.tag}> of the XML; the export is incomplete."
        raise InputError(msg)
    return found.strip()


def number(element: Element, tag: str) -> float:
    """Finite number of a descendant, or an error that names it."""
    written = text(element, tag)
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        msg = (
            f"Found {tag} = {written[:40]!r} in the XML; expected a number. Export the scan again."
        )
        raise InputError(msg)
    return value


def positive_number(element: Element, tag: str) -> float:
    """Positive number of a descendant, or an error that names it."""
    value = number(element, tag)
    if value <= 0:
        msg = f"Found {tag} = {value:g} in the XML; expected more than 0. Export the scan again."
        raise InputError(msg)
    return value
