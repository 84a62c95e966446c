"""A judge of single B-scans that goes through the tissue maps: segment, classify, decide.

The box hides a part of the B-scan before it is segmented, so a drop says what the whole pipeline
owes that place, and not what a classifier of gray pictures sees there. Classifiers of maps were
made for volumes, of which one B-scan is a thirtieth; so they see a volume all whose B-scans have
the tissue of this one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.bundle_networks import classifier_grid
from RetinaTriageLib.decision import decide
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.explain.local_maps import LocalMaps
from RetinaTriageLib.explain.lone_bscan import with_picture
from RetinaTriageLib.explain.occlusion_map import BoolArray, FloatArray, OcclusionBox
from RetinaTriageLib.hypotheses import Hypothesis
from RetinaTriageLib.inference.bscan_stream import bscan_stream
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.finish_maps import finish_of, finished_maps
from RetinaTriageLib.inference.judge import judge
from RetinaTriageLib.inference.scan_notes import branch_of
from RetinaTriageLib.inference.segment import GridPlan, Segmentation, segment
from RetinaTriageLib.networks.classifier_input import (
    RETINA_GROUPS,
    ClassifierInput,
    GridAccumulator,
    GridArray,
)
from RetinaTriageLib.networks.kinds import Segmenter
from RetinaTriageLib.networks.patient import UNKNOWN_PATIENT, Patient
from RetinaTriageLib.networks.segmentation import SegmentationNetwork
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.tissues import labels_of
from RetinaTriageLib.volume import LabelArray, OCTVolume

FINEST = 16
"""Steps in pixels that such a test ends with: a B-scan takes S networks and S x C opinions, about
1.5 s of a processor with the bundle that is shipped."""

Scores = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class TissueMapJudge:
    """Scores of one head for single B-scans, each standing for a volume of B-scans like it.

    Classifiers that judge several maps together are left out. Convolutional networks segment a
    changed picture again only around what changed, see `LocalMaps`.

    Parameters
    ----------
    bscan : line scan of 8 bit, see `lone_bscan`; pictures take the place of its voxels
    head : outcomes that are scored, the columns of what comes back

    Raises
    ------
    InputError
        If the bundle has no classifier of single maps.
    """

    def __init__(
        self,
        bscan: OCTVolume,
        bundle: Bundle,
        head: OutcomeHead,
        *,
        compute: Compute,
        patient: Patient | None = None,
        operating_point: OperatingPoint = OperatingPoint.BALANCED,
    ) -> None:
        manifest = bundle.manifest
        if not manifest.map_classifiers:
            msg = (
                f"Found no classifier of single maps in {manifest.name}; expected one or more. "
                "Choose another bundle."
            )
            raise InputError(msg)
        self._bscan, self._bundle, self._head = bscan, bundle, head
        self._patient, self._point = patient or UNKNOWN_PATIENT, operating_point
        self._streams = tuple(
            bscan_stream(network, branch_of(entry, bscan, None), bscan, compute)
            for entry, network in zip(
                manifest.segmenters, bundle.segmentation_networks(), strict=True
            )
        )
        self._classifiers = [
            (entry.name, network.to(compute.torch_device))
            for entry, network in zip(
                manifest.map_classifiers, bundle.classification_networks(), strict=True
            )
        ]
        source = ClassifierInput(manifest.classifier_input)
        self._plan = GridPlan(classifier_grid(manifest), bundle.vocabulary, source, seed=0)
        self._finish = finish_of(bundle, compute)
        self._local = self._local_maps(bundle.segmentation_networks())
        self._known: dict[bytes, Scores] = {}

    def __call__(self, pictures: FloatArray) -> Scores:
        """Re-weighted scores (N, outcome) of pictures (N, depth, width), 0 to 1."""
        return np.stack([self._scores(picture) for picture in pictures])

    def retina(self, box: OcclusionBox) -> BoolArray:
        """Centers of boxes that touch the retina as found, bool (depth, width); all without one."""
        from scipy import ndimage

        found = self._segmented(self._bscan)
        labels = labels_of(*RETINA_GROUPS, tissues=self._bundle.vocabulary.tissues)
        mask = np.isin(found.consensus[0], labels)
        if not mask.any():
            return ~mask
        touched = ndimage.maximum_filter(mask.astype(np.uint8), (box.depth, box.width))
        return np.asarray(touched, np.bool_)

    def _local_maps(self, networks: Sequence[Segmenter]) -> LocalMaps | None:
        """Make maps anew around a box only; None where they would not be the same."""
        convolutional = [n for n in networks if isinstance(n, SegmentationNetwork)]
        labels_alone = self._plan.source is ClassifierInput.MOST_LIKELY
        if not labels_alone or len(convolutional) < len(networks):
            return None
        configs = [network.config for network in convolutional]
        return LocalMaps(self._bscan, self._streams, configs)

    def _maps(self, picture: FloatArray) -> tuple[list[LabelArray], list[GridArray]]:
        """Tissue maps (1, depth, width), and their grids with every row as the B-scan's."""
        volume = with_picture(self._bscan, picture)
        if self._local is None:
            found = self._segmented(volume)
            return list(found.tissue_maps), [_all_rows(grid) for grid in found.grids]
        found_labels = [labels[np.newaxis] for labels in self._local.of(picture)]
        maps = finished_maps(self._finish, volume, self._local.scale, found_labels)
        grids = []
        for labels in maps:
            grid = GridAccumulator(
                labels.shape, self._bscan.spacing, self._plan.grid, self._plan.vocabulary.tissues
            )
            grid.add_labels(labels)
            grids.append(_all_rows(grid.finish()))
        return maps, grids

    def _segmented(self, bscan: OCTVolume) -> Segmentation:
        return segment(bscan, self._streams, self._plan, 1, lambda _done: None, finish=self._finish)

    def _scores(self, picture: FloatArray) -> Scores:
        maps, grids = self._maps(picture)
        key = hashlib.sha256(b"".join(labels.tobytes() for labels in maps)).digest()
        if key not in self._known:
            self._known[key] = self._judged(maps, grids)
        return self._known[key]

    def _judged(self, maps: Sequence[LabelArray], grids: Sequence[GridArray]) -> Scores:
        opinions = judge(grids, self._classifiers, self._patient, 1, lambda _done: None)
        hypotheses = tuple(
            Hypothesis(entry.name, tissue_map, own)
            for entry, tissue_map, own in zip(
                self._bundle.manifest.segmenters, maps, opinions, strict=True
            )
        )
        calibration = self._bundle.calibration_of(self._bscan.shape[0])
        verdict = decide(hypotheses, self._bundle.vocabulary, calibration, self._point)
        return np.asarray(verdict.scores[self._head.name], np.float64)


def _all_rows(grid: GridArray) -> GridArray:
    """Grid (class, B-scan, depth, width) whose rows are all that of a single B-scan."""
    middle = grid.shape[1] // 2
    return np.repeat(grid[:, middle : middle + 1], grid.shape[1], axis=1)
