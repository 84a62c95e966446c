"""Goals of a model card: what a figure should reach, and whether it does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """What a figure should reach: at least, or at most, a limit."""

    limit: float
    at_least: bool

    def verdict(self, value: float | None, digits: int) -> str:
        """Whether the value reaches the goal, or by how much it misses.

        Examples
        --------
        >>> Goal(0.9, at_least=True).verdict(0.85, 2)
        'at least 0.9: missed by 0.05'
        """
        sign = "at least" if self.at_least else "at most"
        stated = f"{sign} {self.limit:g}"
        if value is None:
            return f"{stated}: not measured"
        gap = self.limit - value if self.at_least else value - self.limit
        if gap <= 0:
            return f"{stated}: reached"
        return f"{stated}: missed by {gap:.{digits}f}"


MEAN_DICE, LOWEST_DICE = Goal(0.90, at_least=True), Goal(0.75, at_least=True)
FLUID_PERCENT, CST_UM = Goal(5, at_least=False), Goal(3, at_least=False)
REFERRAL_PERCENT, LOWEST_AUC = Goal(5.5, at_least=False), Goal(0.96, at_least=True)
DUKE_DICE, DUKE_CORRELATION = Goal(0.70, at_least=True), Goal(0.9, at_least=True)
FALSE_FLUID_NL, LINE_PX = Goal(0.5, at_least=False), Goal(2, at_least=False)
HEALTHY_UM, OTHER_UM = Goal(4, at_least=False), Goal(10, at_least=False)
