"""Why a worker is gone or was given up, and what to do about it."""

from __future__ import annotations

import signal

from RetinaTriageLib.worker.errors import WorkerDiedError, WorkerStartError

ABNORMAL_WINDOWS = 0x80000000  # NTSTATUS codes of crashes, such as 0xC0000005


def describe_end(code: int) -> str:
    """Sentences on an exit code of `subprocess`: negative ones are signals.

    Examples
    --------
    >>> describe_end(3)
    'it left with exit code 3. Start the job again, and report this with the log if it comes back.'
    """
    again = "Start the job again, and report this with the log if it comes back."
    if code == -9:  # SIGKILL, which Windows does not have
        return (
            "the system or a user killed it (signal 9), most often because memory ran out. Close "
            "other programs, then start the job again."
        )
    if code < 0:
        return f"it crashed ({_signal_name(-code)}). {again}"
    if code >= ABNORMAL_WINDOWS:
        return f"it crashed (code {code:#x}). {again}"
    return f"it left with exit code {code}. {again}"


def died_early(code: int, log: str) -> WorkerStartError:
    """Error of a worker that ended before it could take requests."""
    msg = f"The worker ended before it was ready: {describe_end(code)} See the log."
    return WorkerStartError(msg, log)


def died_at_work(code: int, log: str) -> WorkerDiedError:
    """Error of a worker that ended in the middle of a job."""
    return WorkerDiedError(f"The worker ended in the middle of the job: {describe_end(code)}", log)


def never_ready(seconds: float, program: str, log: str) -> WorkerStartError:
    """Error of a worker that was given up because it took too long to start."""
    msg = (
        f"The worker was not ready after {seconds:.0f} s. Try again when the computer is less "
        f"busy; if it comes back, run {program} in a terminal to see whether it starts and imports "
        "torch."
    )
    return WorkerStartError(msg, log)


def _signal_name(number: int) -> str:
    try:
        return f"signal {number}, {signal.Signals(number).name}"
    except ValueError:
        return f"signal {number}"
