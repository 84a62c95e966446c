"""A judge of single B-scans that goes through the tissue maps: segment, classify, decide.

The box hides a part of the B-scan before it is segmented, so a drop says what the whole pipeline
owes that place, and not what a classifier of gray pictures sees there.
"""

from __future__ import annotations

import numpy as np

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.bundle_networks import classifier_grid
from RetinaTriageLib.decision import decide
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.explain.lone_bscan import with_picture
from RetinaTriageLib.explain.occlusion_map import BoolArray, FloatArray, OcclusionBox
from RetinaTriageLib.hypotheses import Hypothesis
from RetinaTriageLib.inference.bscan_stream import bscan_stream
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.judge import judge
from RetinaTriageLib.inference.scan_notes import branch_of
from RetinaTriageLib.inference.segment import GridPlan, segment
from RetinaTriageLib.networks.classifier_input import RETINA_GROUPS, ClassifierInput
from RetinaTriageLib.networks.patient import UNKNOWN_PATIENT, Patient
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.tissues import labels_of
from RetinaTriageLib.volume import OCTVolume

FINEST = 16
"""Steps in pixels that such a test ends with: a B-scan takes S networks and S x C opinions, about
2 s of a processor with the bundle that is shipped."""


class TissueMapJudge:
    """Scores of one head for single B-scans, each a line scan of its own.

    Classifiers that judge several maps together are left out.

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

    def __call__(self, pictures: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Re-weighted scores (N, outcome) of pictures (N, depth, width), 0 to 1."""
        return np.stack([self._scores(picture) for picture in pictures])

    def retina(self, box: OcclusionBox) -> BoolArray:
        """Centers of boxes that touch the retina as found, bool (depth, width); all without one."""
        from scipy import ndimage

        found = segment(self._bscan, self._streams, self._plan, 1, lambda _done: None)
        labels = labels_of(*RETINA_GROUPS, tissues=self._bundle.vocabulary.tissues)
        mask = np.isin(found.consensus[0], labels)
        if not mask.any():
            return ~mask
        touched = ndimage.maximum_filter(mask.astype(np.uint8), (box.depth, box.width))
        return np.asarray(touched, np.bool_)

    def _scores(self, picture: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        volume = with_picture(self._bscan, picture)
        found = segment(volume, self._streams, self._plan, 1, lambda _done: None)
        opinions = judge(found.grids, self._classifiers, self._patient, 1, lambda _done: None)
        hypotheses = tuple(
            Hypothesis(entry.name, tissue_map, own)
            for entry, tissue_map, own in zip(
                self._bundle.manifest.segmenters, found.tissue_maps, opinions, strict=True
            )
        )
        verdict = decide(hypotheses, self._bundle.vocabulary, self._bundle.calibration, self._point)
        return np.asarray(verdict.scores[self._head.name], np.float64)
