"""A bundle of whole-image classifiers: as a model bundle, but of networks that judge images.

Files, hashes and refusals are those of `bundle_files`; nothing in a bundle is ever run as code.
This file imports torch only where networks are built or written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from RetinaTriageLib.bundle import BundleCheck
from RetinaTriageLib.bundle_files import (
    MANIFEST,
    MODEL_CARD,
    read_bundle_files,
    require_weights,
    with_file_facts,
    write_bundle_files,
)
from RetinaTriageLib.bundle_image_manifest import (
    BSCAN,
    ImageManifest,
    image_manifest_json,
    is_image_manifest,
    parse_image_manifest,
)
from RetinaTriageLib.bundle_manifest import ClassifierEntry
from RetinaTriageLib.errors import BundleError, InputError
from RetinaTriageLib.image_classes import Evidence

if TYPE_CHECKING:
    from RetinaTriageLib.networks.bscan import BscanNetwork


@dataclass(frozen=True)
class ImageBundle:
    """Whole-image classifiers whose files were all checked; built when they are asked for.

    Attributes
    ----------
    sha256 : hash of ``bundle.json``, which holds the hashes of all weights
    model_card : text of ``MODEL_CARD.md``, Markdown
    weights : file name to safetensors bytes, as they were when the hashes were checked
    """

    manifest: ImageManifest
    sha256: str
    model_card: str = field(repr=False)
    weights: Mapping[str, bytes] = field(repr=False)

    def networks(self) -> tuple[BscanNetwork, ...]:
        """Networks in the order of the manifest, single precision, on the CPU."""
        return tuple(
            _network(entry, self.weights[entry.file], self.manifest)
            for entry in self.manifest.networks
        )


def is_image_bundle(path: Path) -> bool:
    """Tell whether a bundle, folder or zip, holds whole-image classifiers.

    Raises
    ------
    BundleError
        If it is no bundle.
    """
    return is_image_manifest(read_bundle_files(Path(path))[MANIFEST])


def load_image_bundle(path: Path) -> ImageBundle:
    """Bundle of a folder or a zip, verified to the last tensor.

    Raises
    ------
    BundleError
        If it is incomplete, was altered, is no bundle of whole-image classifiers, needs a newer
        version or a package that is missing, holds pickles, or its weights do not fit.
    """
    bundle = _read(path)
    bundle.networks()
    return bundle


def read_image_manifest(path: Path) -> ImageManifest:
    """Manifest of a bundle; all hashes are checked, torch is not needed."""
    return _read(path).manifest


def check_image_bundle(path: Path) -> tuple[BundleCheck, ...]:
    """List what was verified about a bundle of whole-image classifiers, for people to read.

    Raises
    ------
    BundleError
        At the first thing that is wrong.
    """
    bundle = load_image_bundle(path)
    manifest = bundle.manifest
    depth, width = manifest.size
    return (
        BundleCheck("bundle", f"{manifest.name} {manifest.version}, {manifest.license}"),
        BundleCheck("bundle.json", f"fits its schema, SHA-256 {bundle.sha256}"),
        BundleCheck("images", f"{manifest.images} Resampled to {width} × {depth} pixels."),
        BundleCheck("trained on", manifest.trained_on),
        BundleCheck("classes", f"{_classes_line(manifest)}; head {manifest.head.value}"),
        BundleCheck("pooling of B-scans", manifest.pooling.value),
        *(
            BundleCheck(
                f"whole-image network {entry.name}",
                f"{entry.config['backbone']}, {entry.size / 1e6:.1f} MB, SHA-256 "
                f"{entry.sha256[:12]}… fits, all tensors fit",
            )
            for entry in manifest.networks
        ),
        *(
            BundleCheck(f"measured: {found.name}", f"{found.value} ({found.data})")
            for found in manifest.measured
        ),
        BundleCheck("model card", f"{len(bundle.model_card.split())} words"),
    )


def write_image_bundle(
    folder: Path,
    draft: ImageManifest,
    networks: Mapping[str, BscanNetwork],
    model_card: str,
) -> ImageBundle:
    """Write a bundle and read it back; nothing is left behind if that fails.

    Parameters
    ----------
    folder : where to write; must not exist
    draft : manifest without networks; its classes, head and size are those of all networks
    networks : name to trained network

    Raises
    ------
    BundleError
        If the parts do not fit one another.
    OutputError
        If the folder exists or cannot be written.
    """
    from RetinaTriageLib.bundle_weights import encode_weights

    for name, network in networks.items():
        _require_same(name, network, draft)
    files = {
        f"{name}.safetensors": encode_weights(name, network.state_dict())
        for name, network in networks.items()
    }
    entries = tuple(
        with_file_facts(ClassifierEntry(name, _own_config(network), BSCAN), files)
        for name, network in networks.items()
    )
    manifest = replace(draft, networks=entries)
    files |= {MANIFEST: image_manifest_json(manifest), MODEL_CARD: model_card.encode()}
    return write_bundle_files(folder, files, load_image_bundle)


def _read(path: Path) -> ImageBundle:
    files = read_bundle_files(Path(path))
    manifest = parse_image_manifest(files[MANIFEST])
    weights = {entry.file: require_weights(files, entry) for entry in manifest.networks}
    card = files[MODEL_CARD].decode("utf-8", errors="replace")
    return ImageBundle(manifest, hashlib.sha256(files[MANIFEST]).hexdigest(), card, weights)


def _network(entry: ClassifierEntry, weights: bytes, manifest: ImageManifest) -> BscanNetwork:
    from RetinaTriageLib.bundle_weights import decode_weights, with_weights, without_data
    from RetinaTriageLib.networks.bscan import OWN, BscanConfig, BscanNetwork
    from RetinaTriageLib.networks.segmentation import SegmentationConfig

    fields = dict(entry.config)
    try:
        if fields.get("encoder") is not None:
            shape: Any = fields["encoder"]
            fields["encoder"] = SegmentationConfig(
                shape["classes"],
                tuple(shape["channels"]),
                tuple(shape["slice_levels"]),
                tuple(shape["branches"]),
            )
        fields["evidence"] = Evidence(fields.get("evidence", Evidence.PICTURE))
        config = BscanConfig(
            classes=manifest.class_names, head=manifest.head, size=manifest.size, **fields
        )
        # timm's networks compute some of their buffers, which need data to compute with.
        built = (
            without_data(lambda: BscanNetwork(config))
            if config.backbone in OWN
            else BscanNetwork(config)
        )
    except InputError as error:
        msg = f"Found that {entry.name} of {manifest.name} cannot be built. {error}"
        raise BundleError(msg) from error
    return with_weights(entry, built, decode_weights(entry, weights))


def _own_config(network: BscanNetwork) -> dict[str, Any]:
    """Return what a network does not share with the manifest."""
    config = asdict(network.config)
    return {key: config[key] for key in ("backbone", "encoder", "attention", "evidence")}


def _require_same(name: str, network: BscanNetwork, manifest: ImageManifest) -> None:
    config = network.config
    found = (config.classes, config.head, config.size)
    wanted = (manifest.class_names, manifest.head, manifest.size)
    if found != wanted:
        msg = (
            f"Found network {name} with classes, head and size {found}; the manifest declares "
            f"{wanted}. Declare those of the network."
        )
        raise BundleError(msg)


def _classes_line(manifest: ImageManifest) -> str:
    return ", ".join(
        found.name if found.referral is None else f"{found.name} ({found.referral})"
        for found in manifest.classes
    )
