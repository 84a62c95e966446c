"""What an exit code says about why a process ended, and what to do about it."""

from __future__ import annotations

import signal

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


def _signal_name(number: int) -> str:
    try:
        return f"signal {number}, {signal.Signals(number).name}"
    except ValueError:
        return f"signal {number}"
