"""What a run takes for granted about a scan, and where each of it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from slicer.i18n import tr as _

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.volume import DeviceFamily, Laterality
from RetinaTriageSlicer.parameters import (
    AxisChoice,
    LateralityChoice,
    RetinaTriageParameterNode,
    ScannerChoice,
)
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.run_settings import statedSpacing
from RetinaTriageSlicer.stored_scan import StoredScan

AXES = (AxisChoice.SLOWEST, AxisChoice.MIDDLE, AxisChoice.FASTEST)
AXES_ASSUMED, SPACING_UNKNOWN = "Axes are assumed", "Spacing is unknown"


@dataclass(frozen=True)
class Fact:
    """One value as a person reads it, and its origin."""

    value: str
    origin: str

    @property
    def text(self) -> str:
        """Value and origin in one line."""
        return f"{self.value}, {self.origin}" if self.origin else self.value


@dataclass(frozen=True)
class ScanFacts:
    """Facts on the scan as a run will take it; ``notes`` are sentences on what is assumed."""

    size: str
    bscanSpacing: Fact
    depthSpacing: Fact
    widthSpacing: Fact
    axis: Fact
    laterality: Fact
    scanner: Fact
    spacingKnown: bool
    notes: tuple[str, ...]


def scanFacts(scan: StoredScan, parameters: RetinaTriageParameterNode) -> ScanFacts:
    """Facts on a scan with what the user states put over what is stored."""
    bscans, depths, widths = scan.shape
    lengthsUm = _lengthsUm(scan, parameters)
    stated = (parameters.bscanSpacingUm, parameters.depthSpacingUm, parameters.widthSpacingUm)
    stored = _origin(scan, "spacing")
    bscan, depth, width = (
        Fact(_("unknown"), "")
        if lengthUm is None
        else Fact(f"{lengthUm:.2f} \u00b5m", _("stated here") if own else stored)
        for lengthUm, own in zip(lengthsUm, stated, strict=True)
    )
    known = lengthsUm[1] is not None
    return ScanFacts(
        _("{bscans} B-scans, {depths} x {widths} each").format(
            bscans=bscans, depths=depths, widths=widths
        ),
        Fact(_("single B-scan"), "") if scan.single else bscan,
        depth,
        width,
        _axis(scan, parameters),
        _laterality(scan, parameters),
        _scanner(scan, parameters),
        known,
        tuple(
            forPanel(sentence)
            for sentence in scan.assumed
            if not (known and sentence.startswith(SPACING_UNKNOWN))
        ),
    )


def _lengthsUm(
    scan: StoredScan, parameters: RetinaTriageParameterNode
) -> tuple[float | None, float | None, float | None]:
    """Distances (B-scan, depth, width) that a run takes; None where they are not known."""
    try:
        spacing = statedSpacing(parameters, scan) or scan.spacing
    except GeometryError:  # shown as the reason why a run cannot start
        return None, None, None
    if spacing is None:
        return None, None, None
    bscanUm = None if spacing.bscan_mm is None else spacing.bscan_mm * 1000
    return bscanUm, spacing.depth_mm * 1000, spacing.width_mm * 1000


def _origin(scan: StoredScan, fact: str) -> str:
    source = scan.sources.get(fact, "")
    if source not in ("", "volume node"):
        return _("{source} (node attribute)").format(source=source)
    if fact != "spacing":
        return _("node attribute")
    return _("from the file") if scan.fromFile else _("from the volume node")


def _axis(scan: StoredScan, parameters: RetinaTriageParameterNode) -> Fact:
    value = AXES[scan.bscanAxis].label()
    if parameters.bscanAxis is not AxisChoice.BY_SPACING:
        return Fact(value, _("stated here"))
    assumed = any(sentence.startswith(AXES_ASSUMED) for sentence in scan.assumed)
    return Fact(value, _("assumed") if assumed else _("found by spacing"))


def _laterality(scan: StoredScan, parameters: RetinaTriageParameterNode) -> Fact:
    choice = parameters.laterality
    if choice is not LateralityChoice.AS_STORED:
        return Fact(choice.label(), _("stated here"))
    return _stored(scan, "laterality", scan.laterality, LateralityChoice)


def _scanner(scan: StoredScan, parameters: RetinaTriageParameterNode) -> Fact:
    choice = parameters.scanner
    if choice is not ScannerChoice.AS_STORED:
        return Fact(choice.label(), _("stated here"))
    return _stored(scan, "device", scan.scanner, ScannerChoice)


def _stored(
    scan: StoredScan,
    fact: str,
    value: Laterality | DeviceFamily | None,
    choices: type[LateralityChoice] | type[ScannerChoice],
) -> Fact:
    if value is None:
        return Fact(_("unknown"), "")
    return Fact(choices(value.value).label(), _origin(scan, fact))
