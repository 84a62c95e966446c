"""Progress on a terminal; silent where standard error is a file or a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never, TextIO

from RetinaTriageLib.progress import OnProgress, Progress

UNITS = {"segment": "B-scan", "classify": "map", "occlude": "picture"}


@contextmanager
def progress_bar(stream: TextIO) -> Iterator[OnProgress]:
    """Yield a function that draws one bar a stage; messages are printed in any case."""
    from tqdm import tqdm

    bars: dict[str, tqdm[Never]] = {}

    def show(progress: Progress) -> None:
        if progress.message:
            tqdm.write(progress.message, file=stream)
        if progress.stage not in bars:
            bars[progress.stage] = tqdm(
                total=progress.total,
                desc=progress.stage,
                unit=f" {UNITS.get(progress.stage, 'step')}",
                file=stream,
                disable=not stream.isatty(),
            )
        bar = bars[progress.stage]
        bar.total = progress.total  # work that ends early says so last
        bar.update(progress.done - bar.n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()
