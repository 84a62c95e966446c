"""Tissue maps of a B-scan with a box in it, segmented again only as far as a box reaches.

A convolutional network cannot see farther than its layers add up to, so beside that reach the maps
are those of the whole B-scan. Gray values keep the scale of the whole B-scan.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from RetinaTriageLib.explain.lone_bscan import picture_of
from RetinaTriageLib.explain.occlusion_map import FloatArray
from RetinaTriageLib.inference.bscan_stream import BscanStream
from RetinaTriageLib.inference.segment import most_likely
from RetinaTriageLib.networks.gray import GrayScale, normalize, tissue_scale
from RetinaTriageLib.networks.segmentation import SegmentationConfig
from RetinaTriageLib.volume import LabelArray, OCTVolume

WHITE = 255


def width_reach(config: SegmentationConfig) -> int:
    """A-scans on either side that the tissue of an A-scan can depend on.

    Two convolutions of 3 A-scans a level, on the way down and on the way up; a level's A-scan is
    twice as wide as that of the level before. Pooling adds at most one A-scan of the deepest level.

    Examples
    --------
    >>> width_reach(SegmentationConfig())
    108
    """
    levels = len(config.channels)
    down = sum(2 << level for level in range(levels))
    up = sum(2 << level for level in range(levels - 1))
    return down + up + (1 << (levels - 1))


class LocalMaps:
    """Tissue maps of one B-scan by several networks, and of it with something in the way.

    Parameters
    ----------
    bscan : line scan of 8 bit
    streams, configs : of the networks

    Attributes
    ----------
    scale : gray scale of the B-scan, kept whatever lies in the way
    whole : tissue maps of the B-scan as it is
    """

    def __init__(
        self,
        bscan: OCTVolume,
        streams: Sequence[BscanStream],
        configs: Sequence[SegmentationConfig],
    ) -> None:
        self._streams, self._configs = tuple(streams), tuple(configs)
        self.scale: GrayScale = tissue_scale(bscan.voxels)
        self._picture = picture_of(bscan)
        everything = slice(0, self._picture.shape[1])
        self.whole = tuple(
            self._labels(stream, self._picture, everything) for stream in self._streams
        )

    def of(self, picture: FloatArray) -> tuple[LabelArray, ...]:
        """Tissue maps, uint8 arrays (depth, width), of the B-scan where it was changed.

        Parameters
        ----------
        picture : float32 array (depth, width), gray values 0 to 1
        """
        columns = np.flatnonzero((picture != self._picture).any(axis=0))
        if len(columns) == 0:
            return self.whole
        maps = []
        for stream, config, whole in zip(self._streams, self._configs, self.whole, strict=True):
            seen, kept = _windows(columns, config, picture.shape[1])
            labels = whole.copy()
            found = self._labels(stream, picture[:, seen], seen)
            labels[:, kept] = found[:, kept.start - seen.start : kept.stop - seen.start]
            maps.append(labels)
        return tuple(maps)

    def _labels(self, stream: BscanStream, picture: FloatArray, seen: slice) -> LabelArray:
        voxels = np.rint(picture * np.float32(WHITE)).astype(np.uint8)[np.newaxis]
        gray = torch.from_numpy(normalize(voxels, self.scale))
        stream.begin()
        scores = stream.push(gray, last=True)  # (1, class, depth, width)
        assert scores.shape[-1] == seen.stop - seen.start
        labels: LabelArray = most_likely(scores.softmax(dim=1))[0].cpu().numpy()
        return labels


def _windows(
    columns: np.ndarray[tuple[int, ...], np.dtype[np.intp]],
    config: SegmentationConfig,
    width: int,
) -> tuple[slice, slice]:
    """A-scans that a network is shown, and those of them whose tissue may change."""
    reach, step = width_reach(config), config.width_step
    first, last = max(0, int(columns[0]) - reach), min(width, int(columns[-1]) + 1 + reach)
    start = max(0, first - reach) // step * step  # levels must fall on the same A-scans
    return slice(start, min(width, last + reach)), slice(first, last)
