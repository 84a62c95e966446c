"""A model bundle: trained networks with a manifest, a model card and a hash for each file.

A bundle is a folder, or a zip of one: ``bundle.json``, one ``.safetensors`` per network and
``MODEL_CARD.md``. Nothing in it is ever run as code. This file imports torch only where networks
are built or written, so manifests can be read where torch must not be loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from RetinaTriageLib.bundle_files import (
    MANIFEST,
    MODEL_CARD,
    read_bundle_files,
    require_weights,
    with_file_facts,
    write_bundle_files,
)
from RetinaTriageLib.bundle_manifest import Manifest
from RetinaTriageLib.bundle_manifest_json import manifest_json, parse_manifest
from RetinaTriageLib.calibration import UNCALIBRATED, Calibration
from RetinaTriageLib.errors import BundleError
from RetinaTriageLib.result import Vocabulary

if TYPE_CHECKING:
    from torch import Tensor

    from RetinaTriageLib.networks.fluid_network import FluidNetwork
    from RetinaTriageLib.networks.joint_classification import JointNetwork
    from RetinaTriageLib.networks.kinds import MapClassifier, Segmenter
    from RetinaTriageLib.networks.lesion_naming import LesionNamer

# Inside the package, so that a checkout, `pip install` and the Slicer extension find it alike.
SHIPPED = Path(__file__).parent / "bundles"


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files were all checked; networks are built when they are asked for.

    Attributes
    ----------
    sha256 : hash of ``bundle.json``, which holds the hashes of all weights
    model_card : text of ``MODEL_CARD.md``, Markdown
    weights : file name to safetensors bytes, as they were when the hashes were checked
    """

    manifest: Manifest
    sha256: str
    model_card: str = field(repr=False)
    weights: Mapping[str, bytes] = field(repr=False)

    @property
    def vocabulary(self) -> Vocabulary:
        """The tissues and outcome heads of its networks."""
        return self.manifest.vocabulary

    @property
    def calibration(self) -> Calibration:
        """Factors that its scores of volumes are re-weighted with."""
        return self.manifest.calibration

    def calibration_of(self, bscans: int) -> Calibration:
        """Factors that scores of a scan of so many B-scans are re-weighted with."""
        return self.manifest.of_scan(bscans).calibration

    def segmentation_networks(self) -> tuple[Segmenter, ...]:
        """Segmenters of any kind in the order of the manifest, single precision, on the CPU."""
        from RetinaTriageLib.bundle_networks import segmentation_network

        return tuple(
            segmentation_network(entry, self.weights[entry.file], self.manifest)
            for entry in self.manifest.segmenters
        )

    def lesion_namer(self) -> LesionNamer | None:
        """Trees that name the lesions of every tissue map, on the CPU; None where nothing does."""
        from RetinaTriageLib.bundle_networks import lesion_namer

        entry = self.manifest.lesion_namer
        if entry is None:
            return None
        return lesion_namer(entry, self.weights[entry.file], self.manifest)

    def fluid_network(self) -> FluidNetwork | None:
        """Network that looks for intraretinal fluid, on the CPU; None where nothing does."""
        from RetinaTriageLib.bundle_networks import fluid_network

        entry = self.manifest.fluid_network
        if entry is None:
            return None
        return fluid_network(entry, self.weights[entry.file])

    def classification_networks(self) -> tuple[MapClassifier, ...]:
        """Classifiers of single tissue maps, `Manifest.map_classifiers`, on the CPU."""
        from RetinaTriageLib.bundle_networks import classification_network

        return tuple(
            classification_network(entry, self.weights[entry.file], self.manifest)
            for entry in self.manifest.map_classifiers
        )

    def joint_networks(self) -> tuple[JointNetwork, ...]:
        """Classifiers of all maps together, `Manifest.joint_classifiers`, on the CPU."""
        from RetinaTriageLib.bundle_networks import joint_network

        return tuple(
            joint_network(entry, self.weights[entry.file], self.manifest)
            for entry in self.manifest.joint_classifiers
        )


@dataclass(frozen=True)
class BundleCheck:
    """One thing that was verified about a bundle, and what was found."""

    what: str
    found: str


def load_bundle(path: Path) -> Bundle:
    """Bundle of a folder or a zip, verified to the last tensor.

    Raises
    ------
    BundleError
        If it is incomplete, was altered, is no bundle, needs a newer version, holds pickles, or
        its weights do not fit its configuration.
    """
    bundle = _read(path)
    bundle.segmentation_networks()
    bundle.lesion_namer()
    bundle.fluid_network()
    bundle.classification_networks()
    bundle.joint_networks()
    return bundle


def read_manifest(path: Path) -> Manifest:
    """Manifest of a bundle; all hashes are checked, torch is not needed."""
    return _read(path).manifest


def check_bundle(path: Path) -> tuple[BundleCheck, ...]:
    """List what was verified about a bundle, for people to read.

    Raises
    ------
    BundleError
        At the first thing that is wrong.
    """
    bundle = load_bundle(path)
    manifest = bundle.manifest
    lines = manifest.line_scans
    sizes = {entry.name: f"{entry.size / 1e6:.1f} MB" for entry in manifest.networks}
    return (
        BundleCheck("bundle", f"{manifest.name} {manifest.version}, {manifest.license}"),
        BundleCheck("bundle.json", f"fits its schema, SHA-256 {bundle.sha256}"),
        BundleCheck("trained on", manifest.trained_on),
        BundleCheck("vocabulary", _vocabulary_line(manifest)),
        *(
            BundleCheck(
                f"{entry.kind} {entry.name}",
                f"{sizes[entry.name]}, SHA-256 {entry.sha256[:12]}… fits, all tensors fit",
            )
            for entry in manifest.networks
        ),
        BundleCheck("operating points", _calibration_line(manifest.calibration)),
        BundleCheck(
            "operating points of single B-scans",
            _calibration_line(lines.calibration) if lines else "those of volumes",
        ),
        BundleCheck("model card", f"{len(bundle.model_card.split())} words"),
    )


def save_bundle(
    folder: Path,
    draft: Manifest,
    weights: Mapping[str, Mapping[str, Tensor]],
    model_card: str,
    *,
    kept: Mapping[str, bytes] | None = None,
) -> Bundle:
    """Write a bundle and read it back; nothing is left behind if that fails.

    Parameters
    ----------
    folder : where to write; must not exist
    draft : manifest whose entries need no file, hash or size yet
    weights : network name to its state dictionary
    kept : weight files, as `Bundle.weights`, of networks of the draft that are taken over as they
        are, byte by byte

    Raises
    ------
    BundleError
        If the parts do not fit one another.
    OutputError
        If the folder exists or cannot be written.
    """
    from RetinaTriageLib.bundle_weights import encode_weights

    taken = {entry.name: entry.file for entry in draft.networks if entry.name not in weights}
    known = kept or {}
    missing = {name for name, file in taken.items() if file not in known}
    missing |= set(weights) - {entry.name for entry in draft.networks}
    if missing:
        msg = (
            f"Found weights or a manifest entry, but not both, for {', '.join(sorted(missing))}; "
            "expected weights for each network of the draft."
        )
        raise BundleError(msg)
    files = {f"{name}.safetensors": encode_weights(name, weights[name]) for name in weights}
    files |= {file: known[file] for file in taken.values()}
    namer, fluid = draft.lesion_namer, draft.fluid_network
    manifest = replace(
        draft,
        segmenters=tuple(with_file_facts(entry, files) for entry in draft.segmenters),
        lesion_namer=namer and with_file_facts(namer, files),
        fluid_network=fluid and with_file_facts(fluid, files),
        classifiers=tuple(with_file_facts(entry, files) for entry in draft.classifiers),
    )
    files |= {MANIFEST: manifest_json(manifest), MODEL_CARD: model_card.encode()}
    return write_bundle_files(folder, files, load_bundle)


def bundled_models() -> Path:
    """Folder of the bundle that ships with the library; the first by name if there are more."""
    shipped = sorted(path.parent for path in SHIPPED.glob(f"*/{MANIFEST}"))
    if not shipped:
        msg = (
            f"Found no bundle in {SHIPPED}; this copy of the library ships none. "
            "Choose a bundle, folder or zip, with --bundle."
        )
        raise BundleError(msg)
    return shipped[0]


def _read(path: Path) -> Bundle:
    files = read_bundle_files(Path(path))
    manifest = parse_manifest(files[MANIFEST])
    weights = {entry.file: require_weights(files, entry) for entry in manifest.networks}
    card = files[MODEL_CARD].decode("utf-8", errors="replace")
    return Bundle(manifest, hashlib.sha256(files[MANIFEST]).hexdigest(), card, weights)


def _calibration_line(calibration: Calibration) -> str:
    return f"fitted on {calibration.measured_on}" if calibration.factors else UNCALIBRATED


def _vocabulary_line(manifest: Manifest) -> str:
    heads = ", ".join(f"{head.name} ({len(head.outcomes)})" for head in manifest.heads)
    return f"{len(manifest.tissues)} tissues; {heads}"
