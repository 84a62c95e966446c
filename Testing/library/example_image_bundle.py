"""A tiny bundle of whole-image classifiers with random weights, made fresh for each test."""

from __future__ import annotations

from pathlib import Path

from example_bundle import random_network

from RetinaTriageLib.bundle_image_manifest import ImageManifest
from RetinaTriageLib.bundle_images import ImageBundle, write_image_bundle
from RetinaTriageLib.image_classes import Head, ImageClass, Pooling
from RetinaTriageLib.networks.bscan import ENCODER, BscanConfig, BscanNetwork
from RetinaTriageLib.networks.segmentation import SegmentationConfig

CNV = ImageClass("CNV", "Choroidal neovascularization", referral="urgent", condition="cnv")
DRUSEN = ImageClass("DRUSEN", "Drusen", referral="routine", condition="drusen")
NORMAL = ImageClass("NORMAL", "Normal", finding=False, referral="observation", condition="normal")
CLASSES = (CNV, DRUSEN, NORMAL)
SIZE = (16, 24)
ENCODER_SHAPE = SegmentationConfig(channels=(2, 4), slice_levels=(1,), branches=("spectralis",))


def example_image_manifest(
    head: Head = Head.SOFTMAX, pooling: Pooling = Pooling.MAXIMUM
) -> ImageManifest:
    return ImageManifest(
        name="example_images",
        version="1.0",
        license="Apache-2.0",
        description="Random weights for tests.",
        images="Any picture.",
        trained_on="Trained on nothing.",
        trained_on_phantoms_only=True,
        classes=CLASSES,
        head=head,
        size=SIZE,
        pooling=pooling,
    )


def example_network(head: Head = Head.SOFTMAX, attention: int = 0, seed: int = 0) -> BscanNetwork:
    names = tuple(found.name for found in CLASSES)
    network = BscanNetwork(BscanConfig(ENCODER, names, head, SIZE, ENCODER_SHAPE, attention))
    random_network(network, seed)
    return network


def example_image_bundle(
    folder: Path, head: Head = Head.SOFTMAX, attention: int = 0
) -> ImageBundle:
    networks = {"network1": example_network(head, attention)}
    return write_image_bundle(folder, example_image_manifest(head), networks, "# Example\n")
