"""Occlusion test of one B-scan with a bundle, of whichever kind it is, for one of its scores."""

from __future__ import annotations

from dataclasses import replace

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.bundle_images import ImageBundle
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.explain.box_gray import tissue_band
from RetinaTriageLib.explain.lone_bscan import picture_of
from RetinaTriageLib.explain.occlusion_map import OcclusionMap, OcclusionMode
from RetinaTriageLib.explain.picture_occlusion import OcclusionPlan, occlusion_test
from RetinaTriageLib.explain.tissue_map_judge import FINEST, TissueMapJudge
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.judge_images import image_judge
from RetinaTriageLib.networks.patient import Patient
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.progress import OnProgress, ignore_progress
from RetinaTriageLib.volume import OCTVolume

SEPARATOR = "."  # between head and outcome in the name of a score


def occlude_bscan(
    bscan: OCTVolume,
    bundle: Bundle | ImageBundle,
    score: str,
    plan: OcclusionPlan | None = None,
    *,
    compute: Compute,
    patient: Patient | None = None,
    operating_point: OperatingPoint = OperatingPoint.BALANCED,
    tissue_only: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> OcclusionMap:
    """Drop of one score of a bundle wherever a box hides a part of a B-scan.

    A bundle of whole-image classifiers judges the B-scan as it is. One of tissue-map networks
    segments the B-scan, as a scan of its own, and judges the maps; its fast mode takes steps of 16
    pixels, straight lines between, and puts boxes only where they touch the retina.

    Parameters
    ----------
    bscan : line scan of 8 bit, see `lone_bscan`
    score : class of a whole-image classifier; otherwise an outcome, such as "urgent", or head and
        outcome, such as "referral.urgent"
    tissue_only : whether a whole-image classifier is tested only where boxes lie between tissue,
        see `tissue_band`; in the fast mode
    on_progress : what it raises ends the work

    Raises
    ------
    InputError
        If the bundle has no such score.
    """
    plan = plan or OcclusionPlan()
    if isinstance(bundle, ImageBundle):
        at = class_index(bundle.manifest.class_names, score)
        judge = image_judge(bundle, compute)
        picture = picture_of(bscan)
        band = tissue_band(picture, plan.box) if tissue_only else None
        return occlusion_test(picture, judge, at, plan, where=band, on_progress=on_progress)
    head, at = find_score(bundle.vocabulary.heads, score)
    through_maps = TissueMapJudge(
        bscan,
        bundle,
        head,
        compute=compute,
        patient=patient,
        operating_point=operating_point,
    )
    plan = replace(plan, batch=1, finest=max(plan.finest, FINEST))
    fast = plan.mode is OcclusionMode.FAST
    where = through_maps.retina(plan.box) if fast else None
    return occlusion_test(
        picture_of(bscan), through_maps, at, plan, where=where, on_progress=on_progress
    )


def class_index(names: tuple[str, ...], name: str) -> int:
    """Find the number of a class.

    Raises
    ------
    InputError
        If there is no such class.
    """
    if name not in names:
        msg = f"Found no class {name!r} in this bundle; expected one of {', '.join(names)}."
        raise InputError(msg)
    return names.index(name)


def find_score(heads: tuple[OutcomeHead, ...], score: str) -> tuple[OutcomeHead, int]:
    """Find the head of a score, and its number among the head's outcomes.

    Raises
    ------
    InputError
        If no head has such an outcome, or several have and none is named.
    """
    known = {
        f"{head.name}{SEPARATOR}{name}": (head, at)
        for head in heads
        for at, name in enumerate(head.names)
    }
    found = [name for name in known if score in (name, name.split(SEPARATOR, 1)[1])]
    if len(found) != 1:
        choices = ", ".join(found or known)
        msg = f"Found {len(found)} scores {score!r} in this bundle; expected one of {choices}."
        raise InputError(msg)
    return known[found[0]]
