"""Sample scan of the module: a phantom that comes with it, listed by Slicer under Sample Data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

# Module attribute names as in `volume_node`, which takes time to load at Slicer's start.
LATERALITY = ("RetinaTriage.Laterality", "OD")
DEVICE = ("RetinaTriage.Device", "spectralis")

CATEGORY = "RetinaTriage"
SAMPLE = "RetinaTriagePhantom"
NODE_NAME = "Phantom with macular edema, OD"
FILE_NAME = "phantom_edema_OD.nrrd"
CHECKSUM = "SHA256:f0860504fa0b1464d73fd48b0afedfad86bd81da997a1308f49b0489bb6c202c"
ADDRESS = (
    "https://raw.githubusercontent.com/RetinaTriage/SlicerRetinaTriage/main/Resources/SampleData/"
    + FILE_NAME
)
MODULE_FOLDER = Path(__file__).resolve().parents[1]
# Where the extension is installed, then where it runs from its sources.
FOLDERS = (
    MODULE_FOLDER / "Resources" / "SampleData",
    MODULE_FOLDER.parent / "Resources" / "SampleData",
)


def registerSampleData() -> None:
    """Offer the sample scan; nothing is read or downloaded before the user asks for it."""
    try:
        import SampleData
    except ImportError:  # Slicer can be built, or started, without this module
        return
    icon = MODULE_FOLDER / "Resources" / "Icons" / "RetinaTriage.png"
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=SAMPLE,
        thumbnailFileName=str(icon),
        uris=sampleAddress(),
        fileNames=FILE_NAME,
        nodeNames=NODE_NAME,
        checksums=CHECKSUM,
        customDownloader=_onButton,
    )


def sampleFile() -> Path | None:
    """File of the sample scan on this computer; None where it was left out of an installation."""
    return next((place / FILE_NAME for place in FOLDERS if (place / FILE_NAME).is_file()), None)


def sampleAddress() -> str:
    """Where Slicer gets the scan: a file of this computer, so that it works offline, or GitHub."""
    found = sampleFile()
    return ADDRESS if found is None else found.as_uri()


def loadSample() -> Any:
    """Volume node of the sample scan, with its eye and scanner, which the file cannot state.

    Raises
    ------
    RuntimeError
        If the scan is not on this computer and could not be downloaded.
    """
    found = sampleFile()
    node = slicer.util.loadVolume(str(found), {"name": NODE_NAME}) if found else _downloaded()
    for name, value in (LATERALITY, DEVICE):
        node.SetAttribute(name, value)
    return node


def _onButton(_source: Any) -> None:
    """Answer a click in the Sample Data module."""
    with slicer.util.tryWithErrorDisplay(_("The sample scan could not be loaded.")):
        loadSample()


def _downloaded() -> Any:
    import SampleData

    nodes = SampleData.downloadFromURL(
        uris=ADDRESS, fileNames=FILE_NAME, nodeNames=NODE_NAME, checksums=CHECKSUM
    )
    if not nodes or isinstance(nodes[0], str):
        raise RuntimeError(
            _("The scan could not be downloaded from {address}. Check the network.").format(
                address=ADDRESS
            )
        )
    return nodes[0]
