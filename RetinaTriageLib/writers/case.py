"""A case as users want it: all files of the case folder, with the report."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.writers.case_folder import (
    NO_EXTRAS,
    CasePaths,
    FileWriter,
    FileWriters,
    write_case,
)
from RetinaTriageLib.writers.report import write_report

REPORT_FILE = "report.html"
PDF_FILE = "report.pdf"


def save_case(
    result: TriageResult,
    folder: Path | str,
    formats: FileWriters = NO_EXTRAS,
    *,
    pdf: bool = False,
    overwrite: bool = False,
) -> CasePaths:
    """Write segmentations, tables, ``result.json`` and ``report.html`` into one folder.

    Parameters
    ----------
    formats : file name to writer of further formats, such as `dicom_writers` makes

    Raises
    ------
    OutputError
        If the folder may not be replaced or could not be written; what was there is unchanged.
    """
    extras: dict[str, FileWriter] = {REPORT_FILE: partial(write_report, result), **formats}
    if pdf:
        # Imported late: drawing pages takes a second to load, and most cases have none.
        from RetinaTriageLib.writers.report_pdf import write_pdf

        extras[PDF_FILE] = partial(write_pdf, result)
    return write_case(result, Path(folder), extras, overwrite=overwrite)
