"""What a whole-image classifier of transfer learning says about itself: manifest, model card."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from RetinaTriageLib.bundle_image_manifest import ImageManifest
from RetinaTriageLib.bundle_manifest import Measured
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Evidence, ImageClass
from RetinaTriageLib.networks.bscan import OWN
from RetinaTriageLib.training.image_sets import ImageSet, presence
from RetinaTriageLib.training.transfer_backbone import HUB, RANDOM
from RetinaTriageLib.training.transfer_figures import class_figures
from RetinaTriageLib.training.transfer_job import Scored, TransferJob, patients_of

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")  # of a bundle or a class, by their schema
EVIDENCE = {
    Evidence.PICTURE: "the whole picture",
    Evidence.PLACES: "the places that speak most for a class",
}
TITLES = {"auc": "AUC, mean over the classes", "accuracy": "balanced accuracy"}


@dataclass(frozen=True)
class ClassifierFacts:
    """What only its maker knows about a classifier.

    Attributes
    ----------
    images, license : sentences, such as "Macular OCT B-scans, Spectralis."
    """

    name: str
    version: str
    license: str
    images: str
    classes: tuple[ImageClass, ...]


def require_names(name: str, classes: Sequence[str]) -> None:
    """Refuse names that a bundle cannot have, before anything is trained.

    Raises
    ------
    InputError
        If there is one.
    """
    for found in (name, *classes):
        if NAME.fullmatch(found) is None:
            msg = (
                f"Found the name {found!r}; expected letters, digits, '.', '_' and '-' alone, as "
                "bundles name their classes. Rename the class folder, the class, or the bundle."
            )
            raise InputError(msg)


def transfer_manifest(
    facts: ClassifierFacts, pictures: ImageSet, job: TransferJob, scored: Scored
) -> ImageManifest:
    """Manifest without networks, with what was measured."""
    counts = f"{len(pictures.images)} pictures of {patients_of(pictures.images)} patients"
    return ImageManifest(
        name=facts.name,
        version=facts.version,
        license=facts.license,
        description=f"Whole-image classifier by transfer learning; {_backbone(job)}.",
        images=facts.images,
        trained_on=f"Trained on {counts} with image-level labels{_parted(job)}; {_backbone(job)}.",
        trained_on_phantoms_only=False,
        classes=facts.classes,
        head=job.plan.head,
        size=job.plan.size,
        measured=_measured(scored, job),
    )


def _measured(scored: Scored, job: TransferJob) -> tuple[Measured, ...]:
    """Figures of the pictures that were kept apart; none where none were."""
    if not scored.images:
        return ()
    figures = class_figures(scored.probabilities, presence(scored.images), job.plan.head)
    return tuple(
        Measured(title, round(figures[key], 4), scored.how) for key, title in TITLES.items()
    )


def transfer_card(manifest: ImageManifest, pictures: ImageSet, job: TransferJob) -> str:
    """Model card in Markdown."""
    counts = pictures.truth.sum(axis=0)
    rows = "\n".join(
        f"| {found.name} | {count} | {found.referral or 'none stated'} |"
        for found, count in zip(manifest.classes, counts, strict=True)
    )
    measured = "\n".join(f"- {m.name}: {m.value} ({m.data})" for m in manifest.measured)
    measured = measured or "Nothing: every picture was learned from."
    changes, plan = job.plan.augmentation, job.plan
    depth, width = plan.size
    return (
        f"# {manifest.name} {manifest.version}\n\n{manifest.description}\n\n"
        "Research use only. Not a medical device.\n\n"
        f"## Images\n\n{manifest.images} Resampled to {width} × {depth} pixels. "
        "Other devices, populations or ways of export were not tried.\n\n"
        f"## Classes\n\n| Class | Pictures | Referral |\n|---|---|---|\n{rows}\n\n"
        f"Head: {plan.head.value}; scores rest on {EVIDENCE[plan.evidence]}.\n\n"
        f"## Training\n\n{manifest.trained_on} {_learning(job)} "
        f"Pictures were changed by rotation up to {changes.rotation_degrees:g} degrees, crops of "
        f"up to {changes.crop:.0%} of a side, stretch up to {changes.stretch:.0%}, brightness "
        f"±{changes.brightness:g}, contrast ±{changes.contrast:.0%}; mirrored left to right with "
        f"chance {changes.flip_width_chance:g}, upside down {changes.flip_depth_chance:g}. "
        f"Seed {plan.seed}, {job.members} network(s).\n\n"
        f"## Measured\n\n{measured}\n\nPatients were never parted.\n\n"
        f"## License\n\n{manifest.license}\n"
    )


def _backbone(job: TransferJob) -> str:
    source = job.plan.source
    words = {RANDOM: "random first weights", HUB: "weights of timm's hub"}
    weights = words.get(source.weights, f"weights of {Path(source.weights).name}")
    own = source.backbone in OWN
    named = f"RetinaTriage's segmentation {source.backbone}" if own else source.backbone
    return f"backbone {named}, {weights}"


def _parted(job: TransferJob) -> str:
    how = job.splitting
    uses = []
    if how.held_out_share:
        uses.append(f"{how.held_out_share:.0%} of them to choose the best weights by")
    if how.test_share:
        uses.append(f"{how.test_share:.0%} to measure with")
    if how.images_per_class is not None:
        uses.append(f"at most {how.images_per_class} a class to learn from")
    return f" ({', '.join(uses)})" if uses else ""


def _learning(job: TransferJob) -> str:
    plan = job.plan
    if plan.frozen:
        what = f"The backbone was frozen; a linear head learned from {plan.copies} copies a picture"
    else:
        what = f"Head and backbone learned, the backbone from stage {plan.unfreeze_from}"
    return f"{what}: Adam, {plan.optimization.iterations} iterations of {plan.batch_size} pictures."
