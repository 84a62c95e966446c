"""Scan files as volume nodes, for Slicer's file reader: drag and drop, Add Data, scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from RetinaTriageLib.errors import InputError, RetinaTriageError
from RetinaTriageSlicer.loaded_scan import makeLocalizerNode, makeScanNode, showNode
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.setup_install import withMissingPackages


def loadScans(
    properties: Mapping[str, Any], onLeftOut: Callable[[str], object] = lambda _message: None
) -> list[Any]:
    """Volume nodes of the scans of a file, all of them unless the property "series" names one.

    Localizers follow behind the scans.

    Parameters
    ----------
    properties : "fileName", and maybe "name" of the node and "series", counted from 1
    onLeftOut : called with the reason why one of several scans was left out

    Raises
    ------
    RetinaTriageError
        If none can be read.
    """
    from RetinaTriageLib.readers.registry import list_series, read_volume

    path = Path(properties["fileName"])
    listed = withMissingPackages(partial(list_series, path))
    readable = [entry.number for entry in listed if entry.refused is None]
    chosen = [int(properties["series"])] if properties.get("series") else (readable or [None])
    nodes, localizers = [], []
    for number in chosen:
        try:
            volume = withMissingPackages(partial(read_volume, path, series=number))
        except RetinaTriageError as error:
            if len(chosen) == 1:
                raise
            onLeftOut(forPanel(f"Scan {number} was left out: {error}"))
            continue
        title = properties.get("name") or volume.name
        title = f"{title} {number}" if len(chosen) > 1 else title
        nodes.append(makeScanNode(volume, title))
        localizers.append(makeLocalizerNode(volume, f"{title} localizer"))
    if not nodes:
        msg = f"{path.name} holds no scan that can be read. Export the macular raster again."
        raise InputError(msg)
    showNode(nodes[0])
    return [*nodes, *(node for node in localizers if node is not None)]
