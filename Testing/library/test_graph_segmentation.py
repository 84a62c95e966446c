from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from example_bands import ILM, OUTER, SPACING, banded_bscans, banded_codes

from RetinaTriageLib.networks.graph_search import find_surfaces
from RetinaTriageLib.networks.graph_segmentation import (
    GraphSearchSegmenter,
    Region,
    region_counts,
    regions,
    shares_of,
)
from RetinaTriageLib.training.graph_search_training import GraphSearchPlan, train_graph_search
from RetinaTriageLib.training.sample_folder import Folder


def untrained() -> GraphSearchSegmenter:
    segmenter = GraphSearchSegmenter()
    segmenter.shares.copy_(shares_of(torch.zeros(len(Region), 15)))
    return segmenter


def test_bands_become_their_tissues() -> None:
    labels = untrained().bscan_scores(banded_bscans(), SPACING).argmax(dim=1).numpy()
    assert (labels == banded_codes()).mean() > 0.98
    assert np.median(labels[:, (ILM + OUTER) // 2]) == 3


def test_scores_are_probabilities_of_the_region() -> None:
    scores = untrained().bscan_scores(banded_bscans(1), SPACING)
    torch.testing.assert_close(scores.exp().sum(dim=1), torch.ones(1, *scores.shape[2:]))
    assert scores.shape == (1, 15, *banded_bscans(1).shape[1:])


def test_bscan_is_answered_alike_alone_and_among_others() -> None:
    together = untrained().bscan_scores(banded_bscans(3), SPACING)
    alone = untrained().bscan_scores(banded_bscans(3)[1:2], SPACING)
    torch.testing.assert_close(together[1:2], alone)


def test_fill_is_a_region_of_its_own() -> None:
    voxels = banded_bscans(1)
    voxels[:, :20] = 255
    found = regions(find_surfaces(voxels, SPACING), SPACING)
    assert (found[0, :20] == Region.FILL).all()


def test_shares_are_what_was_counted() -> None:
    found = np.array([[[Region.RETINA] * 4]], np.uint8)
    codes = np.array([[[3, 3, 4, 255]]], np.uint8)  # the last one is not known
    counts = region_counts(found, codes, 15)
    assert counts[Region.RETINA, [3, 4]].tolist() == [2, 1]
    shares = shares_of(counts * 1000)
    assert abs(float(shares[Region.RETINA, 4]) - 1 / 3) < 0.01
    assert shares[Region.EPITHELIUM].argmax() == 7


def test_counting_scores_well_on_what_it_counted(tmp_path: Path) -> None:
    folder = tmp_path / "bands"
    folder.mkdir()
    np.savez(folder / "a.npz", image=banded_bscans(), codes=banded_codes())
    figures = train_graph_search(
        GraphSearchPlan(),
        [Folder(folder)],
        {"spectralis": SPACING},
        tmp_path / "run",
        held_out=[folder],
    )
    assert figures["bands:neurosensory_retina"] > 0.97
    assert (tmp_path / "run" / "best.safetensors").exists()
