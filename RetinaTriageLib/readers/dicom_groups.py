"""What functional groups say, read from the bytes of their sequence in one pass.

pydicom takes 0.2 ms for the groups of a frame, more than its pixels take; for a cube of 128 frames
that is most of the reading. Here only the attributes of `ATTRIBUTES` are converted. Sequences that
pydicom has parsed already, and whatever is written in a less usual way, are left to pydicom.

References
----------
DICOM PS3.5 7.1 (data elements) and 7.5 (nested data sets).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PER_FRAME = 0x52009230
ITEM = 0xFFFEE000
HEADER, LENGTH = struct.Struct("<HHI").unpack_from, struct.Struct("<I").unpack_from
UNDEFINED = 0xFFFFFFFF  # length of what ends with a delimiter
# Value representations whose length has four bytes, after two that are reserved.
LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV"})
LONG |= {b"UC", b"UN", b"UR", b"UT", b"UV"}

Values = Mapping[str, Any]
"""Keyword to value; under the keyword of a sequence the values of its first item."""


class UnusualEncodingError(Exception):
    """Raised where the bytes are better left to pydicom."""


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace").strip("\0 ")


def _decimals(value: bytes) -> tuple[float, ...]:
    return tuple(map(float, value.split(b"\\"))) if value.strip() else ()


def _floats(value: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(value) // 4}f", value)


SEQUENCES = {
    0x00289110: "PixelMeasuresSequence",
    0x00209116: "PlaneOrientationSequence",
    0x00209113: "PlanePositionSequence",
    0x00209071: "FrameAnatomySequence",
    0x00220031: "OphthalmicFrameLocationSequence",
}
ATTRIBUTES: Mapping[int, tuple[str, bytes, Callable[[bytes], Any]]] = {
    0x00280030: ("PixelSpacing", b"DS", _decimals),
    0x00180088: ("SpacingBetweenSlices", b"DS", _decimals),
    0x00180050: ("SliceThickness", b"DS", _decimals),
    0x00200037: ("ImageOrientationPatient", b"DS", _decimals),
    0x00200032: ("ImagePositionPatient", b"DS", _decimals),
    0x00209072: ("FrameLaterality", b"CS", _text),
    0x00081155: ("ReferencedSOPInstanceUID", b"UI", _text),
    0x00220032: ("ReferenceCoordinates", b"FL", _floats),
}
"""Tag to keyword, value representation and conversion."""


def group_values(dataset: Dataset) -> Values:
    """Values of a functional group, or of the top of a data set, as pydicom converts them."""
    found: dict[str, Any] = {}
    for tag, keyword in SEQUENCES.items():
        if tag in dataset and dataset[tag].value:
            found[keyword] = _attributes(dataset[tag].value[0])
    return {**found, **_attributes(dataset)}


def frame_groups(dataset: Dataset, most: int | None = None) -> tuple[int, list[Values]] | None:
    """Items of the Per-Frame Functional Groups Sequence: their number, and values of the first.

    Parameters
    ----------
    most : number of items to convert; None for all

    Returns
    -------
    None where there is no such sequence.

    Raises
    ------
    struct.error, ValueError
        If the bytes are damaged.
    """
    if PER_FRAME not in dataset:
        return None
    raw: Any = dataset.get_item(PER_FRAME)
    usual = getattr(raw, "VR", "") == "SQ" and getattr(raw, "is_little_endian", False)
    if usual and isinstance(raw.value, bytes):
        try:
            return _Parser(raw.value, implicit=raw.is_implicit_VR).items(most)
        except UnusualEncodingError:
            pass
    groups = dataset[PER_FRAME].value or ()
    return len(groups), [group_values(group) for group in groups[:most]]


class _Parser:
    """Little-endian bytes of a sequence, and where in them we are."""

    def __init__(self, content: bytes, *, implicit: bool) -> None:
        self.content, self.implicit = content, implicit

    def items(self, most: int | None) -> tuple[int, list[Values]]:
        places = self._item_places(0, len(self.content))
        return len(places), [self._item(start, end) for start, end in places[:most]]

    def _item_places(self, place: int, end: int) -> list[tuple[int, int]]:
        """Start and end of the items between two places."""
        places = []
        while place < end:
            group, element, size = HEADER(self.content, place)
            if group << 16 | element != ITEM or size > end - place - 8:
                raise UnusualEncodingError
            places.append((place + 8, place + 8 + size))
            place += 8 + size
        return places

    def _item(self, place: int, end: int) -> Values:
        found: dict[str, Any] = {}
        content = self.content
        while place < end:
            group, element, size = HEADER(content, place)
            tag, kind, place = group << 16 | element, b"", place + 8
            if not self.implicit:
                kind = content[place - 4 : place - 2]
                if kind in LONG:
                    (size,) = LENGTH(content, place)
                    place += 4
                else:
                    size >>= 16
            if size > end - place:  # UNDEFINED is larger than any
                raise UnusualEncodingError
            if tag in ATTRIBUTES:
                keyword, stated, convert = ATTRIBUTES[tag]
                if kind not in (stated, b""):
                    raise UnusualEncodingError
                found[keyword] = convert(content[place : place + size])
            elif tag in SEQUENCES:
                if kind not in (b"SQ", b""):
                    raise UnusualEncodingError
                items = self._item_places(place, place + size)
                if items:
                    found[SEQUENCES[tag]] = self._item(*items[0])
            place += size
        return found


def _attributes(dataset: Dataset) -> dict[str, Any]:
    return {
        keyword: dataset[tag].value for tag, (keyword, _, _) in ATTRIBUTES.items() if tag in dataset
    }
