"""Photograph the module at work, step by step, on the phantom and on real scans at hand.

Run it with a Python that has the test host and what the worker needs: ``make screenshots``.
Each scan is run, then walked through: every hypothesis, where they differ, a fluid pocket taken
away, the edited map judged again. The numbers of the walk are printed. Pictures of the phantom are
kept with the project; those of real scans go to an ignored folder.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("", "RetinaTriage", "Testing/host")


def main() -> None:
    """Make the pictures of all scans."""
    arguments = _parser().parse_args()
    from slicer_host.boot import boot

    boot(views=True)
    from scans import find_scans
    from session import Session
    from walk_steps import Walk

    session = Session(arguments.bundle, arguments.results)
    with tempfile.TemporaryDirectory(prefix="retina-triage-scans-") as folder:
        for scan in find_scans(arguments.data, Path(folder)):
            if arguments.only and scan.key not in arguments.only:
                continue
            out = arguments.kept if scan.kept else arguments.private
            print(session.work(scan, out), flush=True)
            for line in Walk(session, out, scan.key).go():
                print(f"  {line}", flush=True)
    session.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    paths = {
        "--data": (ROOT.parent / "shared" / "data", "folder of real scans, left out if missing"),
        "--kept": (ROOT / "Screenshots", "folder of pictures that may be kept"),
        "--private": (ROOT / "out" / "screenshots", "folder of pictures of real scans"),
        "--bundle": (None, "model bundle, the shipped one if left out"),
        "--results": (None, "folder of saved scenes with results; those in it are not run again"),
    }
    for name, (default, meaning) in paths.items():
        parser.add_argument(name, type=Path, default=default, help=meaning)
    parser.add_argument("--only", nargs="*", help="keys of scans: slicer, amd, duke")
    return parser


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]
    main()
