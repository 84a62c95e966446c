"""Figures of a whole-image network on pictures held out: score, AUC, balanced accuracy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.image_classes import Head
from RetinaTriageLib.training.classification_validation import roc_auc

COLUMNS = ("score", "auc", "accuracy")
SMALLEST_PROBABILITY = 1e-6  # one picture that is wholly wrong must not decide alone


def class_figures(
    probabilities: npt.NDArray[np.floating], truth: npt.NDArray[np.bool_], head: Head
) -> dict[str, float]:
    """Figures by which the best weights of a run are chosen, all of classes that count alike.

    "score" is the geometric mean of the probability of the truth, which unlike accuracy and AUC
    still tells networks apart when few pictures are held out.

    Parameters
    ----------
    probabilities, truth : arrays (image, class)

    Examples
    --------
    >>> truth = np.array([[True, False], [False, True]])
    >>> found = class_figures(np.array([[0.9, 0.1], [0.4, 0.6]]), truth, Head.SOFTMAX)
    >>> round(found["score"], 4), found["auc"], found["accuracy"]
    (0.7348, 1.0, 1.0)
    """
    p = np.clip(probabilities.astype(np.float64), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    areas = [roc_auc(p[:, index], truth[:, index]) for index in range(p.shape[1])]
    if head is Head.SOFTMAX:
        hits = p.argmax(axis=1) == truth.argmax(axis=1)
        groups = [(truth[:, index], np.log(p[:, index]), hits) for index in range(p.shape[1])]
    else:
        groups = []
        for index in range(p.shape[1]):
            present, says = truth[:, index], p[:, index]
            groups.append((present, np.log(says), says >= 0.5))
            groups.append((~present, np.log(1 - says), says < 0.5))
    known = [(logs[of].mean(), right[of].mean()) for of, logs, right in groups if of.any()]
    logs, rights = np.mean(known, axis=0)
    areas = [area for area in areas if not np.isnan(area)]
    return {
        "score": float(np.exp(logs)),
        "auc": float(np.mean(areas)) if areas else float("nan"),
        "accuracy": float(rights),
    }
