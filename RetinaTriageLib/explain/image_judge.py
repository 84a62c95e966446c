"""A judge of pictures made of a bundle of whole-image classifiers, its networks built once."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation

from RetinaTriageLib.bundle_images import ImageBundle
from RetinaTriageLib.explain.occlusion_map import FloatArray
from RetinaTriageLib.explain.picture_occlusion import Judge
from RetinaTriageLib.inference.compute import Compute


def image_judge(bundle: ImageBundle, compute: Compute) -> Judge:
    """Give mean probabilities (N, class) of the networks of a bundle for pictures of any size."""
    networks = [network.to(compute.torch_device).eval() for network in bundle.networks()]
    size = bundle.manifest.size

    @torch.inference_mode()
    def judge(images: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        pictures = torch.from_numpy(images).to(compute.torch_device)[:, None]
        small = F.interpolate(pictures, size, mode="bilinear", antialias=True)[:, 0]
        found = [network.probabilities(network(small)).double() for network in networks]
        return torch.stack(found).mean(dim=0).cpu().numpy()

    return judge
