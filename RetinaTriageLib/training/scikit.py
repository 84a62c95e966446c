"""scikit-learn, which trains trees; running them does without."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from RetinaTriageLib.errors import InputError


def scikit_ensembles() -> Any:
    """Import ``sklearn.ensemble``.

    Raises
    ------
    InputError
        If scikit-learn is not installed.
    """
    return _module("sklearn.ensemble")


def scikit_trees() -> Any:
    """Import ``sklearn.tree``.

    Raises
    ------
    InputError
        If scikit-learn is not installed.
    """
    return _module("sklearn.tree")


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        msg = (
            f"Found no scikit-learn ({error}); training trees needs it, running them does not. "
            "Install it: pip install scikit-learn, or retina-triage[train]."
        )
        raise InputError(msg) from error
