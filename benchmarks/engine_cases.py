"""What `benchmarks/engine.py` times: this library and sliding windows over the same network.

Every case runs in a process of its own, so that allocator and thread settings of one do not speed
up another. Sliding windows are timed on the first 9 B-scans and scaled up by their exact number.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.bundle_networks import classifier_grid
from RetinaTriageLib.hypotheses import Opinion
from RetinaTriageLib.inference.allocator import keep_freed_memory
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.inference.convolution import fused_kernels_agree
from RetinaTriageLib.inference.finish_maps import finish_of
from RetinaTriageLib.inference.judge import judge
from RetinaTriageLib.inference.segment import GridPlan, Segmentation, segment
from RetinaTriageLib.inference.streaming import StreamedNetwork
from RetinaTriageLib.networks.classifier_input import ClassifierInput
from RetinaTriageLib.networks.gray import normalize, tissue_scale
from RetinaTriageLib.networks.patient import UNKNOWN_PATIENT
from RetinaTriageLib.networks.segmentation import SegmentationConfig, SegmentationNetwork
from RetinaTriageLib.volume import OCTVolume

WINDOW = (9, 448, 512)  # B-scan, depth, width: as many B-scans as the network looks at
BRANCH = "spectralis"
SLAB = 4
REFERENCE = SegmentationConfig(channels=(48, 96, 192, 256, 256))
"""Operations of the reference network that a prototype was measured with, 92.1 GFLOP for 93.4 on a
B-scan of 496 x 512. That one has base width 32 at the full depth, this one 48 at half of it."""

Window = Callable[[Tensor], Tensor]


class ReferenceBundle(Bundle):
    """A bundle with one drawn network of the shape `REFERENCE` in place of its segmenters."""

    def segmentation_networks(self) -> tuple[SegmentationNetwork, ...]:
        """Network of the same weights each time."""
        torch.manual_seed(0)
        return (SegmentationNetwork(REFERENCE).eval().requires_grad_(requires_grad=False),)


def with_reference(bundle: Bundle) -> ReferenceBundle:
    """Put the drawn network into a bundle."""
    return ReferenceBundle(**{field.name: getattr(bundle, field.name) for field in fields(bundle)})


def networks_of(bundle: Bundle, count: int) -> list[SegmentationNetwork]:
    """Segmentation networks of a bundle, taken in turns until there are ``count``."""
    found = [n for n in bundle.segmentation_networks() if isinstance(n, SegmentationNetwork)]
    return [found[number % len(found)].eval() for number in range(count)]


def streamed(
    volume: OCTVolume, bundle: Bundle, dtype: torch.dtype, *, fused: bool = True, networks: int = 1
) -> Segmentation:
    """Tissue maps, consensus and grids as a run of the library makes them."""
    fused = fused and fused_kernels_agree(dtype)
    streams = tuple(
        StreamedNetwork(network, BRANCH, dtype, fused=fused)
        for network in networks_of(bundle, networks)
    )
    manifest = bundle.manifest
    source = ClassifierInput(manifest.classifier_input)
    plan = GridPlan(classifier_grid(manifest), bundle.vocabulary, source, 0)
    return segment(
        volume,
        streams,
        plan,
        SLAB,
        lambda _done: None,
        finish=finish_of(bundle, choose_compute("cpu")),
    )


def judged(
    segmentation: Segmentation, bundle: Bundle, classifiers: int
) -> tuple[tuple[Opinion, ...], ...]:
    """S x C opinions; classifiers of the bundle are taken in turns."""
    own = bundle.classification_networks()
    networks = [(str(number), own[number % len(own)]) for number in range(classifiers)]
    grids = segmentation.grids
    return judge(grids, networks, UNKNOWN_PATIENT, len(grids), lambda _done: None)


def seconds_streamed(
    volume: OCTVolume, bundle: Bundle, dtype: torch.dtype, *, fused: bool = True, networks: int = 1
) -> float:
    """Seconds for the whole volume, after a short one that warms up."""
    keep_freed_memory()
    warm = OCTVolume(volume.voxels[:6], volume.spacing)
    streamed(warm, bundle, dtype, fused=fused, networks=networks)
    start = time.perf_counter()
    streamed(volume, bundle, dtype, fused=fused, networks=networks)
    return time.perf_counter() - start


def seconds_monai(volume: OCTVolume, bundle: Bundle, *, tuned: bool) -> float:
    """Seconds of MONAI's sliding window, overlap 0.25; tuned: bfloat16 and channels last 3D."""
    from monai.data.utils import dense_patch_slices
    from monai.inferers import sliding_window_inference

    window = _window(bundle, tuned=tuned)
    size = [min(own, given) for own, given in zip(WINDOW, volume.shape, strict=True)]

    def windows(shape: tuple[int, ...]) -> int:
        step = [a if a == b else int(a * 0.75) for a, b in zip(size, shape, strict=True)]
        return len(dense_patch_slices(shape, size, step))

    def run(part: Tensor) -> None:
        sliding_window_inference(part[None, None], size, 1, window, overlap=0.25)

    return _scaled(run, volume, windows)


def seconds_nnunet(volume: OCTVolume, bundle: Bundle) -> float:
    """Seconds of nnU-Net's predictor: its step 0.5, Gaussian weights, without mirroring."""
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    size = [min(own, given) for own, given in zip(WINDOW, volume.shape, strict=True)]
    predictor = nnUNetPredictor(
        tile_step_size=0.5,
        use_mirroring=False,
        perform_everything_on_device=False,
        device=torch.device("cpu"),
        allow_tqdm=False,
    )
    predictor.network = _Wrapped(_window(bundle, tuned=False))
    predictor.configuration_manager = SimpleNamespace(patch_size=size)
    predictor.label_manager = SimpleNamespace(num_segmentation_heads=len(bundle.vocabulary.tissues))

    def windows(shape: tuple[int, ...]) -> int:
        return len(predictor._internal_get_sliding_window_slicers(shape))

    return _scaled(
        lambda part: predictor.predict_sliding_window_return_logits(part[None]), volume, windows
    )


def roofline_tflops(dtype: torch.dtype) -> float:
    """Best rate of a matrix product and of a convolution of 64 channels, in TFLOP/s."""
    a = torch.ones(1536, 1536, dtype=dtype)
    x = torch.ones(2, 64, 124, 128, dtype=dtype).contiguous(memory_format=torch.channels_last)
    weight = torch.ones(64, 64, 3, 3, dtype=dtype).contiguous(memory_format=torch.channels_last)
    works: tuple[tuple[Callable[[], Tensor], float], ...] = (
        (lambda: a @ a, 2 * 1536**3),
        (lambda: torch.nn.functional.conv2d(x, weight, padding=1), 2 * x.numel() * 64 * 9),
    )
    rates = []
    with torch.inference_mode():
        for work, operations in works:
            for _ in range(6):
                start = time.perf_counter()
                work()
                rates.append(operations / (time.perf_counter() - start) / 1e12)
    return max(rates)


def gflop_a_bscan(bundle: Bundle, shape: tuple[int, int, int]) -> float:
    """GFLOP of one network on one B-scan; a multiplication and an addition are 2 operations."""
    from torch.utils.flop_counter import FlopCounterMode

    (network,) = networks_of(bundle, 1)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.zeros(1, 1, *shape[1:]), BRANCH)
    return float(counter.get_total_flops() / 1e9)


class _Wrapped(torch.nn.Module):
    """A function where nnU-Net wants a module."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._window = window

    def forward(self, x: Tensor) -> Tensor:
        return self._window(x)


def _window(bundle: Bundle, *, tuned: bool) -> Window:
    (network,) = networks_of(bundle, 1)

    def window(x: Tensor) -> Tensor:
        if tuned:
            x = x.contiguous(memory_format=torch.channels_last_3d)
        with torch.autocast("cpu", torch.bfloat16) if tuned else nullcontext():
            return network(x[:, 0], BRANCH).float()

    return window


def _scaled(
    run: Callable[[Tensor], object], volume: OCTVolume, windows: Callable[[tuple[int, ...]], int]
) -> float:
    """Seconds for the volume, from those for its first B-scans and the numbers of windows."""
    gray = torch.from_numpy(normalize(volume.voxels, tissue_scale(volume.voxels)))
    part = gray[: WINDOW[0]]
    with torch.inference_mode():
        run(part)
        start = time.perf_counter()
        run(part)
        seconds = time.perf_counter() - start
    return seconds * windows(tuple(gray.shape)) / windows(tuple(part.shape))


def resized(volume: OCTVolume, shape: tuple[int, int, int]) -> OCTVolume:
    """Volume of another size: mirrored where it is too small, cut off where it is too large."""
    voxels = volume.voxels
    for axis, size in enumerate(shape):
        count = math.ceil(size / voxels.shape[axis])
        parts = [voxels if turn % 2 == 0 else np.flip(voxels, axis) for turn in range(count)]
        voxels = np.concatenate(parts, axis).take(range(size), axis)
    return OCTVolume(voxels, volume.spacing)
