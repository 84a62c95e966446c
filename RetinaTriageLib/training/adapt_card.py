"""What an adapted bundle says about itself: in its manifest and in its model card."""

from __future__ import annotations

from dataclasses import dataclass, replace

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.bundle_manifest import Manifest
from RetinaTriageLib.volume import DeviceFamily

NAME_LENGTH = 64  # of a bundle, by its schema


@dataclass(frozen=True)
class AdaptationFacts:
    """What was done.

    Attributes
    ----------
    start : branch that the new one started as a copy of
    networks : names of the segmentation networks that got the branch
    data : what was learned from, such as "48 labeled B-scans in 16 files of set_a"
    """

    scanner: str
    start: str
    family: DeviceFamily | None
    networks: tuple[str, ...]
    data: str
    iterations: int
    phantoms: bool

    @property
    def kind(self) -> str:
        """What the labeled B-scans are, for people."""
        return "phantoms" if self.phantoms else "scans"


def adapted_manifest(manifest: Manifest, facts: AdaptationFacts) -> Manifest:
    """Manifest with the adaptation in its name and in what its scores are shown beside."""
    sentence = f"Branch {facts.scanner} of the segmenters: trained on {facts.data} ({facts.kind})."
    return replace(
        manifest,
        name=f"{manifest.name}-{facts.scanner}"[:NAME_LENGTH],
        trained_on=f"{manifest.trained_on} {sentence}",
        trained_on_phantoms_only=manifest.trained_on_phantoms_only and facts.phantoms,
    )


def adapted_card(bundle: Bundle, facts: AdaptationFacts) -> str:
    """Model card of the source with a paragraph on what was adapted, and on what."""
    source = f"{bundle.manifest.name} {bundle.manifest.version}"
    chosen = f"`run --scanner {facts.scanner}` chooses it"
    if facts.family is not None:
        chosen += f", and every scan of the family {facts.family.value} takes it of itself"
    paragraph = (
        f"## Adapted to {facts.scanner}\n\n"
        f"This is the bundle {source} (SHA-256 of its bundle.json {bundle.sha256}) with one more "
        f"scanner adaptation branch, {facts.scanner}, in {', '.join(facts.networks)}; {chosen}. "
        f"The branch started as a copy of {facts.start} and was trained for up to "
        f"{facts.iterations} iterations on {facts.data} ({facts.kind}). The common block of each "
        "segmenter, its other branches, all classifiers and the calibration are those of the "
        "source, bit by bit. Results above were measured without the new branch and say nothing "
        f"about scans of {facts.scanner}.\n"
    )
    return f"{bundle.model_card.rstrip()}\n\n{paragraph}"
