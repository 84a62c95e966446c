"""Lesions of B-scans that nobody marked, as a bundle's tissue maps find them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.bundle_networks import classifier_grid
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.explain.occlusion_map import BoolArray
from RetinaTriageLib.inference.bscan_stream import bscan_stream
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.finish_maps import finish_of
from RetinaTriageLib.inference.scan_notes import branch_of
from RetinaTriageLib.inference.segment import GridPlan, segment
from RetinaTriageLib.networks.classifier_input import ClassifierInput
from RetinaTriageLib.volume import OCTVolume


def map_marks(
    bundle: Bundle, tissues: Sequence[str], compute: Compute
) -> Callable[[OCTVolume], BoolArray]:
    """Make a function of a line scan to where the consensus has some tissues, (depth, width).

    No grader looked: a hit on such marks says that two systems agree, not that both are right.

    Raises
    ------
    InputError
        If the bundle knows no such tissue.
    """
    labels = {tissue.name: tissue.label for tissue in bundle.vocabulary.tissues}
    strange = [name for name in tissues if name not in labels]
    if strange or not tissues:
        msg = (
            f"Found tissues {', '.join(strange) or 'none'} to mark; expected some of "
            f"{', '.join(labels)}."
        )
        raise InputError(msg)
    networks, finish = bundle.segmentation_networks(), finish_of(bundle, compute)
    plan = GridPlan(
        classifier_grid(bundle.manifest),
        bundle.vocabulary,
        ClassifierInput(bundle.manifest.classifier_input),
        seed=0,
    )

    def marks(bscan: OCTVolume) -> BoolArray:
        streams = tuple(
            bscan_stream(network, branch_of(entry, bscan, None), bscan, compute)
            for entry, network in zip(bundle.manifest.segmenters, networks, strict=True)
        )
        found = segment(bscan, streams, plan, 1, lambda _done: None, finish=finish).consensus[0]
        return np.isin(found, [labels[name] for name in tissues])

    return marks
