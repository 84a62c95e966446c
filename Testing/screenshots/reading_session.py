"""Photograph a reading session on ten phantoms: two readers, one of them blind, and who agrees.

Run it with a Python that has the test host, on a folder of ``reading_cohort.py``:
``make reading-session``. The readers are made up: they answer what the phantom was made with, each
with slips of their own, so that there is something to compare.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SCANS, TRUTH, COHORT = "scans", "truth.csv", "ten_phantoms"  # as reading_cohort.py names them
FOLDERS = ("", "RetinaTriage", "Testing/host")
PHOTOGRAPHED = "phantom_14.nrrd"  # while the first reader reads it
PAGE_SIZE = "1500,1250"
# Reader to file and what they take it for, where they err.
SLIPS: Mapping[str, Mapping[str, str]] = {
    "AB": {"phantom_17.nrrd": "routine"},
    "CD": {
        "phantom_11.nrrd": "observation",
        "phantom_12.nrrd": "semi_urgent",
        "phantom_14.nrrd": "urgent",
    },
}
BLIND = ("CD",)


def main() -> None:
    """Read the cohort as both readers, and photograph it."""
    arguments = _parser().parse_args()
    from slicer_host.boot import boot

    boot(views=True)
    folder, kept = arguments.folder.resolve(), arguments.kept.resolve()
    with tempfile.TemporaryDirectory(prefix="retina-triage-reading-") as place:
        for name in (SCANS, COHORT):  # a copy: each session starts unread
            shutil.copytree(folder / name, Path(place) / name)
        os.chdir(place)  # so that pictures show no paths of this computer
        cohort = Path(COHORT)
        (cohort / "readings.csv").unlink(missing_ok=True)
        session = _Reading(folder / TRUTH, kept)
        session.read("AB", ("reading_queue.png", "reading_case.png"))
        session.read("CD", ("reading_blind.png", ""))
        print(session.end("reading_agreement.png"))
        for page, picture in (("agreement", "reading_agreement_page"), ("index", "cohort_page")):
            _photographPage((cohort / f"{page}.html").resolve(), kept / f"{picture}.png")
        for name in ("agreement.csv", "agreement_confusion.csv", "agreement.html", "readings.csv"):
            shutil.copy(cohort / name, folder)
        shutil.copy(cohort / "agreement.csv", kept / "reading_agreement.csv")
        os.chdir(folder)


class _Reading:
    """The module in its window, with the reading section open."""

    def __init__(self, truth: Path, kept: Path) -> None:
        import slicer
        from session import Session

        self._session = Session(None, None)
        slicer.util.selectModule("RetinaTriage")
        self._section: Any = self._session.panel.reading
        self._kept = kept
        with truth.open(encoding="utf-8", newline="") as file:
            self._truth = {row["file"]: row for row in csv.DictReader(file)}
        self._section.folderEdit.currentPath = COHORT
        self._section.scansEdit.currentPath = SCANS
        self._section.button.collapsed = False

    def read(self, reader: str, pictures: tuple[str, str]) -> None:
        """Read all cases; photograph the first and a later one."""
        section = self._section
        section.readerEdit.text = reader
        section.blindCheck.setChecked(reader in BLIND)
        section.openButton.click()
        section.nextButton.click()
        count = 0
        while section.session is not None and section.session.entry is not None:
            entry = section.session.entry
            file = Path(entry.row.text("file")).name
            truth = self._truth[file]
            count += 1
            if count == 1:
                self._photograph(pictures[0])
            for name in truth["conditions"].split(";"):
                if name in section.decision.checks:
                    section.decision.checks[name].setChecked(True)
            if file == PHOTOGRAPHED and pictures[1]:
                section.decision.commentEdit.text = "cysts beside the fovea"
                self._photograph(pictures[1])
            referral = SLIPS[reader].get(file, truth["referral"])
            print(f"{reader}: {entry.row.case_id} {referral}, model {entry.row.text('referral')}")
            section.decision.buttons[referral].click()
        print(f"{reader}: {section.stateLabel.text}")

    def end(self, picture: str) -> str:
        """Show and photograph the agreement; returns it in words."""
        from arrange import slice_node

        self._section.agreementButton.click()
        slice_node("Red").SetSliceVisible(False)  # there is no scan any more to draw in 3D
        self._session.photograph(self._kept / picture, self._section.button)
        text: str = self._section.label.text
        self._session.close()
        return text

    def _photograph(self, name: str) -> None:
        import slicer
        from arrange import show_result, show_scan
        from RetinaTriageSlicer.scene import findResults

        slicer.app.processEvents()  # gives the views their size, which a fit needs
        slicer.app.layoutManager().draw()
        volume = self._session.panel.ui.inputSelector.currentNode()
        show_scan(volume)
        if findResults():
            show_result(findResults()[0])
        self._session.photograph(self._kept / name, self._section.button)


def _photographPage(page: Path, picture: Path) -> None:
    """Photograph a page, where a browser is at hand."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print(f"{picture.name} was not made: found neither chromium nor google-chrome.")
        return
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
    budget = ("--virtual-time-budget=5000", f"--window-size={PAGE_SIZE}")
    command = [browser, *options, *budget, f"--screenshot={picture}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=300)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder that reading_cohort.py has filled")
    parser.add_argument(
        "--kept", type=Path, default=ROOT / "Screenshots", help="folder of the pictures"
    )
    return parser


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]
    main()
