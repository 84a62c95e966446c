"""Agreement of bfloat16 with float32: tissue maps, fluid volumes, every score and the mean opinion.

    python benchmarks/engine_agreement.py [--bundle BUNDLE] [--shape 25 496 512]

All networks of the bundle run on the sample and on phantoms, in torch's float32 kernels and in the
fastest ones of bfloat16. A fluid volume agrees within 0.5 % or 0.05 nl, a score within 0.005.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import engine_cases as cases
import numpy as np
import torch

from RetinaTriageLib import OCTVolume, read_volume
from RetinaTriageLib.bundle import Bundle, bundled_models, load_bundle
from RetinaTriageLib.hypotheses import Opinion
from RetinaTriageLib.inference.segment import Segmentation
from RetinaTriageLib.networks.gray import normalize, tissue_scale
from RetinaTriageLib.phantoms.devices import SPECTRALIS, with_bscans
from RetinaTriageLib.phantoms.eye import Disease
from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.tissues import TissueGroup
from RetinaTriageLib.volume import LabelArray

SAMPLE = Path(__file__).parents[1] / "Resources" / "SampleData" / "phantom_edema_OD.nrrd"
PHANTOMS: dict[str, tuple[int, tuple[Disease, ...]]] = {
    "no disease": (990001, ()),
    "CNV": (990002, (Disease.CNV,)),
}
VOLUMES = ("sample", *PHANTOMS)
FEWEST = 25  # B-scans of a phantom's raster; a shorter shape takes those in the middle
SHORT = 8  # B-scans whose probabilities are compared

Shape = tuple[int, int, int]
Figures = dict[str, float]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, default=bundled_models())
    parser.add_argument("--shape", type=int, nargs=3, default=(25, 496, 512))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parsed = parser.parse_args()
    torch.set_num_threads(parsed.threads)
    bundle, shape = load_bundle(parsed.bundle), tuple(parsed.shape)
    print_agreement({name: agreement(volume_named(name, shape), bundle) for name in VOLUMES})


def volume_named(name: str, shape: Shape) -> OCTVolume:
    """One of `VOLUMES`, cut or mirrored to a shape."""
    if name == "sample":
        return cases.resized(read_volume(SAMPLE), shape)
    seed, diseases = PHANTOMS[name]
    device = with_bscans(SPECTRALIS, max(FEWEST, shape[0]))
    first = (device.shape[0] - shape[0]) // 2
    middle = tuple(range(first, first + shape[0]))
    phantom = make_phantom(seed, device, diseases=diseases, bscans=middle)
    return cases.resized(phantom.volume, shape)


def agreement(volume: OCTVolume, bundle: Bundle) -> Figures:
    """Figures of bfloat16 beside float32 on one volume, all networks of the bundle."""
    networks = len(bundle.manifest.segmenters)
    exact, fast = (
        cases.streamed(volume, bundle, dtype, fused=fused, networks=networks)
        for dtype, fused in ((torch.float32, False), (torch.bfloat16, True))
    )
    pairs = list(zip(exact.tissue_maps, fast.tissue_maps, strict=True))
    return {
        "same class, worst network, %": 100 * min(float((a == b).mean()) for a, b in pairs),
        "same class, consensus, %": 100 * float((exact.consensus == fast.consensus).mean()),
        f"largest change of a probability, {SHORT} B-scans": _probability_change(volume, bundle),
        **_fluid_changes(pairs, (exact.consensus, fast.consensus), volume, bundle),
        **_score_changes(exact, fast, bundle),
    }


def print_agreement(found: dict[str, Figures]) -> None:
    """Print a column a volume and a row a figure."""
    print(f"{'bf16 beside fp32':46}" + "".join(f"{name:>12}" for name in found))
    for row in next(iter(found.values())):
        print(f"{row:46}" + "".join(f"{figures[row]:12.5g}" for figures in found.values()))


def _fluid_changes(
    pairs: list[tuple[LabelArray, LabelArray]],
    consensus: tuple[LabelArray, LabelArray],
    volume: OCTVolume,
    bundle: Bundle,
) -> Figures:
    """Volume changes of every fluid, in nl and in percent of it; 0 % where there is none."""
    voxel_nl = volume.require_spacing().voxel_mm3 * 1000
    figures = {}
    for tissue in bundle.vocabulary.tissues:
        if tissue.group is not TissueGroup.FLUID:
            continue
        for whose, maps in (("worst network", pairs), ("consensus", [consensus])):
            sizes = np.array([[(m == tissue.label).sum() for m in pair] for pair in maps])
            change = np.abs(sizes[:, 0] - sizes[:, 1])
            share = 100 * change / np.maximum(sizes[:, 0], 1)
            figures[f"{tissue.name}, {whose}, nl"] = float(change.max() * voxel_nl)
            figures[f"{tissue.name}, {whose}, %"] = float(share.max())
    return figures


def _score_changes(exact: Segmentation, fast: Segmentation, bundle: Bundle) -> Figures:
    """Score changes by head: of single opinions, and of the mean of all."""
    own = len(bundle.manifest.map_classifiers)
    before, after = (cases.judged(found, bundle, own) for found in (exact, fast))
    figures = {}
    for head in bundle.manifest.heads:
        change = _scores(after, head.name) - _scores(before, head.name)
        largest = np.abs(change).reshape(-1, change.shape[-1]).max(axis=1)
        figures[f"{head.name}, largest change of an opinion"] = float(largest.max())
        figures[f"{head.name}, opinions within 0.005, %"] = 100 * float((largest <= 0.005).mean())
        figures[f"{head.name}, mean opinion"] = float(np.abs(change.mean(axis=(0, 1))).max())
    return figures


def _scores(opinions: tuple[tuple[Opinion, ...], ...], head: str) -> np.ndarray:
    """Scores of one head, float64 array (map, classifier, outcome)."""
    return np.array([[opinion.scores[head] for opinion in row] for row in opinions])


def _probability_change(volume: OCTVolume, bundle: Bundle) -> float:
    part = torch.from_numpy(normalize(volume.voxels[:SHORT], tissue_scale(volume.voxels)))
    (network,) = cases.networks_of(bundle, 1)
    exact, fast = (
        cases.StreamedNetwork(network, cases.BRANCH, dtype).push(part, last=True).softmax(1)
        for dtype in (torch.float32, torch.bfloat16)
    )
    return float((exact - fast).abs().max())


if __name__ == "__main__":
    main()
