"""The box that occlusion tests hide parts of a B-scan with, as options of commands."""

from __future__ import annotations

import argparse

AUTO = "auto"


def add_box_options(parser: argparse.ArgumentParser) -> None:
    """Add side and gray of the box."""
    parser.add_argument(
        "--box", type=int, default=20, metavar="PIXELS", help="side of the box (default 20)"
    )
    parser.add_argument(
        "--gray",
        type=gray_option,
        default=0.0,
        help="gray of the box, 0 black (default) to 1 white; auto: that of the B-scan's tissue, "
        "which also takes away what is dark, such as fluid",
    )
    parser.add_argument(
        "--tissue-only",
        action="store_true",
        help="no boxes in the vitreous and in the dark depth; half to a third of the time",
    )


def gray_option(text: str) -> float | None:
    """Gray of an option; None for "auto".

    Raises
    ------
    argparse.ArgumentTypeError
        If it is neither.

    Examples
    --------
    >>> gray_option("0.3"), gray_option("auto")
    (0.3, None)
    """
    if text == AUTO:
        return None
    try:
        gray = float(text)
    except ValueError:
        gray = -1.0
    if not 0 <= gray <= 1:
        msg = f"found {text!r}, expected 0 (black) to 1 (white), or {AUTO}"
        raise argparse.ArgumentTypeError(msg)
    return gray
