"""Mean opinions of a bundle's classifiers on tissue maps with answers, for its calibration.

The maps are ``.npz`` files as ``train grids`` writes them. Those that several segmenters found in
one scan, ``<scan>_<segmenter>.npz``, are judged together as in use: by the mean of all opinions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.classification import probabilities
from RetinaTriageLib.networks.kinds import MapClassifier
from RetinaTriageLib.networks.map_scores import map_scores
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.training.grids import UNANSWERED, as_batch, load_grid
from RetinaTriageLib.training.patients import patient_of
from RetinaTriageLib.training.sample_folder import sample_files

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class JudgedScans:
    """Scans whose answer to one head is known in full.

    Attributes
    ----------
    scores : array (scan, outcome), mean of all opinions
    truth : int array (scan,) for exclusive heads, bool array (scan, outcome) for others
    patients : of every scan
    """

    scores: Scores
    truth: npt.NDArray[np.generic]
    patients: tuple[str, ...]

    def chosen(self, rows: npt.NDArray[np.bool_]) -> JudgedScans:
        """Keep some of the scans, by a mask (scan,)."""
        patients = tuple(np.array(self.patients)[rows].tolist())
        return JudgedScans(self.scores[rows], self.truth[rows], patients)


def judged_scans(
    bundle: Bundle, folders: Sequence[Path], on_progress: OnProgress = ignore_progress
) -> Mapping[str, JudgedScans]:
    """Judge the maps of all scans in the folders; head name to those with an answer.

    Raises
    ------
    InputError
        If a folder holds no maps, one cannot be read, or the bundle judges no single maps.
    """
    networks = bundle.classification_networks()
    if not networks:
        msg = "Found a bundle with joint classifiers alone; calibrate one that judges single maps."
        raise InputError(msg)
    segmenters = [entry.name for entry in bundle.manifest.segmenters]
    scans = [maps for folder in folders for maps in _by_scan(folder, segmenters).values()]
    scores: dict[str, list[Scores]] = {head.name: [] for head in bundle.vocabulary.heads}
    truth: dict[str, list[npt.NDArray[np.generic]]] = {name: [] for name in scores}
    patients: dict[str, list[str]] = {name: [] for name in scores}
    for number, maps in enumerate(scans):
        means, answers = _judged(networks, maps)
        for name, answer in answers.items():
            if (answer != UNANSWERED).all():
                scores[name].append(means[name])
                truth[name].append(answer)
                patients[name].append(patient_of(maps[0]))
        on_progress(Progress("judge", number + 1, len(scans)))
    return {
        head.name: JudgedScans(
            np.array(scores[head.name]),
            np.array(truth[head.name]).astype(np.int64 if head.exclusive else np.bool_),
            tuple(patients[head.name]),
        )
        for head in bundle.vocabulary.heads
        if scores[head.name]
    }


def _by_scan(folder: Path, segmenters: Sequence[str]) -> Mapping[str, list[Path]]:
    """List the maps of every scan, told by the names of their files."""
    scans: dict[str, list[Path]] = {}
    for path in sample_files(folder):
        ends = [f"_{name}" for name in segmenters if path.stem.endswith(f"_{name}")]
        scan = path.stem.removesuffix(ends[0]) if ends else path.stem
        scans.setdefault(scan, []).append(path)
    return scans


@torch.inference_mode()
def _judged(
    networks: Sequence[MapClassifier], maps: Sequence[Path]
) -> tuple[Mapping[str, Scores], Mapping[str, npt.NDArray[np.int64]]]:
    """Mean scores (outcome,) and answer of every head, of the maps of one scan."""
    samples = [load_grid(path, networks[0].config) for path in maps]
    batch = as_batch(samples)
    heads = networks[0].config.heads
    scores = map_scores(networks, batch.grids, batch.patients)
    opinions = [probabilities(of_network, heads) for of_network in scores]
    means = {
        head.name: np.mean([o[head.name].double().numpy().mean(axis=0) for o in opinions], axis=0)
        for head in heads
    }
    return means, samples[0].answers
