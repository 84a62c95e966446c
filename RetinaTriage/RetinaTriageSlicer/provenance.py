"""Where a result node comes from, as attributes that are saved with the scene; nothing personal."""

from __future__ import annotations

from typing import Any

from RetinaTriageLib.result import RESEARCH_USE, TriageResult
from RetinaTriageSlicer.remedies import forPanel

PREFIX = "RetinaTriage."
CASE = PREFIX + "Case"
ROLE = PREFIX + "Role"
MAP = PREFIX + "Map"
HYPOTHESIS = PREFIX + "Hypothesis"
INPUT_ROLE = PREFIX + "Input"


def provenanceAttributes(result: TriageResult) -> dict[str, str]:
    """Attributes of every node of one result."""
    provenance, volume = result.provenance, result.volume
    facts = {
        "Bundle": provenance.bundle_name,
        "BundleSha256": provenance.bundle_sha256,
        "TrainedOn": provenance.trained_on,
        "LibraryVersion": provenance.library_version,
        "TorchVersion": provenance.torch_version,
        "Compute": provenance.compute,
        "Seed": str(provenance.seed),
        "OperatingPoint": result.verdict.operating_point,
        "Calibration": result.verdict.calibration,
        "Bscans": str(volume.shape[0]),
        "Laterality": volume.laterality.value if volume.laterality else "unknown",
        "SpacingSource": volume.sources.get("spacing", "unknown"),
        "Assumed": forPanel(" ".join(volume.assumed)),
        "Notes": forPanel(" ".join((*provenance.notes, *result.measurements.refused))),
        "Use": RESEARCH_USE,
    }
    return {PREFIX + name: value for name, value in facts.items()}


def markNode(node: Any, role: str, inputNode: Any, attributes: dict[str, str]) -> None:
    """Write what a node is, where it comes from, and which volume it belongs to."""
    for name, value in {**attributes, ROLE: role}.items():
        node.SetAttribute(name, value)
    node.SetNodeReferenceID(INPUT_ROLE, inputNode.GetID())
