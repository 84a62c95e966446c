"""Where the weights of a backbone come from: a bundle, a run, a file, timm's hub, or nowhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from RetinaTriageLib.bundle import SHIPPED, load_bundle
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Evidence, Head
from RetinaTriageLib.networks.bscan import ENCODER, OWN, TIMM, BscanConfig, BscanNetwork
from RetinaTriageLib.networks.bscan_backbones import EncoderBackbone, TimmBackbone, encoder_config
from RetinaTriageLib.networks.segmentation import SegmentationConfig, SegmentationNetwork
from RetinaTriageLib.training.checkpoints import read_tensors
from RetinaTriageLib.training.optimization import BEST
from RetinaTriageLib.training.trained_segmenter import trained_segmenter

HUB = "hub"
RANDOM = "random"
DEFAULT_BUNDLE = SHIPPED / "macula"
SHOWN = 3


@dataclass(frozen=True)
class BackboneSource:
    """A backbone and its first weights.

    Attributes
    ----------
    backbone : "encoder", "decoder", or "timm:" and a name
    weights : "random"; "hub" for what timm downloads; or a path: for timm a ``.safetensors`` file
        of that model, for own backbones a bundle, or the ``.safetensors`` file or run folder of a
        segmentation network
    member : number of the segmentation network of a bundle, from 0
    branch : scanner branch of the segmentation network
    """

    backbone: str = ENCODER
    weights: str = str(DEFAULT_BUNDLE)
    member: int = 0
    branch: str = "spectralis"


def bscan_network(
    source: BackboneSource,
    classes: tuple[str, ...],
    head: Head,
    size: tuple[int, int],
    seed: int,
    evidence: Evidence = Evidence.PICTURE,
) -> BscanNetwork:
    """Whole-image network with the first weights of its backbone and a head newly drawn.

    Raises
    ------
    InputError
        If the weights cannot be had, or are of another network.
    """
    torch.manual_seed(seed)
    if source.backbone in OWN:
        taught = _segmentation_network(source)
        shape = SegmentationConfig() if taught is None else taught.config
        config = BscanConfig(
            source.backbone,
            classes,
            head,
            size,
            encoder=encoder_config(shape, source.branch),
            evidence=evidence,
        )
        network = BscanNetwork(config)
        if taught is not None:
            assert isinstance(network.backbone, EncoderBackbone)
            network.backbone.take_weights(taught, source.branch)
        return network
    network = BscanNetwork(BscanConfig(source.backbone, classes, head, size, evidence=evidence))
    if source.weights != RANDOM:
        assert isinstance(network.backbone, TimmBackbone)
        _load_timm(network.backbone.network, source)
    return network


def backbone_digest(network: BscanNetwork) -> str:
    """SHA-256 of the weights of a backbone."""
    digest = hashlib.sha256()
    for name, value in sorted(network.backbone.state_dict().items()):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _segmentation_network(source: BackboneSource) -> SegmentationNetwork | None:
    """Segmentation network that the encoder is taken from; None for random weights."""
    if source.weights == RANDOM:
        return None
    if source.weights == HUB:
        msg = (
            f"Found weights 'hub' for the backbone {source.backbone!r}; expected a bundle, a file "
            "or 'random'."
        )
        raise InputError(msg)
    path = Path(source.weights)
    run = path / BEST
    if run.is_file() or path.suffix == ".safetensors":
        file = run if run.is_file() else path
        return trained_segmenter(file, *read_tensors(file))
    members = load_bundle(path).segmentation_networks()
    unets = [network for network in members if isinstance(network, SegmentationNetwork)]
    if not 0 <= source.member < len(unets):
        msg = (
            f"Found {len(unets)} U-Nets in bundle {path.name}; expected one of number "
            f"{source.member}, from 0. Choose another member or bundle."
        )
        raise InputError(msg)
    return unets[source.member].requires_grad_(requires_grad=True)


def _load_timm(network: nn.Module, source: BackboneSource) -> None:
    name = source.backbone.removeprefix(TIMM)
    stored = _hub_tensors(name) if source.weights == HUB else read_tensors(Path(source.weights))[0]
    expected = network.state_dict()
    # A file of the whole model also has its last layer, which is not used here.
    lacking = sorted(
        key
        for key, value in expected.items()
        if key not in stored or stored[key].shape != value.shape
    )
    if lacking:
        msg = (
            f"Found weights in {source.weights} that do not fit {source.backbone}: {len(lacking)} "
            f"tensors are missing or of another shape, such as {', '.join(lacking[:SHOWN])}. "
            "Choose the weights of this very model, in timm's names."
        )
        raise InputError(msg)
    network.load_state_dict({key: stored[key] for key in expected})


def _hub_tensors(name: str) -> Mapping[str, Tensor]:
    import timm

    try:
        network: nn.Module = timm.create_model(name, pretrained=True, num_classes=0)
    except Exception as error:  # the hub's client raises what it likes
        msg = (
            f"Found that timm's hub gives no weights of {name} ({type(error).__name__}: {error}); "
            "expected a connection. Download model.safetensors elsewhere and name the file as "
            "--weights, or train with --weights random."
        )
        raise InputError(msg) from error
    return network.state_dict()
