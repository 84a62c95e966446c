"""`retina-triage evaluate classification`: statistics of a diagnostic study from a table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from RetinaTriageLib.cli.evaluate_options import Actions

EPILOG = """\
SCORES.csv: columns file, patient (where known), truth, one a class with its score in 0..1, and any
others. A truth may name several classes, parted by ";". `train transfer` writes such a table.
READERS.csv: reader, class, sensitivity, specificity; or file, reader, answer.
A cohort: cohort.csv --prefix referral_ --file-column case_id --truths TRUTHS.csv, with case_id and
truth in TRUTHS.csv."""


def add_action(actions: Actions) -> None:
    """Add the action `classification`."""
    parser = actions.add_parser(
        "classification",
        help="ROC, likelihood ratios, calibration, readers and subgroups from a table of scores",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scores", type=Path, metavar="SCORES.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder of the report, made new")
    parser.add_argument("--readers", type=Path, metavar="READERS.csv", help="human readers")
    parser.add_argument(
        "--compare", type=Path, metavar="OTHER.csv", help="a second model's scores of these files"
    )
    parser.add_argument(
        "--subgroups", nargs="+", default=[], metavar="COLUMN", help="columns to part images by"
    )
    _add_table_options(parser.add_argument_group("table"))
    _add_study_options(parser.add_argument_group("figures"))
    parser.set_defaults(command=classification)


def classification(parsed: argparse.Namespace) -> int:
    """Evaluate a study; writes report and tables, prints the main figures."""
    from RetinaTriageLib.evaluation.diagnostic import StudyOptions, study_classes
    from RetinaTriageLib.evaluation.diagnostic_page import PAGE_FILE, write_study
    from RetinaTriageLib.evaluation.diagnostic_readers import read_readers
    from RetinaTriageLib.evaluation.diagnostic_study import diagnostic_study
    from RetinaTriageLib.evaluation.diagnostic_text import study_text
    from RetinaTriageLib.evaluation.penalty_table import read_penalty
    from RetinaTriageLib.evaluation.reliability import Binning
    from RetinaTriageLib.evaluation.report import require_new_folder
    from RetinaTriageLib.evaluation.score_table import ScoreColumns, read_scores

    require_new_folder(parsed.out)
    columns = ScoreColumns(
        parsed.file_column,
        parsed.patient_column,
        parsed.truth_column,
        tuple(parsed.classes) if parsed.classes else None,
        parsed.prefix,
        parsed.several,
    )
    table = read_scores(parsed.scores, columns, parsed.truths)
    options = StudyOptions(
        parsed.positive,
        parsed.threshold,
        parsed.target,
        read_penalty(parsed.penalties, table.classes) if parsed.penalties else None,
        Binning(parsed.bins),
        parsed.draws,
        parsed.seed,
    )
    readers = None
    if parsed.readers is not None:
        readers = read_readers(parsed.readers, table, study_classes(table, options), options)
    study = diagnostic_study(
        table,
        options,
        subgroups=parsed.subgroups,
        readers=readers,
        other=read_scores(parsed.compare, columns, parsed.truths) if parsed.compare else None,
    )
    write_study(study, parsed.out)
    sys.stdout.write(f"{study_text(study)}Report: {parsed.out / PAGE_FILE}\n")
    return 0


def _add_table_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--truths", type=Path, metavar="TRUTHS.csv", help="table with truths, where apart"
    )
    group.add_argument("--file-column", default="file")
    group.add_argument("--patient-column", default="patient")
    group.add_argument("--truth-column", default="truth")
    group.add_argument(
        "--classes", nargs="+", metavar="CLASS", help="default: the columns that truths name"
    )
    group.add_argument("--prefix", default="", help="of the columns of classes, as referral_")
    group.add_argument(
        "--several", action="store_true", help="a truth may name several classes, or none"
    )


def _add_study_options(group: argparse._ArgumentGroup) -> None:
    from RetinaTriageLib.operating_points import TARGET_RATE

    group.add_argument("--positive", metavar="CLASS", help="the class to tell; default: each")
    group.add_argument(
        "--threshold",
        type=_share,
        help="score that decides; default: the highest score, or 0.5 where classes stand alone",
    )
    group.add_argument(
        "--target",
        type=_share,
        default=TARGET_RATE,
        help=f"rate of the one-sided operating points (default {TARGET_RATE})",
    )
    group.add_argument(
        "--penalties",
        type=Path,
        metavar="PENALTIES.csv",
        help="actual classes in rows, decided in columns; default: Kermany's, or 1 a mistake",
    )
    group.add_argument("--bins", default="width", choices=("width", "count"), help="of calibration")
    group.add_argument("--draws", type=_draws, default=2000, help="of the bootstrap (default 2000)")
    group.add_argument("--seed", type=int, default=0)


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        msg = f"{text} is not between 0 and 1"
        raise argparse.ArgumentTypeError(msg)
    return value


def _draws(text: str) -> int:
    value = int(text)
    if value < 100:
        msg = f"{text} is too few; 100 at least"
        raise argparse.ArgumentTypeError(msg)
    return value
