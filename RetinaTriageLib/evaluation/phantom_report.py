"""The evaluation of phantoms of several scanners: one table and page over all, one for each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from RetinaTriageLib.evaluation.case_result import CaseResult, with_worst_pictures
from RetinaTriageLib.evaluation.ensemble_gain import ensemble_gains, gain_json, gain_text
from RetinaTriageLib.evaluation.ensemble_runs import EnsembleRuns
from RetinaTriageLib.evaluation.evaluate import evaluation_of
from RetinaTriageLib.evaluation.evaluation import Evaluation
from RetinaTriageLib.evaluation.phantom_plots import (
    condition_auc_plot,
    gain_plot,
    scanner_dice_plot,
)
from RetinaTriageLib.evaluation.phantom_runs import PhantomPlan
from RetinaTriageLib.evaluation.phantom_table import DEFINITIONS, phantom_rows
from RetinaTriageLib.evaluation.report import replace_evaluation
from RetinaTriageLib.evaluation.report_json import evaluation_json
from RetinaTriageLib.evaluation.report_page import (
    columns_of_text,
    plot_section,
    report_page,
    section,
)
from RetinaTriageLib.evaluation.report_plots import confusion_plot, volume_bland_altman
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import REFERRAL
from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageLib.writers.report_file import write_whole_text

JSON_FILE, HTML_FILE = "phantoms.json", "phantoms.html"
POOLED = "all"


@dataclass(frozen=True)
class PhantomEvaluation:
    """Evaluations by scanner, and of all scanners together."""

    plan: PhantomPlan
    scanners: Mapping[str, Evaluation]
    pooled: Evaluation

    @property
    def sets(self) -> Mapping[str, Evaluation]:
        """All evaluations by the name of their folder; all scanners together come first."""
        return {POOLED: self.pooled, **self.scanners}


def phantom_evaluation(
    runs: EnsembleRuns,
    plan: PhantomPlan,
    results: Mapping[str, list[CaseResult]],
    point: OperatingPoint = OperatingPoint.BALANCED,
    *,
    intervals: bool = True,
) -> PhantomEvaluation:
    """Scores of the phantoms of every scanner and of all together.

    Parameters
    ----------
    results : of `run_phantoms` with the same plan
    intervals : whether to draw bootstrap intervals of the AUC
    """

    def evaluated(title: str, cases: list[CaseResult]) -> Evaluation:
        name = f"{len(cases)} {title} phantoms, seeds {plan.seeds[0]} to {plan.seeds[-1]}"
        return evaluation_of(name, runs, with_worst_pictures(cases), point, intervals=intervals)

    return PhantomEvaluation(
        plan,
        {scanner: evaluated(scanner, cases) for scanner, cases in results.items()},
        evaluated(" and ".join(results), [case for cases in results.values() for case in cases]),
    )


def write_phantom_evaluation(evaluation: PhantomEvaluation, folder: Path) -> None:
    """Write the summary, and a folder of numbers, tables and report for every set.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    for name, of_set in evaluation.sets.items():
        replace_evaluation(of_set, folder / name)
    facts = json.dumps(phantom_json(evaluation), indent=2, ensure_ascii=False, allow_nan=False)
    write_whole_text(facts + "\n", folder / JSON_FILE)
    write_whole_text(phantom_page(evaluation), folder / HTML_FILE)


def phantom_json(evaluation: PhantomEvaluation) -> dict[str, object]:
    """Numbers of all sets as JSON takes them; what is not known is null."""
    plan = evaluation.plan
    return {
        "seeds": [plan.seeds[0], plan.seeds[-1]],
        "bscans": {scanner: plan.profile(scanner).shape[0] for scanner in plan.scanners},
        "sets": {
            name: {
                **evaluation_json(of_set),
                "gains": [gain_json(gain) for gain in ensemble_gains(of_set)],
            }
            for name, of_set in evaluation.sets.items()
        },
        "definitions": DEFINITIONS.splitlines(),
        "use": RESEARCH_USE,
    }


def phantom_text(evaluation: PhantomEvaluation) -> str:
    """Table with a column for each set, and how the ensemble stands among its members."""
    names = [POOLED, *evaluation.scanners]
    width = 2 + max(22, *(len(name) for name in names))
    lines = [f"{'':<40}" + "".join(f"{name:>{width}}" for name in names)]
    for title, cells in phantom_rows(list(evaluation.sets.values())):
        lines.append(f"{title:<40}" + "".join(f"{cell:>{width}}" for cell in cells))
    lines += ["", "Ensemble against its best member, all scanners:"]
    lines += [f"  {gain_text(gain)}" for gain in ensemble_gains(evaluation.pooled)]
    for scanner, of_scanner in evaluation.scanners.items():
        lines += [f"{scanner}:", *(f"  {gain_text(gain)}" for gain in ensemble_gains(of_scanner))]
    lines += ["", *DEFINITIONS.splitlines()]
    notes = evaluation.pooled.notes
    return "\n".join([*lines, *(f"Note: {note}" for note in notes)]) + "\n"


def phantom_page(evaluation: PhantomEvaluation) -> str:
    """Page over all scanners, with plots and the table."""
    pooled, scanners = evaluation.pooled, evaluation.scanners
    sections = [plot_section("Overlap by tissue", [scanner_dice_plot(pooled, scanners)])]
    if pooled.consensus is not None:
        volumes = [volume_bland_altman(pooled.consensus, name) for name in ("fluid", "ped")]
        sections.append(plot_section("Volumes, all scanners", volumes))
    sections.append(plot_section("Conditions", [condition_auc_plot(pooled, scanners)]))
    if pooled.ensemble is not None:
        referral = pooled.ensemble.of(REFERRAL.name)
        sections.append(plot_section("Referral", [confusion_plot(referral, REFERRAL.title)]))
    gains = [gain_plot(gain) for gain in ensemble_gains(pooled)]
    sections.append(plot_section("The ensemble among its members", gains))
    sections.append(section("Numbers", columns_of_text(phantom_text(evaluation))))
    links = "".join(
        f'<p><a href="{name}/evaluation.html">{name}</a></p>' for name in evaluation.sets
    )
    sections.append(section("Each set by itself", links))
    bundle = pooled.bundle
    lead = (
        f"Trained on: {bundle.trained_on}",
        f"Operating point {bundle.operating_point}, {bundle.calibration}",
        f"Computed on {bundle.compute}; bundle SHA-256 {bundle.sha256}",
    )
    return report_page(f"{bundle.name} on {pooled.set_name}", lead, sections)
