"""What has to be said of a scan and a bundle: what was assumed, and what was never trained on."""

from __future__ import annotations

from RetinaTriageLib.bundle_manifest import UNET, Manifest, SegmenterEntry, SpacingLimits
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.gray import is_black_on_white
from RetinaTriageLib.volume import OCTVolume


def scan_notes(volume: OCTVolume, manifest: Manifest, scanner: str | None) -> list[str]:
    """Sentences that have to travel with the result.

    Parameters
    ----------
    scanner : as the bundle lists it, stated by the user; None goes by the volume's device

    Raises
    ------
    InputError
        If the bundle lists no such scanner.
    """
    return [
        *_branch_notes(volume, manifest, scanner),
        *_gray_notes(volume, scanner),
        *_spacing_notes(volume, manifest),
        *_single_bscan_notes(volume, manifest),
    ]


def branch_of(entry: SegmenterEntry, volume: OCTVolume, scanner: str | None) -> str:
    """Scanner adaptation branch that a segmenter takes for a volume.

    Parameters
    ----------
    scanner : stated by the user; None goes by the volume's device
    """
    family = volume.device.value if volume.device else ""
    return entry.branches.get(scanner or family, entry.default_branch)


def _branch_notes(volume: OCTVolume, manifest: Manifest, scanner: str | None) -> list[str]:
    entries = [entry for entry in manifest.segmenters if entry.kind == UNET]
    if scanner is not None:
        known = sorted({name for entry in entries for name in entry.branches})
        if scanner not in known:
            msg = (
                f"Found scanner {scanner!r}; this bundle lists {', '.join(known)}. Choose one of "
                "them, or adapt the bundle to the scanner: retina-triage train adapt-scanner."
            )
            raise InputError(msg)
        return [f"Segmented as a scan of {scanner}, as the user stated."]
    if not entries:
        return []  # other kinds have no branches: they treat all scanners alike
    branches = ", ".join(sorted({branch_of(entry, volume, None) for entry in entries}))
    if volume.device is None:
        return [f"Scanner unknown: segmented as if it were {branches}."]
    if any(volume.device.value not in entry.branches for entry in entries):
        return [
            f"This bundle was not adapted to {volume.device.value}: segmented as if it were "
            f"{branches}."
        ]
    return []


def _gray_notes(volume: OCTVolume, scanner: str | None) -> list[str]:
    """Say that a scan looks inverted."""
    if scanner is not None:
        return []  # that branch may be one for inverted gray
    if not is_black_on_white(volume.voxels[..., ::4, ::4]):
        return []
    return [
        "Most of the scan is bright, as if shown black on white; segmenters expect strong signal "
        "to be bright. Invert its gray, or adapt the bundle: retina-triage train adapt-scanner."
    ]


def _single_bscan_notes(volume: OCTVolume, manifest: Manifest) -> list[str]:
    if volume.shape[0] > 1:
        return []
    if manifest.line_scans is not None:
        return [
            "Single B-scan: it shows less of an eye than a volume. Its operating points are those "
            "of such scans."
        ]
    return [
        "Single B-scan: its scores say less than those of a volume, and operating points are "
        "fitted on volumes, so what is called may be wrong. Compare scores of such scans instead."
    ]


def _spacing_notes(volume: OCTVolume, manifest: Manifest) -> list[str]:
    if volume.spacing is None:
        return ["Spacing unknown: classifiers took the scan to fill their field of view."]
    notes = []
    if volume.spacing.bscan_mm is None and volume.shape[0] > 1:
        notes.append(
            "Distance between B-scans unknown: classifiers took them to fill their field of view."
        )
    limits = manifest.spacing_limits_mm or SpacingLimits(*[(0.0, float("inf"))] * 3)
    spacing = volume.spacing
    for what, found, (low, high) in (
        ("between B-scans", spacing.bscan_mm, limits.bscan),
        ("along the depth", spacing.depth_mm, limits.depth),
        ("along the width", spacing.width_mm, limits.width),
    ):
        if found is not None and not low <= found <= high:
            notes.append(
                f"The spacing {what} is {found * 1000:.4g} µm; this bundle was trained on "
                f"{low * 1000:.4g} to {high * 1000:.4g} µm."
            )
    return notes
