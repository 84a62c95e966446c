"""What a whole-image classifier answers: its classes, and which referral each asks for.

Words alone, no network: programs that show or write a verdict read them without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.outcomes import REFERRAL


class Head(StrEnum):
    """How scores of classes belong together."""

    SOFTMAX = "softmax"
    """One class an image; scores add up to 1."""

    BINARY = "binary"
    """Each class is present or absent on its own."""


class Pooling(StrEnum):
    """How the scores of B-scans become those of their volume."""

    MAXIMUM = "maximum"
    """Each finding by the B-scan that shows it most."""

    MEAN = "mean"
    """All B-scans count the same."""

    ATTENTION = "attention"
    """B-scans are weighted, by trained attention where the bundle has it."""


class Evidence(StrEnum):
    """What a network rests the score of a class on."""

    PICTURE = "picture"
    """Means and maxima of features over the whole picture."""

    PLACES = "places"
    """The places that speak most for the class, each judged on its own."""


@dataclass(frozen=True)
class ImageClass:
    """One class of a whole-image classifier.

    Attributes
    ----------
    finding : False where the class says that nothing was found ("normal"); over several B-scans
        a finding is judged by where it shows most, the absence of findings by where it shows least
    referral : name of an outcome of the referral head, None where the bundle states none
    condition : name of the outcome of the conditions head that means the same, None where none does
    """

    name: str
    title: str
    finding: bool = True
    referral: str | None = None
    condition: str | None = None


def with_referrals(
    classes: tuple[ImageClass, ...], referrals: Mapping[str, str]
) -> tuple[ImageClass, ...]:
    """Classes that ask for other referrals; classes that are not named keep theirs.

    Parameters
    ----------
    referrals : class name to referral name

    Raises
    ------
    InputError
        If a class or a referral is unknown.
    """
    names = [found.name for found in classes]
    for name, referral in referrals.items():
        if name not in names:
            msg = f"Found class {name!r} in a referral map; expected one of {', '.join(names)}."
            raise InputError(msg)
        require_referral(referral)
    return tuple(
        replace(found, referral=referrals.get(found.name, found.referral)) for found in classes
    )


def require_referral(name: str) -> None:
    """Refuse a referral that the referral head does not know."""
    if name not in REFERRAL.names:
        msg = f"Found referral {name!r}; expected one of {', '.join(REFERRAL.names)}."
        raise InputError(msg)
