"""How far a run is, in words and as a share: stage, B-scans and the time that is left."""

from __future__ import annotations

from slicer.i18n import tr as _

from RetinaTriageLib.progress import Progress

MINUTE_S = 60


def stageText(stage: str) -> str:
    """Name of a stage for the user; the library's own name where it is a new one."""
    return {
        "load": _("Loading the model bundle"),
        "segment": _("Segmenting"),
        "classify": _("Judging tissue maps"),
        "measure": _("Measuring"),
    }.get(stage, stage)


class RunProgress:
    """Follows one run; the pace is that since the first B-scan, without the loading before."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def text(self, progress: Progress, now_s: float) -> str:
        """Line for the user.

        Parameters
        ----------
        now_s : of a clock that only runs forward
        """
        stage = stageText(progress.stage)
        if progress.total <= 1:
            return _("{stage} ...").format(stage=stage)
        counted = (
            _("{stage}: B-scan {done} of {total}")
            if progress.stage == "segment"
            else _("{stage}: {done} of {total}")
        ).format(stage=stage, done=progress.done, total=progress.total)
        left_s = self._left(progress, now_s)
        if left_s is None:
            return counted
        return _("{counted}, about {time} left").format(counted=counted, time=timeText(left_s))

    def _left(self, progress: Progress, now_s: float) -> float | None:
        """Seconds that are left of the longest stage; None where no pace is known yet."""
        if progress.stage != "segment" or progress.done == 0:
            return None
        if self._first is None or progress.done <= self._first[0]:
            self._first = (progress.done, now_s)
            return None
        done, start_s = self._first
        return (now_s - start_s) / (progress.done - done) * (progress.total - progress.done)


def timeText(seconds: float) -> str:
    """Time as a person says it.

    Examples
    --------
    >>> timeText(8.4), timeText(130)
    ('8 s', '2 min 10 s')
    """
    minutes, rest = divmod(round(seconds), MINUTE_S)
    if minutes == 0:
        return _("{seconds} s").format(seconds=rest)
    return _("{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)
