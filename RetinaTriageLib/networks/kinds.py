"""The kinds of networks that a bundle may hold, behind one interface a task."""

from __future__ import annotations

from RetinaTriageLib.networks.boosted_classification import BoostedClassifier
from RetinaTriageLib.networks.classification import ClassificationNetwork
from RetinaTriageLib.networks.forest_segmentation import ForestSegmenter
from RetinaTriageLib.networks.graph_segmentation import GraphSearchSegmenter
from RetinaTriageLib.networks.segmentation import SegmentationNetwork

BscanSegmenter = ForestSegmenter | GraphSearchSegmenter
"""Takes B-scans one by one, in 8 bits with their spacing, to class scores."""

Segmenter = SegmentationNetwork | BscanSegmenter
"""Makes tissue maps of B-scans."""

MapClassifier = ClassificationNetwork | BoostedClassifier
"""Judges one tissue map."""
