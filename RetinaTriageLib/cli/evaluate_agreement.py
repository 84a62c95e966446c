"""`retina-triage evaluate agreement`: readers and model on a cohort that was read."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_action(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this action to its command."""
    action = actions.add_parser(
        "agreement",
        help="readers against the model, and among each other, on a cohort that was read",
        description="Cohen's kappa with intervals, weighted kappa and penalty from DIR/cohort.csv "
        "and DIR/readings.csv. Writes agreement.csv, agreement_confusion.csv and agreement.html.",
    )
    action.add_argument("cohort", type=Path, metavar="DIR", help="folder of a cohort")
    action.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Write the agreement of one cohort; returns the exit code."""
    from RetinaTriageLib.cohort.agreement_page import kappa_text, write_agreement_page
    from RetinaTriageLib.cohort.agreement_table import write_agreement_tables
    from RetinaTriageLib.cohort.reader_agreement import REFERRAL_QUESTION, reader_agreement

    found = reader_agreement(parsed.cohort)
    table, confusion = write_agreement_tables(found, parsed.cohort)
    page = write_agreement_page(found, parsed.cohort)
    for one in found.comparisons:
        if one.question == REFERRAL_QUESTION:
            observed = one.found.observed
            sys.stdout.write(
                f"{one.first} and {one.second}: same referral in {observed.count} of "
                f"{observed.total} cases, kappa {kappa_text(one.found.kappa)}, linear "
                f"{kappa_text(one.found.linear)}, penalty {one.found.penalty.mean_penalty:.2f}\n"
            )
    sys.stdout.writelines(f"Note: {note}\n" for note in found.notes)
    sys.stdout.write(f"Tables: {table}, {confusion}\nPage: {page}\n")
    return 0
