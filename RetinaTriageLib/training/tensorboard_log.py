"""Log of a training run for TensorBoard, beside the table ``log.csv``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from RetinaTriageLib.errors import InputError

FOLDER = "tensorboard"


class TensorBoardLog:
    """Curves of a run, in the folder ``tensorboard`` of its own.

    Parameters
    ----------
    run_folder : folder of the training run
    iteration : where the run stands; later points of a killed run are hidden

    Raises
    ------
    InputError
        If TensorBoard is not installed.
    """

    def __init__(self, run_folder: Path, iteration: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter  # needs a package of its own
        except ImportError as error:
            msg = (
                f"TensorBoard cannot be used ({error}); install it with "
                'pip install "retina-triage[train]", or leave out --tensorboard.'
            )
            raise InputError(msg) from error
        self._writer: Any = SummaryWriter(str(run_folder / FOLDER), purge_step=iteration + 1)

    def add(self, row: Mapping[str, float]) -> None:
        """Add a point to every curve; figures that are not defined get none."""
        iteration = int(row["iteration"])
        for name, value in row.items():
            if name != "iteration" and math.isfinite(value):
                self._writer.add_scalar(name.replace(":", "/"), value, iteration)
        self._writer.flush()

    def close(self) -> None:
        """Write what is left and close the file."""
        self._writer.close()
