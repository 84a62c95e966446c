"""Straightened retinas and their intraretinal fluid, as ``train fluid`` learns from, a file each.

An ``.npz`` file holds ``gray``, ``fluid`` (the share of each place that is fluid) and ``known``,
uint8 arrays (B-scan, row, column) of 0 to 255, ``ilm_rows``, float32 (B-scan, column), ``version``
of the view, and ``patient_id``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.inference.finish_maps import common_borders
from RetinaTriageLib.inference.lesion_names import measured_scan
from RetinaTriageLib.labels.label_sets import LABEL_SETS
from RetinaTriageLib.measures.surfaces import retina_borders
from RetinaTriageLib.networks.flat_view import BoolArray, FloatArray, flat_view
from RetinaTriageLib.networks.fluid_finding import FLUID
from RetinaTriageLib.networks.fluid_network import VIEW_VERSION
from RetinaTriageLib.networks.gray import tissue_scale
from RetinaTriageLib.networks.lesion_view import GrayArray
from RetinaTriageLib.progress import OnProgress
from RetinaTriageLib.tissues import TISSUES, TissueGroup, labels_of
from RetinaTriageLib.training.answered_cases import AnsweredCase, AnsweredScan, write_missing
from RetinaTriageLib.training.patients import PATIENT_ID
from RetinaTriageLib.volume import LabelArray, OCTVolume

ALL = 255
KEPT = 512
"""Files that stay in memory once read, some 8 MB each."""

FLUIDS = labels_of(TissueGroup.FLUID)
MapsOf = Callable[[OCTVolume], Sequence[LabelArray]]


@dataclass(frozen=True)
class ViewSample:
    """Straightened retina of one scan with what is known of its fluid.

    Attributes
    ----------
    gray, fluid, known : uint8 arrays (B-scan, row, column), 0 to 255
    ilm_rows : float32 array (B-scan, column)
    """

    gray: GrayArray
    fluid: GrayArray
    known: GrayArray
    ilm_rows: FloatArray

    @cached_property
    def with_fluid(self) -> npt.NDArray[np.intp]:
        """B-scans that show fluid."""
        return np.flatnonzero((self.fluid > ALL // 2).any(axis=(1, 2)))


def view_sample(scan: AnsweredScan, maps_of: MapsOf) -> ViewSample | None:
    """Straighten a scan whose tissues are known, at least in part; None where no retina is seen.

    Where every tissue is known the borders of the retina are too. Where some are not, automatic
    maps stand in, and a place that none of them calls fluid is taken for free of it.

    Parameters
    ----------
    maps_of : makes tissue maps of a scan

    Raises
    ------
    InputError
        If nothing was drawn.
    """
    if scan.codes is None:
        msg = (
            f"{scan.volume.name}: found no segmentation; expected one, which says where fluid is. "
            "Draw the tissues that you know."
        )
        raise InputError(msg)
    gray, size = measured_scan(scan.volume, tissue_scale(scan.volume.voxels))
    fluid, known = FLUID_CODES[scan.codes], KNOWN_CODES[scan.codes]
    if scan.codes.max() < len(TISSUES):
        borders = retina_borders(scan.codes)
    else:
        maps = maps_of(scan.volume)
        borders = common_borders([retina_borders(tissue_map) for tissue_map in maps])
        known = known | ~np.logical_or.reduce([np.isin(one, FLUIDS) for one in maps])
    view = flat_view(borders, scan.volume.shape[1], size)
    if not view.seen.any():
        return None
    shown, share, certain = (
        np.rint(view.flattened(values)[view.seen]).astype(np.uint8)
        for values in (gray.raw, fluid * np.uint8(ALL), known * np.uint8(ALL))
    )
    return ViewSample(shown, share, certain, view.ilm_rows[view.seen])


def write_views(
    cases: Sequence[AnsweredCase], maps_of: MapsOf, out_folder: Path, on_progress: OnProgress
) -> int:
    """Write the views of all cases that show a retina; returns how many files are new."""
    left_out = []

    def write(case: AnsweredCase, paths: Mapping[str, Path]) -> None:
        sample = view_sample(case.load(), maps_of)
        if sample is None:
            left_out.append(case.name)
            return
        (path,) = paths.values()
        partial = path.with_suffix(".partial.npz")
        arrays: dict[str, npt.NDArray[np.generic]] = {
            "gray": sample.gray,
            "fluid": sample.fluid,
            "known": sample.known,
            "ilm_rows": sample.ilm_rows,
            "version": np.array(VIEW_VERSION),
            PATIENT_ID: np.array(case.patient),
        }
        np.savez_compressed(partial, **arrays)  # type: ignore[arg-type]  # numpy's stub takes bools too
        partial.replace(path)

    return write_missing(cases, ("",), out_folder, write, on_progress) - len(left_out)


@lru_cache(KEPT)
def read_view(path: Path) -> ViewSample:
    """Read the views of one file.

    Raises
    ------
    InputError
        If the file holds something else, or views of another version.
    """
    names = ("gray", "fluid", "known", "ilm_rows")
    with np.load(path, allow_pickle=False) as file:
        absent = {*names, "version"} - set(file.files)
        version = None if absent else int(file["version"])
        if absent or version != VIEW_VERSION:
            found = f"no {', '.join(sorted(absent))}" if absent else f"version {version}"
            msg = (
                f"{path}: found {found}; expected views of version {VIEW_VERSION}. Write them "
                "again with train fluid-views."
            )
            raise InputError(msg)
        gray, fluid, known, ilm_rows = (file[name] for name in names)
    shapes = [array.shape for array in (gray, fluid, known)]
    if gray.ndim != 3 or len(set(shapes)) > 1 or ilm_rows.shape != gray.shape[::2]:
        msg = (
            f"{path}: found arrays of shapes {shapes} and {ilm_rows.shape}; expected three of "
            "(B-scan, row, column) and one of (B-scan, column). Write them again."
        )
        raise InputError(msg)
    return ViewSample(gray, fluid, known, ilm_rows)


def _code_tables() -> tuple[BoolArray, BoolArray]:
    """Whether a label code says intraretinal fluid, and whether it says anything about it.

    A code of either fluid counts: real labels do not tell them apart.
    """
    allowed = LABEL_SETS
    others = [tissue.label for tissue in TISSUES if tissue.label not in FLUIDS]
    fluid = allowed[:, FLUID] & ~allowed[:, others].any(axis=1)
    return fluid, fluid | ~allowed[:, FLUID]


FLUID_CODES, KNOWN_CODES = _code_tables()
