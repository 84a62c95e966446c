"""`retina-triage run`: one case from file to folder."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from RetinaTriageLib.bscan_agreement import compare_result, disagreement
from RetinaTriageLib.cli.geometry import add_geometry_options, read_stated_volume
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.cli.run_images import (
    add_image_options,
    judge_beside,
    run_alone,
    runs_images_alone,
)
from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.result import RESEARCH_USE, Fovea, TriageResult
from RetinaTriageLib.tissues import TissueGroup
from RetinaTriageLib.volume import DeviceFamily, OCTVolume

if TYPE_CHECKING:
    from RetinaTriageLib.pipeline import TriageOptions
    from RetinaTriageLib.writers.case_folder import FileWriter
    from RetinaTriageLib.writers.dicom_case import DicomSource

LESION_GROUPS = (TissueGroup.FLUID, TissueGroup.PED)  # the volumes that the summary names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_geometry_options(parser, adapted_scanners=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the case, made new")
    parser.add_argument("--overwrite", action="store_true", help="replace a case that is there")
    parser.add_argument("--pdf", action="store_true", help="write report.pdf too")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    formats = parser.add_argument_group("formats of hospitals and other software")
    formats.add_argument(
        "--dicom-seg", action="store_true", help="write the consensus as DICOM Segmentation"
    )
    formats.add_argument(
        "--dicom-sr", action="store_true", help="write measurements and scores as DICOM report"
    )
    formats.add_argument("--nifti", action="store_true", help="write the tissue maps as NIfTI")
    model = parser.add_argument_group("model")
    model.add_argument("--bundle", type=Path, help="bundle folder or zip; default: the bundled one")
    model.add_argument("--compute", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    model.add_argument("--slab", type=int, help="B-scans at a time; default: what suits the device")
    model.add_argument("--seed", type=int, default=0, help="of sampled classifier input")
    model.add_argument(
        "--classifier-input",
        choices=("most-likely", "sampled", "probabilities"),
        help="what classification networks see; default: as the bundle says",
    )
    model.add_argument(
        "--operating-point",
        default=OperatingPoint.BALANCED.value,
        choices=[point.value for point in OperatingPoint],
    )
    add_image_options(parser)
    measures = parser.add_argument_group("measurement")
    measures.add_argument(
        "--grid-center",
        nargs="+",
        default=["fovea"],
        metavar=("CENTER", "WIDTH"),
        help="of the ETDRS grid: fovea (found, default), device (its own), or BSCAN WIDTH indices",
    )
    patient = parser.add_argument_group("patient (optional)")
    patient.add_argument("--age", type=float, help="in years")
    patient.add_argument("--sex", choices=("female", "male"))
    patient.add_argument("--visual-acuity", type=float, metavar="LOGMAR", help="of this eye")
    parser.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Work one case; returns the exit code."""
    from RetinaTriageLib.inference.allocator import keep_freed_memory
    from RetinaTriageLib.pipeline import triage
    from RetinaTriageLib.writers.case import REPORT_FILE, save_case
    from RetinaTriageLib.writers.case_folder import require_free_folder

    if runs_images_alone(parsed):
        return run_alone(parsed)
    require_free_folder(parsed.out, overwrite=parsed.overwrite)
    keep_freed_memory()
    source = _dicom_source(parsed)
    volume = read_stated_volume(parsed)
    if source is not None or parsed.nifti:
        volume.require_spacing()
    options = _options(parsed, volume)
    with progress_bar(sys.stderr) as on_progress:
        beside = judge_beside(parsed, volume, on_progress)
        result = triage(volume, parsed.bundle, options, on_progress=on_progress)
        result = replace(result, bscan_verdict=beside)
        on_progress(Progress("write", 0, 1))
        extras = _hospital_formats(parsed, result, source)
        case = save_case(result, parsed.out, extras, pdf=parsed.pdf, overwrite=parsed.overwrite)
        on_progress(Progress("write", 1, 1))
    if parsed.json:
        sys.stdout.write(case.result_json.read_text(encoding="utf-8"))
    else:
        sys.stdout.write(_summary(result, case.extras[REPORT_FILE]))
    return 0


def _dicom_source(parsed: argparse.Namespace) -> DicomSource | None:
    """Find what DICOM results repeat of the input, before the long work, as it may be refused."""
    if not (parsed.dicom_seg or parsed.dicom_sr):
        return None
    from RetinaTriageLib.writers.dicom_case import find_dicom_source

    source = find_dicom_source(
        parsed.input, parsed.series, keep_identifiers=parsed.keep_identifiers
    )
    sys.stderr.write(f"{source.privacy}\n")
    return source


def _hospital_formats(
    parsed: argparse.Namespace, result: TriageResult, source: DicomSource | None
) -> dict[str, FileWriter]:
    from RetinaTriageLib.writers.nifti import nifti_writers

    extras = dict(nifti_writers(result)) if parsed.nifti else {}
    if source is not None:
        from RetinaTriageLib.writers.dicom_case import dicom_writers

        extras |= dicom_writers(
            result, source, segmentation=parsed.dicom_seg, report=parsed.dicom_sr
        )
    return extras


def _options(parsed: argparse.Namespace, volume: OCTVolume) -> TriageOptions:
    from RetinaTriageLib.networks.classifier_input import ClassifierInput
    from RetinaTriageLib.networks.patient import Patient, Sex
    from RetinaTriageLib.pipeline import TriageOptions

    chosen = parsed.classifier_input
    return TriageOptions(
        operating_point=OperatingPoint(parsed.operating_point),
        patient=Patient(parsed.age, Sex(parsed.sex) if parsed.sex else None, parsed.visual_acuity),
        compute=parsed.compute,
        slab_bscans=parsed.slab,
        classifier_input=ClassifierInput(chosen) if chosen else None,
        seed=parsed.seed,
        fovea=_grid_center(parsed.grid_center, volume),
        scanner=None if DeviceFamily.named(parsed.scanner) else parsed.scanner,
    )


def _grid_center(words: list[str], volume: OCTVolume) -> Fovea | None:
    """Fovea that the user set, the device's grid center, or None to find it."""
    if words == ["fovea"]:
        return None
    if words == ["device"]:
        table = volume.record.thickness_table
        if table is None:
            msg = (
                f"{volume.name} holds no thickness table of the device, whose center was asked "
                "for; use --grid-center fovea or --grid-center BSCAN WIDTH."
            )
            raise GeometryError(msg)
        from RetinaTriageLib.measures.fovea import device_center

        return device_center(table)
    try:
        bscan, width = (float(word) for word in words)
    except ValueError:
        msg = (
            f"Found --grid-center {' '.join(words)}; expected fovea, device, or two indices "
            "BSCAN WIDTH."
        )
        raise GeometryError(msg) from None
    return Fovea(bscan, width, uncertainty_mm=0.0, source="user")


def _summary(result: TriageResult, report: Path) -> str:
    """Verdict and main measurements in a few lines, with where the report lies."""
    lines = [f"{result.volume.name}: {_decided(result)}"]
    lines += [
        f"  {measure.tissue.title}: {measure.volume_mm3['all'] * 1000:.1f} nl"
        for measure in result.measurements.tissues
        if measure.tissue.group in LESION_GROUPS and measure.volume_mm3["all"] > 0
    ]
    if result.measurements.etdrs is not None:
        etdrs = result.measurements.etdrs
        cst_um = etdrs.thickness_um["C0"]
        said = f"{cst_um:.0f} µm" if isfinite(cst_um) else "too little of the circle was measured"
        lines.append(f"  CST: {said} ({etdrs.boundaries})")
    if result.bscan_verdict is not None:
        from RetinaTriageLib.writers.image_report import verdict_words

        lines.append(f"  B-scan classifier: {verdict_words(result.bscan_verdict)}")
        lines.append(f"  {disagreement(compare_result(result))}")
    lines += [f"  Not measured: {sentence}" for sentence in result.measurements.refused]
    lines += [f"  Note: {sentence}" for sentence in result.provenance.notes]
    lines += [f"Report: {report}", RESEARCH_USE]
    return "\n".join(lines) + "\n"


def _decided(result: TriageResult) -> str:
    parts = []
    for head in result.vocabulary.heads:
        names = result.verdict.decisions[head.name]
        scores = result.verdict.scores[head.name]
        said = [f"{name} {scores[head.names.index(name)]:.2f}" for name in names]
        parts.append(f"{head.title.lower()} {', '.join(said) or 'none'}")
    return "; ".join(parts)
