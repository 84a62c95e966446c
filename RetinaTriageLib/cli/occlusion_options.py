"""The box that occlusion tests hide parts of a B-scan with, as options of commands."""

from __future__ import annotations

import argparse

from RetinaTriageLib.explain.occlusion_map import AUTO, SIDES, GrayChoice


def add_box_options(parser: argparse.ArgumentParser) -> None:
    """Add side and gray of the box."""
    parser.add_argument(
        "--box", type=int, default=20, metavar="PIXELS", help="side of the box (default 20)"
    )
    parser.add_argument(
        "--gray",
        type=gray_option,
        default=SIDES,
        help="what fills the box: sides (default), the gray on its left and right, so that layers "
        "go on through it; auto, the gray of the B-scan's tissue; or 0 black, as in the paper, to "
        "1 white. A dark box on dark fluid hides nothing",
    )
    parser.add_argument(
        "--tissue-only",
        action="store_true",
        help="no boxes in the vitreous and in the dark depth; half to a third of the time",
    )


def gray_option(text: str) -> GrayChoice:
    """Gray of an option, or "auto" or "sides".

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none of them.

    Examples
    --------
    >>> gray_option("0.3"), gray_option("sides")
    (0.3, 'sides')
    """
    if text == AUTO:
        return AUTO
    if text == SIDES:
        return SIDES
    try:
        gray = float(text)
    except ValueError:
        gray = -1.0
    if not 0 <= gray <= 1:
        msg = f"found {text!r}, expected 0 (black) to 1 (white), {AUTO} or {SIDES}"
        raise argparse.ArgumentTypeError(msg)
    return gray
