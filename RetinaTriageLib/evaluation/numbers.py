"""Numbers of an evaluation: what is not known is NaN in memory and null in files."""

from __future__ import annotations

import math


def finite_or_none(value: float) -> float | None:
    """Turn NaN and infinities, which JSON has not, into None."""
    return value if math.isfinite(value) else None
