"""Segmentation of a volume by several networks in one pass over its B-scans.

Networks take turns on a slab of B-scans. Of its probabilities only what is asked for is kept:
labels, the consensus and the small grids that classifiers see. Maps are finished last, see
`inference.finish_maps`, as whole ones are needed for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from RetinaTriageLib.inference.bscan_stream import BscanStream
from RetinaTriageLib.inference.finish_maps import UNFINISHED, MapFinish, finished_maps
from RetinaTriageLib.inference.label_volume import LabelVolume
from RetinaTriageLib.networks.classifier_input import (
    ClassifierGrid,
    ClassifierInput,
    GridAccumulator,
    GridArray,
    sample_labels,
)
from RetinaTriageLib.networks.gray import normalize, tissue_scale
from RetinaTriageLib.result import Vocabulary
from RetinaTriageLib.volume import LabelArray, OCTVolume

PROCESSOR = torch.device("cpu")


@dataclass(frozen=True)
class GridPlan:
    """How the grids of the classifiers are made from probabilities.

    Attributes
    ----------
    aligned : whether the grids are wanted a second time, all cut out at one depth
    """

    grid: ClassifierGrid
    vocabulary: Vocabulary
    source: ClassifierInput
    seed: int
    aligned: bool = False


@dataclass(frozen=True)
class Segmentation:
    """Tissue maps of S networks and their consensus, uint8 arrays (B-scan, depth, width).

    Attributes
    ----------
    grids : S float32 arrays (class, B-scan, depth, width), what classifiers of single maps see
    aligned_grids : the same, cut out at one depth for those that compare maps; or none at all
    """

    tissue_maps: tuple[LabelArray, ...]
    consensus: LabelArray
    grids: tuple[GridArray, ...]
    aligned_grids: tuple[GridArray, ...] = ()


@torch.inference_mode()
def segment(
    volume: OCTVolume,
    streams: tuple[BscanStream, ...],
    plan: GridPlan,
    slab_bscans: int,
    on_bscan: Callable[[int], None],
    device: torch.device = PROCESSOR,
    finish: MapFinish = UNFINISHED,
) -> Segmentation:
    """Tissue maps, consensus and classifier grids of one volume.

    On a device, probabilities stay there: labels are copied while it goes on, and cells of the
    grids are summed up there.

    Parameters
    ----------
    slab_bscans : how many B-scans a network takes at a time; the result does not depend on it
    on_bscan : told how many B-scans have gone through a network, up to S x B-scans; what it raises
        ends the work
    device : where the streams compute
    finish : what goes over the whole maps. Grids of probabilities, or of classes drawn from them,
        are always the networks' own
    """
    bscans = volume.shape[0]
    scale = tissue_scale(volume.voxels)
    consensus = None  # of one network it is its map
    if len(streams) > 1:
        consensus = _Consensus(LabelVolume(volume.shape, device), len(streams))
    outputs = [
        _NetworkOutput(volume, plan, number, device, finished=finish.changes)
        for number in range(len(streams))
    ]
    for stream in streams:
        stream.begin()
    slabs = [volume.voxels[first : first + slab_bscans] for first in range(0, bscans, slab_bscans)]
    done = 0
    # The end comes by itself: with the last slab, networks would answer for two slabs at once.
    for slab in (*slabs, None):
        gray = None if slab is None else _on_device(normalize(slab, scale), device)
        for number, (stream, output) in enumerate(zip(streams, outputs, strict=True)):
            # (B-scan, class, depth, width); some segmenters answer from the processor.
            scores = stream.push(gray, last=gray is None).to(device)
            # Along the memory of `StreamedNetwork`, where depth comes before class.
            probabilities = scores.transpose(1, 2).softmax(dim=2).transpose(1, 2)
            at = output.done
            output.add(probabilities)
            if consensus is not None:
                consensus.add(number, at, probabilities)
            for _ in range(0 if slab is None else len(slab)):
                done += 1
                on_bscan(done)
    maps = finished_maps(
        finish,
        volume,
        scale,
        [output.tissue_map.finish() for output in outputs],
        None if consensus is None else consensus.labels.finish(),
    )
    for output, tissue_map in zip(outputs, maps, strict=False):
        output.show(tissue_map)
    return Segmentation(
        tuple(maps[: len(outputs)]),
        maps[-1].copy() if consensus is None else maps[-1],
        tuple(output.grids.finish() for output in outputs),
        _aligned([output.grids for output in outputs]) if plan.aligned else (),
    )


def most_likely(probabilities: Tensor) -> Tensor:
    """Class of the highest probability, the lowest one of equals, as uint8 tensor.

    A float of 0 or more orders as its bits do, so the class takes the place of the lowest bits and
    one maximum finds both: a fifth of the time of comparing and of filling (torch 2.13, CPU).
    Probabilities that differ by less than two millionths of themselves count as equal. A GPU
    compares in one pass, where every step of this would be one.

    Parameters
    ----------
    probabilities : float32 tensor (B-scan, class, depth, width), nowhere negative
    """
    if probabilities.device.type != "cpu":
        return probabilities.argmax(dim=1).to(torch.uint8)
    classes = probabilities.shape[1]
    mask = (1 << (classes - 1).bit_length()) - 1
    bits = probabilities.float().view(torch.int32)
    highest = (bits[:, 0] & ~mask).bitwise_or_(mask)
    for label in range(1, classes):
        values = (bits[:, label] & ~mask).bitwise_or_(mask - label)
        torch.maximum(highest, values, out=highest)
    return highest.bitwise_and_(mask).neg_().add_(mask).to(torch.uint8)


def _aligned(grids: list[GridAccumulator]) -> tuple[GridArray, ...]:
    """Grids around the median of their own depths, so that a cell is one place in all of them."""
    center = round(float(np.median([grid.retina_center() for grid in grids])))
    return tuple(grid.finish(center) for grid in grids)


def _on_device(gray: npt.NDArray[np.float32], device: torch.device) -> Tensor:
    """Gray values as a tensor; they travel to a GPU while it computes."""
    tensor = torch.from_numpy(gray)
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


class _NetworkOutput:
    """What is kept of one network, filled in the order of the B-scans."""

    def __init__(
        self,
        volume: OCTVolume,
        plan: GridPlan,
        number: int,
        device: torch.device,
        *,
        finished: bool,
    ) -> None:
        self.tissue_map = LabelVolume(volume.shape, device)
        self.grids = GridAccumulator(
            volume.shape, volume.spacing, plan.grid, plan.vocabulary.tissues
        )
        self.done = 0
        self._source = plan.source
        self._grids_last = finished and plan.source is ClassifierInput.MOST_LIKELY
        # A network's draws are its own: one stream of random numbers would tie them together.
        self._seed = int(np.random.SeedSequence((plan.seed, number)).generate_state(1)[0])

    def add(self, probabilities: Tensor) -> None:
        labels = most_likely(probabilities)
        self.tissue_map.put(self.done, labels)
        if self._source is ClassifierInput.PROBABILITIES:
            self.grids.add_probabilities(probabilities)
        elif self._source is ClassifierInput.SAMPLED:
            self.grids.add_labels(sample_labels(probabilities, self.done, self._seed))
        elif self._grids_last:
            pass
        elif labels.device.type == "cpu":
            self.grids.add_labels(labels.numpy())  # twice as fast there as by tensors
        else:
            self.grids.add_label_tensor(labels)
        self.done += len(labels)

    def show(self, finished: LabelArray) -> None:
        """Let the grids show the finished map, unless they show probabilities."""
        if self._grids_last:
            self.grids.add_labels(finished)


class _Consensus:
    """Class of the highest mean probability; sums up networks in their order, a B-scan at a time.

    Networks of unequal context answer for a B-scan at different times. The order of a sum of
    floats must not depend on that, or it would depend on the slab.
    """

    def __init__(self, labels: LabelVolume, networks: int) -> None:
        self.labels = labels
        self._networks = networks
        self._sums: dict[int, Tensor] = {}
        self._counts: dict[int, int] = {}
        self._early: dict[tuple[int, int], Tensor] = {}

    def add(self, network: int, first: int, probabilities: Tensor) -> None:
        """Take the probabilities of a network, which then belong to the sums."""
        for bscan, values in enumerate(probabilities, first):
            self._early[bscan, network] = values
            self._settle(bscan)

    def _settle(self, bscan: int) -> None:
        count = self._counts.get(bscan, 0)
        while (bscan, count) in self._early:
            values = self._early.pop((bscan, count))
            self._sums[bscan] = self._sums[bscan].add_(values) if count else values
            count += 1
        self._counts[bscan] = count
        if count == self._networks:
            self.labels.put(bscan, most_likely(self._sums.pop(bscan)[None]))
