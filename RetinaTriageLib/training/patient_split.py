"""Splitting of pictures into parts, always by patient; a leak from part to part is an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.training.image_sets import LabeledImage, presence

SHOWN = 5


def split_by_patient(
    images: Sequence[LabeledImage], shares: Sequence[float], seed: int
) -> tuple[tuple[LabeledImage, ...], ...]:
    """Parts of about the stated shares, with every class spread as evenly as patients allow.

    Patients come in an order that follows from the seed, those with most pictures first; each goes
    where its classes are lacking most.

    Parameters
    ----------
    shares : share of every part, adding up to 1

    Raises
    ------
    InputError
        If a part remains empty.
    """
    truth = presence(images)
    present = np.column_stack((truth, ~truth.any(axis=1))).astype(np.float64)
    present /= np.maximum(present.sum(axis=0), 1)  # a picture's share of each class
    members: dict[str, list[int]] = {}
    for index in np.random.default_rng(seed).permutation(len(images)):
        members.setdefault(images[index].patient, []).append(int(index))
    loads = np.zeros((len(shares), present.shape[1]))
    parts: list[list[int]] = [[] for _ in shares]
    for indices in sorted(members.values(), key=len, reverse=True):
        weight = present[indices].sum(axis=0)
        chosen = int(np.argmin((2 * loads + weight) @ weight / np.asarray(shares)))
        loads[chosen] += weight
        parts[chosen] += indices
    if not all(parts):
        msg = (
            f"Found {len(members)} patients for {len(shares)} parts; expected enough of them that "
            "no part is empty. Ask for fewer folds or a larger share, or add patients."
        )
        raise InputError(msg)
    return tuple(tuple(images[index] for index in sorted(part)) for part in parts)


def limited(images: Sequence[LabeledImage], per_class: int, seed: int) -> tuple[LabeledImage, ...]:
    """Draw ``per_class`` pictures of every class, or all where there are fewer."""
    order = np.random.default_rng(seed).permutation(len(images))
    truth = presence(images)
    kept: set[int] = set()
    for column in np.column_stack((truth, ~truth.any(axis=1))).T:
        kept.update(int(index) for index in order[column[order]][:per_class])
    return tuple(images[index] for index in sorted(kept))


def require_no_leak(
    parts: Mapping[str, Sequence[LabeledImage]], digests: Mapping[str, str]
) -> None:
    """Refuse a patient, or a picture of the same content, in more than one part.

    Parameters
    ----------
    parts : pictures by the name of the part
    digests : hash of the content, by the name of the picture

    Raises
    ------
    InputError
        If there is one.
    """
    _require_apart(
        {part: {image.patient for image in images} for part, images in parts.items()},
        "patients",
        "Split by patient, or correct the patients of these pictures.",
    )
    names = {digests[i.name]: i.name for images in parts.values() for i in images}
    contents = {
        part: {names[digests[image.name]] for image in images} for part, images in parts.items()
    }
    _require_apart(
        contents,
        "pictures",
        "The same picture stands under two patients: give both the same patient, or remove one.",
    )


def _require_apart(parts: Mapping[str, set[str]], what: str, remedy: str) -> None:
    names = list(parts)
    for number, first in enumerate(names):
        for second in names[number + 1 :]:
            both = sorted(parts[first] & parts[second])
            if both:
                shown = ", ".join(both[:SHOWN]) + (", ..." if len(both) > SHOWN else "")
                msg = (
                    f"Found {len(both)} {what} in both {first} and {second} ({shown}); expected "
                    f"them in one part alone. {remedy}"
                )
                raise InputError(msg)
