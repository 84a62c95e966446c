"""Classes of pictures as the training loop sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from RetinaTriageLib.image_classes import Head
from RetinaTriageLib.networks.classification import HeadShape
from RetinaTriageLib.training.class_weights import UNIFORM, class_weights
from RetinaTriageLib.training.image_sets import LabeledImage, presence
from RetinaTriageLib.training.opinion_loss import AnswerTables, opinion_loss
from RetinaTriageLib.training.transfer_figures import COLUMNS, class_figures
from RetinaTriageLib.training.transfer_inputs import Inputs, Turn
from RetinaTriageLib.training.transfer_plan import Parts, TransferPlan

CLASS = "class"

Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClassBatch:
    """Inputs (turn, ...) and answers: the class (turn,), or 0 and 1 for each (turn, class)."""

    inputs: Tensor
    answers: Tensor


@dataclass(frozen=True)
class TransferTask:
    """Pictures to learn from and pictures held out; either pictures or features are shown."""

    plan: TransferPlan
    parts: Parts
    inputs: Inputs
    tables: AnswerTables

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the validation figures."""
        return COLUMNS if self.parts.held_out else ()

    def batch(self, number: int) -> ClassBatch:
        """Return the inputs of a batch; all pictures have their turn before any comes again."""
        turns = turns_of(number, self.plan.batch_size, len(self.parts.training), self.plan.seed)
        images = [self.parts.training[turn.image] for turn in turns]
        return ClassBatch(self.inputs.of_turns(turns), answers_of(images, self.plan.head))

    def loss(self, network: nn.Module, batch: ClassBatch) -> Tensor:
        """Cross-entropy of a batch."""
        device = torch.device(self.plan.device)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.plan.half_precision):
            scores = network(batch.inputs.to(device))
        return opinion_loss({CLASS: scores}, {CLASS: batch.answers.to(device)}, self.tables)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Figures on the pictures held out."""
        found = judged(network, self.inputs, self.parts.held_out, self.plan)
        return class_figures(found, presence(self.parts.held_out), self.plan.head)


@torch.inference_mode()
def judged(
    network: Callable[[Tensor], Tensor],
    inputs: Inputs,
    images: Sequence[LabeledImage],
    plan: TransferPlan,
) -> Probabilities:
    """Probabilities (image, class) of pictures as they are."""
    device = torch.device(plan.device)
    parts = []
    for shown in inputs.unchanged(images):
        with torch.autocast(device.type, torch.bfloat16, enabled=plan.half_precision):
            scores = network(shown.to(device)).double()
        found = scores.softmax(dim=1) if plan.head is Head.SOFTMAX else scores.sigmoid()
        parts.append(found.cpu().numpy())
    return np.concatenate(parts)


def answer_tables(plan: TransferPlan, training: Sequence[LabeledImage]) -> AnswerTables:
    """Tell what answers teach, with the weights of classes counted on what is learned from."""
    truth = presence(training)
    exclusive = plan.head is Head.SOFTMAX
    weights = {}
    if plan.class_weight_limits != UNIFORM:
        counts = truth.sum(axis=0)
        if exclusive:
            found = class_weights(counts, plan.class_weight_limits)
        else:
            rarity = np.sqrt((len(truth) - counts) / np.maximum(counts, 1))
            found = np.clip(rarity, *plan.class_weight_limits)
        weights[CLASS] = torch.tensor(found, dtype=torch.float32, device=plan.device)
    heads = (HeadShape(CLASS, truth.shape[1], exclusive),)
    return AnswerTables(heads, smoothing=plan.smoothing, class_weights=weights)


def answers_of(images: Sequence[LabeledImage], head: Head) -> Tensor:
    """Answers as `opinion_loss` takes them."""
    truth = torch.from_numpy(presence(images))
    return truth.int().argmax(dim=1) if head is Head.SOFTMAX else truth.long()


def turns_of(number: int, size: int, count: int, seed: int) -> list[Turn]:
    """Take the turns of a batch: every epoch takes all pictures in an order of its own.

    Examples
    --------
    >>> sorted(turn.image for turn in turns_of(0, 4, 4, seed=0))
    [0, 1, 2, 3]
    """
    places = [divmod(place, count) for place in range(number * size, (number + 1) * size)]
    orders = {
        epoch: np.random.default_rng((seed, epoch)).permutation(count)
        for epoch in {epoch for epoch, _ in places}
    }
    return [Turn(int(orders[epoch][position]), epoch) for epoch, position in places]
