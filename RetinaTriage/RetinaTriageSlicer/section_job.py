"""One job at a time that a section asks of the worker, and what its button, bar and line tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from RetinaTriageLib.errors import CancelledError, RetinaTriageError
from RetinaTriageLib.progress import Progress
from RetinaTriageSlicer.remedies import forPanel


class SectionJob:
    """The job that runs, if any; what comes of one that was stopped is left out.

    Parameters
    ----------
    logic : gives the logic, whose ``ask`` and ``stop`` go to the worker
    button, progress, status : widgets of the section; the button starts a job and cancels it
    counted : text of the status while steps are counted, with ``{done}`` and ``{total}``
    """

    def __init__(
        self, logic: Callable[[], Any], button: Any, progress: Any, status: Any, counted: str
    ) -> None:
        self.job: Any = None
        self._logic, self._counted = logic, counted
        self._button, self._progress, self._status = button, progress, status
        self._startText = button.text
        self._asked = 0

    def start(self, request: Any, waiting: str, onResult: Callable[[Any], None]) -> None:
        """Ask for a job; ``waiting`` stands there until steps are counted."""
        self._status.text = waiting
        self._progress.setVisible(True)
        self._progress.setRange(0, 0)
        self._button.text = _("Cancel")
        self._asked = number = self._asked + 1

        def current(answered: Callable[[Any], None]) -> Callable[[Any], None]:
            return lambda answer: answered(answer) if number == self._asked else None

        def finish(answer: Any) -> None:
            self._end("")
            onResult(answer)

        self.job = self._logic().ask(
            request, current(self._onProgress), current(finish), current(self._onError)
        )

    def stop(self) -> None:
        """Stop the job, if one runs."""
        if self.job is not None:
            self._logic().stop(self.job)
            self._end(_("Stopped; nothing was changed."))

    def _onProgress(self, progress: Progress) -> None:
        counted = progress.total if progress.total > 1 else 0  # 0 of 0: busy, no share known
        self._progress.setRange(0, counted)
        self._progress.value = min(progress.done, counted)
        if counted:
            self._status.text = self._counted.format(done=progress.done, total=progress.total)

    def _onError(self, error: RetinaTriageError) -> None:
        stopped = isinstance(error, CancelledError)
        self._end(_("Stopped; nothing was changed.") if stopped else forPanel(str(error)))

    def _end(self, text: str) -> None:
        self.job = None
        self._asked += 1  # what still comes of it is too late
        self._progress.setVisible(False)
        self._button.text = self._startText
        self._status.text = text
