"""A reading session without widgets: the queue, the case that is loaded, and decisions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from RetinaTriageLib.cohort.reading_list import (
    NO_FILTER,
    QueueEntry,
    QueueFilter,
    ReadingList,
    filtered,
    next_unread,
    reading_list,
)
from RetinaTriageLib.cohort.readings import Reading, record_reading, require_reader
from RetinaTriageLib.errors import InputError
from RetinaTriageSlicer.cohort_case import LoadedCase, loadCase, unloadCase


@dataclass(frozen=True)
class Decision:
    """What a reader says about the case that is loaded."""

    referral: str
    conditions: tuple[str, ...] = ()
    comment: str = ""


class ReadingSession:
    """One reader on one cohort.

    Attributes
    ----------
    loaded : case in the scene; None between cases
    kept : names of cases that stay in the scene because their maps were edited

    Parameters
    ----------
    scans : folder that the scans lie in now; None where they lie where they did
    blind : the reader does not see the model's answers

    Raises
    ------
    RetinaTriageError
        If there is no cohort in the folder, or no name of a reader.
    """

    def __init__(
        self, folder: Path, reader: str, scans: Path | None = None, *, blind: bool = False
    ) -> None:
        self.folder, self.reader, self.scans, self.blind = (
            folder,
            require_reader(reader),
            scans,
            blind,
        )
        self.filter: QueueFilter = NO_FILTER
        self.loaded: LoadedCase | None = None
        self.kept: list[str] = []
        self.list: ReadingList = reading_list(folder, self.reader, blind=blind)

    @property
    def queue(self) -> tuple[QueueEntry, ...]:
        """Entries that the filter lets through."""
        return filtered(self.list.entries, self.filter)

    @property
    def entry(self) -> QueueEntry | None:
        """Entry of the case that is loaded."""
        if self.loaded is None:
            return None
        name = self.loaded.row.case_id
        return next((one for one in self.list.entries if one.row.case_id == name), None)

    def refresh(self) -> None:
        """Read the files again, to see what other readers have done."""
        self.list = reading_list(self.folder, self.reader, blind=self.blind)

    def load(self, entry: QueueEntry) -> LoadedCase:
        """Load a case in place of the one before it.

        Raises
        ------
        RetinaTriageError
            If it cannot be loaded; there is then no case loaded.
        """
        self.unload()
        self.loaded = loadCase(self.folder, entry.row, self.scans, withResult=not self.blind)
        return self.loaded

    def unload(self) -> None:
        """Take the loaded case out of the scene, unless its maps were edited."""
        if self.loaded is not None and not unloadCase(self.loaded):
            self.kept.append(self.loaded.row.alias)
        self.loaded = None

    def forget(self) -> None:
        """Let go of the loaded case, such as where the scene was closed."""
        self.loaded = None

    def decide(self, decision: Decision) -> Reading:
        """Record a decision on the loaded case.

        Raises
        ------
        RetinaTriageError
            If no case is loaded, or it cannot be written.
        """
        if self.loaded is None:
            msg = "No case is loaded. Load one, then decide."
            raise InputError(msg)
        reading = Reading(
            self.loaded.row.case_id,
            self.reader,
            decision.referral,
            decision.conditions,
            decision.comment,
            model_shown=not self.blind,
        )
        written = record_reading(self.folder, self.list.cohort, reading)
        self.refresh()
        return written

    def following(self) -> QueueEntry | None:
        """Return the next unread case behind the loaded one; None where all are read."""
        wanted = replace(self.filter, read=None)  # the loaded one has just been read
        name = "" if self.loaded is None else self.loaded.row.case_id
        return next_unread(filtered(self.list.entries, wanted), name)
