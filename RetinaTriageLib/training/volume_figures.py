"""Figures of volumes that were judged by their B-scans: attention beside the maximum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from RetinaTriageLib.bundle_manifest import Measured
from RetinaTriageLib.image_classes import Head
from RetinaTriageLib.networks.bscan import BscanNetwork
from RetinaTriageLib.training.attention import pooled, volumes_of
from RetinaTriageLib.training.image_sets import LabeledImage
from RetinaTriageLib.training.image_store import ImageStore
from RetinaTriageLib.training.transfer_figures import class_figures
from RetinaTriageLib.training.transfer_plan import TransferPlan


@torch.inference_mode()
def volume_figures(
    networks: Sequence[BscanNetwork], images: Sequence[LabeledImage], plan: TransferPlan
) -> tuple[Measured, ...]:
    """AUC of volumes by attention and by the maximum; none without pictures that were kept apart.

    Raises
    ------
    InputError
        If a picture names no volume.
    """
    if plan.attention is None or not images:
        return ()
    absent, store = plan.attention.absent, ImageStore(plan.size)
    weighted, highest = [], []
    for network in networks:
        volumes = volumes_of(network, images, store, absent, plan.device)
        nothing = torch.tensor([name in absent for name in network.config.classes])
        parts = [volumes.scores[own].cpu() for own in volumes.members]
        maxima = [torch.where(nothing, one.amin(dim=0), one.amax(dim=0)) for one in parts]
        highest.append(torch.stack(maxima).numpy())
        weighted.append(pooled(network, volumes).cpu().numpy())
    data = f"{len(volumes.members)} volumes of {len(images)} B-scans kept apart"
    ways = {"attention": weighted, "maximum": highest}
    aucs = {
        how: class_figures(np.mean(found, axis=0), volumes.truth, Head.BINARY)["auc"]
        for how, found in ways.items()
    }
    return tuple(
        Measured(f"AUC of volumes, {how}, mean over the classes", round(auc, 4), data)
        for how, auc in aucs.items()
        if not np.isnan(auc)
    )
