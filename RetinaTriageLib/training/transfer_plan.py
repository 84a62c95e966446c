"""How a whole-image network is trained, and on which pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Evidence, Head
from RetinaTriageLib.networks.bscan import BscanNetwork
from RetinaTriageLib.training.attention import AttentionPlan
from RetinaTriageLib.training.image_augment import ImageAugmentation
from RetinaTriageLib.training.image_sets import LabeledImage
from RetinaTriageLib.training.optimization import OptimizationPlan
from RetinaTriageLib.training.patient_split import limited, require_no_leak, split_by_patient
from RetinaTriageLib.training.transfer_backbone import BackboneSource

ALL_STAGES = "all"

# Without weight decay the optimizer is plain Adam.
OPTIMIZATION = OptimizationPlan(
    iterations=600,
    learning_rate=1e-3,
    warm_up_iterations=20,
    weight_decay=0.0,
    average_decay=0.98,
    validate_iterations=25,
)


@dataclass(frozen=True)
class TransferPlan:
    """How a whole-image network is trained.

    Attributes
    ----------
    size : (depth, width) that pictures are resampled to
    unfreeze_from : first stage of the backbone that learns, "all", or None for a frozen backbone
    copies : versions of each picture whose features are cached for a frozen backbone; the first is
        the picture as it is, the others are changed
    smoothing : label smoothing
    class_weight_limits : weights of frequent and of rare classes end here; 1 and 1 weighs them
        alike
    half_precision : compute in bfloat16 where it is safe
    evidence : what scores rest on: the whole picture, or the places that speak most for a class
    attention : how attention over the B-scans of a volume is trained at the end; None without
    """

    source: BackboneSource = field(default_factory=BackboneSource)
    head: Head = Head.SOFTMAX
    size: tuple[int, int] = (224, 224)
    unfreeze_from: str | None = None
    optimization: OptimizationPlan = OPTIMIZATION
    augmentation: ImageAugmentation = field(default_factory=ImageAugmentation)
    copies: int = 4
    batch_size: int = 16
    smoothing: float = 0.02
    class_weight_limits: tuple[float, float] = (0.5, 6.0)
    seed: int = 0
    half_precision: bool = True
    device: str = "cpu"
    evidence: Evidence = Evidence.PICTURE
    attention: AttentionPlan | None = None

    @property
    def frozen(self) -> bool:
        """Whether the head alone learns."""
        return self.unfreeze_from is None


@dataclass(frozen=True)
class Parts:
    """Pictures to learn from, to choose the best weights by, and to measure with; patients apart.

    Without pictures held out the weights of the end of the run are taken.
    """

    training: tuple[LabeledImage, ...]
    held_out: tuple[LabeledImage, ...] = ()
    test: tuple[LabeledImage, ...] = ()

    def require_sound(self, digests: Mapping[str, str]) -> None:
        """Refuse a patient or a picture in two parts; ``digests`` as `require_no_leak`."""
        named = {"training": self.training, "held out": self.held_out, "test": self.test}
        require_no_leak(named, digests)


@dataclass(frozen=True)
class Splitting:
    """How pictures are parted, always by patient.

    Attributes
    ----------
    held_out_share : share of the pictures that is not learned from and chooses the best weights
    test_share : share that neither is learned from nor chooses; 0 measures nothing
    images_per_class : learn from so many pictures of each class only; None learns from all
    """

    held_out_share: float = 0.15
    test_share: float = 0.0
    images_per_class: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse shares that leave nothing to learn from."""
        shares = (self.held_out_share, self.test_share)
        if min(shares) < 0 or sum(shares) >= 1:
            msg = f"Found shares {shares} held out and for the test; expected less than 1 in all."
            raise InputError(msg)


def single_split(images: Sequence[LabeledImage], how: Splitting) -> Parts:
    """Training, held-out and test pictures."""
    if how.test_share == 0:
        return with_held_out(images, (), how)
    rest, test = split_by_patient(images, (1 - how.test_share, how.test_share), how.seed)
    return with_held_out(rest, test, how)


def fold_splits(images: Sequence[LabeledImage], folds: int, how: Splitting) -> tuple[Parts, ...]:
    """Folds of a cross-validation: each is the test pictures once, the others are learned from."""
    if folds < 2:
        msg = f"Found {folds} folds; expected two or more."
        raise InputError(msg)
    tests = split_by_patient(images, (1 / folds,) * folds, how.seed)
    splits = []
    for number, test in enumerate(tests):
        rest = [image for other in (*tests[:number], *tests[number + 1 :]) for image in other]
        splits.append(with_held_out(rest, test, how))
    return tuple(splits)


def with_held_out(
    images: Sequence[LabeledImage], test: Sequence[LabeledImage], how: Splitting
) -> Parts:
    """Part what is not for the test; limited data are drawn from what is learned from."""
    training: tuple[LabeledImage, ...] = tuple(images)
    held_out: tuple[LabeledImage, ...] = ()
    if how.held_out_share:
        share = how.held_out_share / (1 - how.test_share)
        training, held_out = split_by_patient(images, (1 - share, share), how.seed + 1)
    if how.images_per_class is not None:
        training = limited(training, how.images_per_class, how.seed)
    return Parts(training, held_out, tuple(test))


def learned_stages(network: BscanNetwork, unfreeze_from: str | None) -> int:
    """Count the stages of a backbone that learn, the deepest ones.

    Raises
    ------
    InputError
        If the backbone has no stage of that name.
    """
    names = [name for name, _ in network.stages()]
    if unfreeze_from is None:
        return 0
    if unfreeze_from == ALL_STAGES:
        return len(names)
    if unfreeze_from not in names:
        msg = (
            f"Found no stage {unfreeze_from!r} to unfreeze from; the backbone "
            f"{network.config.backbone} has {', '.join(names)}, from the picture inward. Choose "
            f"one of them, or {ALL_STAGES!r}."
        )
        raise InputError(msg)
    return len(names) - names.index(unfreeze_from)
