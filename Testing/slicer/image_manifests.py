"""Manifest of a bundle of whole-image classifiers, for what reads no weights."""

from RetinaTriageLib.bundle_image_manifest import ImageManifest
from RetinaTriageLib.bundle_manifest import ClassifierEntry
from RetinaTriageLib.image_classes import Head, ImageClass

IMAGES = ImageManifest(
    name="pictures",
    version="1.0",
    license="Apache-2.0",
    description="Nothing.",
    images="Any picture.",
    trained_on="Trained on nothing.",
    trained_on_phantoms_only=True,
    classes=(ImageClass("DRUSEN", "Drusen"), ImageClass("NORMAL", "Normal", finding=False)),
    head=Head.SOFTMAX,
    size=(16, 24),
    networks=(
        ClassifierEntry("network1", {"backbone": "encoder"}, "bscan", "a.safetensors", "0" * 64, 1),
    ),
)
