"""Errors that a user can act on: what was found, what was expected, what to do."""

from __future__ import annotations


class RetinaTriageError(Exception):
    """Base of every error that this library raises on purpose."""


class InputError(RetinaTriageError, ValueError):
    """A file, volume or option cannot be used as it is."""


class MissingPackageError(InputError):
    """An optional package is missing; ``requirements`` name what to install, as pip does."""

    def __init__(self, message: str, *requirements: str) -> None:
        super().__init__(message)
        self.requirements = requirements


class GeometryError(InputError):
    """Spacing, laterality or scan pattern is missing or unusable for what was asked."""


class BundleError(RetinaTriageError, ValueError):
    """A model bundle is incomplete, was altered, or does not fit this version."""


class DeviceError(RetinaTriageError, RuntimeError):
    """The compute device is missing or ran out of memory."""


class OutputError(RetinaTriageError, OSError):
    """Results could not be written; nothing that was there before has been changed."""


class CancelledError(RetinaTriageError):
    """The caller asked to stop."""
