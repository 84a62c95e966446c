"""The ensemble of a bundle on one volume: S tissue maps, S x C opinions and a consensus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.bundle_networks import classifier_grid
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.hypotheses import Opinion
from RetinaTriageLib.inference.bscan_stream import bscan_stream
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.finish_maps import finish_of
from RetinaTriageLib.inference.judge import judge, judge_jointly
from RetinaTriageLib.inference.memory import in_chunks_that_fit
from RetinaTriageLib.inference.scan_notes import branch_of, scan_notes
from RetinaTriageLib.inference.segment import GridPlan, Segmentation, segment
from RetinaTriageLib.inference.slab import PROCESSOR_BSCANS, suiting_slab
from RetinaTriageLib.networks.classifier_input import (
    ClassifierInput,
    GridArray,
    grid_from_labels,
)
from RetinaTriageLib.networks.kinds import MapClassifier
from RetinaTriageLib.networks.patient import UNKNOWN_PATIENT, Patient
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.volume import LabelArray, OCTVolume, VoxelSpacing

SEGMENT, CLASSIFY = "segment", "classify"
"""Stages that progress is reported in."""


@dataclass(frozen=True)
class EnsembleOutput:
    """What S segmenters and C classifiers of single maps say about one volume.

    Attributes
    ----------
    tissue_maps : S uint8 arrays (B-scan, depth, width), in the order of the manifest
    consensus : uint8 array (B-scan, depth, width), class of the highest mean probability
    opinions : S tuples of C opinions
    compute : where it ran, for people
    notes : sentences that have to travel with the result: what was assumed, what went wrong
    joint_opinions : of classifiers that judge all S maps together, one each
    """

    tissue_maps: tuple[LabelArray, ...]
    consensus: LabelArray
    opinions: tuple[tuple[Opinion, ...], ...]
    compute: str
    notes: tuple[str, ...]
    joint_opinions: tuple[Opinion, ...] = ()


def run_ensemble(
    volume: OCTVolume,
    bundle: Bundle,
    *,
    compute: Compute,
    slab_bscans: int | None = None,
    classifier_input: ClassifierInput | None = None,
    seed: int = 0,
    patient: Patient | None = None,
    scanner: str | None = None,
    on_progress: OnProgress = ignore_progress,
) -> EnsembleOutput:
    """Segment a volume with every segmenter of a bundle and judge each map with every classifier.

    Parameters
    ----------
    slab_bscans : B-scans at a time; a matter of memory and speed, not of the result. None for what
        suits the device, see `suiting_slab`
    classifier_input : what classifiers see; None for what the bundle was made for
    seed : of the draws of `ClassifierInput.SAMPLED`; nothing else is random
    scanner : name of a scanner as the bundle lists it, whose branch is taken; None goes by the
        volume's device
    on_progress : stage "segment" counts B-scans x S, stage "classify" opinions

    Raises
    ------
    DeviceError
        If memory does not suffice for a single B-scan.
    InputError
        If the slab is smaller than one B-scan, or the bundle lists no such scanner.
    GeometryError
        If a segmenter measures lengths and the spacing is unknown.
    """
    slab = suiting_slab(compute, volume.shape) if slab_bscans is None else slab_bscans
    if slab < 1:
        msg = f"Found a slab of {slab} B-scans; expected at least 1, such as {PROCESSOR_BSCANS}."
        raise InputError(msg)
    made_for = ClassifierInput(bundle.manifest.classifier_input)
    source = classifier_input or made_for
    notes = scan_notes(volume, bundle.manifest, scanner)
    if source is not made_for:
        notes.append(
            f"Classifiers saw the {source.value} tissue map; this bundle was made for the "
            f"{made_for.value} one."
        )
    with _threads(compute.threads):
        segmentation = _segment(
            volume,
            bundle,
            compute,
            GridPlan(
                classifier_grid(bundle.manifest),
                bundle.vocabulary,
                source,
                seed,
                aligned=bool(bundle.manifest.joint_classifiers),
            ),
            slab,
            scanner,
            _Reporter(
                SEGMENT, volume.shape[0] * len(bundle.manifest.segmenters), notes, on_progress
            ),
        )
        opinions, joint_opinions = _judge(
            segmentation, bundle, compute, patient or UNKNOWN_PATIENT, notes, on_progress
        )
    return EnsembleOutput(
        segmentation.tissue_maps,
        segmentation.consensus,
        opinions,
        compute.description,
        tuple(notes),
        joint_opinions,
    )


def judge_map(
    tissue_map: LabelArray,
    volume: OCTVolume,
    bundle: Bundle,
    *,
    compute: Compute,
    patient: Patient | None = None,
) -> tuple[Opinion, ...]:
    """Opinions of a bundle's classifiers of single maps on one map, such as one edited by hand.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    volume : the volume that the map belongs to; its spacing is used, its voxels are not

    Raises
    ------
    InputError
        If the map has another shape than the volume, or labels that the bundle does not know.
    """
    if tissue_map.shape != volume.shape:
        msg = (
            f"Found a tissue map of shape {tissue_map.shape}; expected {volume.shape}, that of "
            f"{volume.name}. Choose the map that was made from this volume."
        )
        raise InputError(msg)
    return judge_labels(tissue_map, volume.spacing, bundle, compute=compute, patient=patient)


def judge_labels(
    tissue_map: LabelArray,
    spacing: VoxelSpacing | None,
    bundle: Bundle,
    *,
    compute: Compute,
    patient: Patient | None = None,
) -> tuple[Opinion, ...]:
    """Opinions of a bundle's classifiers of single maps on a map whose volume is not at hand.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    spacing : of the volume that the map belongs to; None where it is not known

    Raises
    ------
    InputError
        If the map has labels that the bundle does not know.
    """
    grid = grid_from_labels(
        tissue_map, spacing, classifier_grid(bundle.manifest), bundle.vocabulary.tissues
    )
    return judge_grids([grid], bundle, compute=compute, patient=patient)[0]


def judge_grids(
    grids: Sequence[GridArray],
    bundle: Bundle,
    *,
    compute: Compute,
    patient: Patient | None = None,
    batch: int = 1,
) -> tuple[tuple[Opinion, ...], ...]:
    """Opinions of a bundle's classifiers of single maps on maps that are on its grid already.

    Parameters
    ----------
    grids : float32 arrays (class, B-scan, depth, width), see `GridAccumulator`
    batch : how many maps a network takes at a time
    """
    with _threads(compute.threads):
        networks = _classifiers(bundle, compute)
        return judge(grids, networks, patient or UNKNOWN_PATIENT, batch, lambda _done: None)


class _Reporter:
    """Progress of one stage; what is said aloud becomes a note as well."""

    def __init__(self, stage: str, total: int, notes: list[str], on_progress: OnProgress) -> None:
        self._stage, self._total = stage, total
        self._notes, self._on_progress = notes, on_progress

    def count(self, done: int) -> None:
        self._on_progress(Progress(self._stage, done, self._total))

    def say(self, message: str) -> None:
        self._notes.append(message)
        self._on_progress(Progress(self._stage, 0, self._total, message))


def _segment(
    volume: OCTVolume,
    bundle: Bundle,
    compute: Compute,
    plan: GridPlan,
    slab_bscans: int,
    scanner: str | None,
    reporter: _Reporter,
) -> Segmentation:
    streams = tuple(
        bscan_stream(network, branch_of(entry, volume, scanner), volume, compute)
        for entry, network in zip(
            bundle.manifest.segmenters, bundle.segmentation_networks(), strict=True
        )
    )
    finish = finish_of(bundle, compute)
    device = compute.torch_device
    return in_chunks_that_fit(
        lambda slab: segment(volume, streams, plan, slab, reporter.count, device, finish),
        slab_bscans,
        "B-scans",
        reporter.say,
    )


def _judge(
    segmentation: Segmentation,
    bundle: Bundle,
    compute: Compute,
    patient: Patient,
    notes: list[str],
    on_progress: OnProgress,
) -> tuple[tuple[tuple[Opinion, ...], ...], tuple[Opinion, ...]]:
    """S x C opinions on single maps, then those on all maps together."""
    networks = _classifiers(bundle, compute)
    joint = [
        (entry.name, network.to(compute.torch_device))
        for entry, network in zip(
            bundle.manifest.joint_classifiers, bundle.joint_networks(), strict=True
        )
    ]
    maps = len(segmentation.grids)
    single = maps * len(networks)
    reporter = _Reporter(CLASSIFY, single + len(joint), notes, on_progress)
    opinions = in_chunks_that_fit(
        lambda batch: judge(segmentation.grids, networks, patient, batch, reporter.count),
        maps,
        "tissue maps",
        reporter.say,
    )
    joint_opinions = in_chunks_that_fit(
        lambda _: judge_jointly(
            segmentation.aligned_grids, joint, patient, lambda done: reporter.count(single + done)
        ),
        1,
        "scans",
        reporter.say,
    )
    return opinions, joint_opinions


def _classifiers(bundle: Bundle, compute: Compute) -> list[tuple[str, MapClassifier]]:
    return [
        (entry.name, network.to(compute.torch_device))
        for entry, network in zip(
            bundle.manifest.map_classifiers, bundle.classification_networks(), strict=True
        )
    ]


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
