"""Table of the classes of a B-scan classifier, whose referrals a user may change."""

from __future__ import annotations

from collections.abc import Callable

import qt
from slicer.i18n import tr as _

from RetinaTriageLib.bscan_verdict import BscanVerdict
from RetinaTriageLib.image_classes import ImageClass
from RetinaTriageLib.outcomes import REFERRAL
from RetinaTriageSlicer.widgets import Column, fillTable, makeBox, makeTable, stretchNames

REFERRALS: tuple[str | None, ...] = (None, *REFERRAL.names)
REFERRAL_COLUMN = 3


class BscanTable:
    """What a verdict says of every class, a row each.

    Parameters
    ----------
    onReferral : is told the name of a class and the referral that the user chose for it
    onClass : is told the name of the class whose row was chosen
    """

    def __init__(
        self, onReferral: Callable[[str, str | None], None], onClass: Callable[[str], None]
    ) -> None:
        self._onReferral, self._onClass = onReferral, onClass
        self._names: tuple[str, ...] = ()
        self.table = makeTable(
            "bscanTable",
            _("Classes of the bundle; choose one to go to the B-scan that shows it most."),
            (
                Column(_("Class"), _("What the classifier can tell.")),
                Column(_("0 to 1"), _("Probability of the volume, of its B-scans; raw.")),
                Column(_("Most in"), _("B-scan from 1 that shows it most, and its score.")),
                Column(_("Referral"), _("Referral that the class asks for.")),
            ),
        )
        stretchNames(self.table)
        self.table.connect("itemSelectionChanged()", self._onRow)

    def show(self, verdict: BscanVerdict | None) -> None:
        """Show a verdict; no rows without one."""
        self._names = () if verdict is None else verdict.task.names
        for row in range(self.table.rowCount):
            self.table.cellWidget(row, REFERRAL_COLUMN).hide()  # it goes with the row, but later
        fillTable(self.table, [] if verdict is None else _rows(verdict))
        if verdict is not None:
            self._offerReferrals(verdict.task.classes)

    def _offerReferrals(self, classes: tuple[ImageClass, ...]) -> None:
        titles = {outcome.name: outcome.title for outcome in REFERRAL.outcomes}
        for at, each in enumerate(classes):
            box = makeBox(
                f"bscanReferralBox{at}", _("Referral that this class asks for; may be changed.")
            )
            for referral in REFERRALS:
                box.addItem(_("none") if referral is None else titles[referral])
            box.setCurrentIndex(REFERRALS.index(each.referral))
            # Later: the table, and the box with it, is made anew.
            box.connect(
                "activated(int)",
                lambda _index, name=each.name, one=box: qt.QTimer.singleShot(
                    0, lambda: self._onBox(name, one)
                ),
            )
            self.table.setCellWidget(at, REFERRAL_COLUMN, box)
        self.table.resizeRowsToContents()

    def _onBox(self, name: str, box: qt.QComboBox) -> None:
        self._onReferral(name, REFERRALS[box.currentIndex])

    def _onRow(self) -> None:
        row = self.table.currentRow()
        if 0 <= row < len(self._names):
            self._onClass(self._names[row])


def _rows(verdict: BscanVerdict) -> list[list[str]]:
    """Texts of the cells; those of referrals lie behind boxes."""
    rows = []
    for at, each in enumerate(verdict.task.classes):
        most = verdict.strongest_bscan(each.name)
        score = f"{most + 1} ({verdict.bscans[most, at]:.3f})"
        rows.append([each.title, f"{verdict.scores[at]:.3f}", score, ""])
    return rows
