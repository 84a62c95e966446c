"""A folder of scans in, a folder of results out, without a window.

Slicer --no-main-window --python-script .../RetinaTriageSlicer/batch_script.py
    --input SCANS --output RESULTS [--bundle ...] [--compute cpu] [--laterality OD] ...

The exit code is 0 only if every case was done.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import slicer

if TYPE_CHECKING:
    from RetinaTriageSlicer.batch import BatchCase

EXIT_DONE, EXIT_FAILED, EXIT_UNUSABLE = 0, 1, 2


def main(words: list[str]) -> int:
    """Work the folder; returns the exit code."""
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    from RetinaTriageSlicer.logic import RetinaTriageLogic

    try:
        stated = _parser().parse_args([word for word in words if word != "--"])
    except SystemExit as end:  # after help, or a message on what is wrong with the options
        return end.code if isinstance(end.code, int) else EXIT_UNUSABLE
    logic = RetinaTriageLogic()
    from RetinaTriageLib.errors import RetinaTriageError

    try:
        settings = logic.settings(
            stated.bundle,
            stated.laterality,
            stated.spacing_um,
            scanner=stated.scanner,
            bscanAxis=stated.bscan_axis,
            compute=stated.compute,
        )
        cases = logic.processBatch(
            stated.input, stated.output, settings, overwrite=stated.overwrite, onCase=_tell
        )
    except RetinaTriageError as error:
        _say(str(error))
        return EXIT_UNUSABLE
    finally:
        logic.close()
    failed = sum(case.state == "failed" for case in cases)
    _say(f"{len(cases) - failed} of {len(cases)} cases done; see {stated.output / 'summary.csv'}")
    return EXIT_FAILED if failed else EXIT_DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="batch_script.py", description=__doc__.split("\n")[0])
    parser.add_argument("--input", type=Path, required=True, help="folder of scans, or one scan")
    parser.add_argument("--output", type=Path, required=True, help="folder of the results")
    parser.add_argument("--overwrite", action="store_true", help="work finished cases again")
    parser.add_argument("--bundle", type=Path, help="folder or zip; default: the one that comes")
    parser.add_argument("--compute", default="auto", choices=("auto", "cuda", "mps", "cpu"))
    group = parser.add_argument_group("scan geometry", "stated facts hold for all scans")
    group.add_argument("--laterality", choices=("OD", "OS"))
    group.add_argument("--spacing-um", type=float, nargs=3, metavar=("BSCAN", "DEPTH", "WIDTH"))
    group.add_argument("--scanner", help="spectralis, cirrus, topcon or optovue")
    group.add_argument("--bscan-axis", type=int, choices=(0, 1, 2), help="of NRRD and NIfTI files")
    return parser


def _tell(case: BatchCase) -> None:
    _say(f"{case.name}: {case.state}" + (f": {case.reason}" if case.reason else ""))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    code = EXIT_UNUSABLE
    try:
        code = main(sys.argv[1:])
    finally:  # whatever happens: a Slicer without a window would stay for ever
        slicer.util.exit(code)
