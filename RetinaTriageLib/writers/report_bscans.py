"""The verdict of whole-image classifiers in a report, alone or beside that of the tissue maps."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from RetinaTriageLib.bscan_agreement import Comparison, compare_result, disagreement
from RetinaTriageLib.bscan_verdict import BscanVerdict, ImageOrigin
from RetinaTriageLib.outcomes import REFERRAL
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.writers.bscan_tables import bscan_rows, score_columns
from RetinaTriageLib.writers.report_curve import curve, legend
from RetinaTriageLib.writers.report_text import number_text

REFERRAL_TITLES = {outcome.name: outcome.title for outcome in REFERRAL.outcomes}
NO_REFERRAL = "no referral stated"


def bscan_section(result: TriageResult) -> str:
    """Section of a case's report; empty where no whole-image classifier judged it."""
    verdict = result.bscan_verdict
    if verdict is None:
        return ""
    comparisons = compare_result(result)
    return (
        '<section id="bscans"><h2>B-scan classifier beside the tissue maps</h2>'
        f"{_disagreement(comparisons)}"
        f'<div class="columns"><div>{comparison_table(comparisons)}</div>'
        f"<div>{class_table(verdict)}</div></div>"
        f"{along_the_volume(verdict)}{origin_line(verdict.origin)}</section>"
    )


def bscan_note(result: TriageResult) -> str:
    """Sentence for the head of a case's report; empty where no whole-image classifier judged."""
    return "" if result.bscan_verdict is None else _disagreement(compare_result(result))


def along_the_volume(verdict: BscanVerdict) -> str:
    """Curve of the scores, what they were pooled by, and all numbers where they are asked for."""
    title = "<h3>Along the volume</h3>"
    drawn = f"{curve(verdict)}{legend(verdict)}" if len(verdict.bscans) > 1 else ""
    return (
        f'{title}{drawn}<p class="fine">{escape(verdict.pooled_by)}</p>'
        f"<details><summary>Scores of every B-scan</summary>{bscan_table(verdict)}</details>"
    )


def class_table(verdict: BscanVerdict) -> str:
    """Classes of the volume with score, referral, and the B-scan that shows each most."""
    rows = []
    for at, each in enumerate(verdict.task.classes):
        decided = each.name in verdict.answer.classes
        referral = REFERRAL_TITLES.get(each.referral or "", "–")
        most = verdict.strongest_bscan(each.name)
        rows.append(
            f'<tr class="{"total" * decided}"><th scope="row">{"✓ " * decided}'
            f"{escape(each.title)}</th><td>{verdict.scores[at]:.3f}</td>"
            f"<td>{most + 1} ({verdict.bscans[most, at]:.3f})</td><td>{escape(referral)}</td></tr>"
        )
    return (
        "<h3>Classes <small>probability, 0 to 1; ✓: decided</small></h3>"
        '<div class="scroll"><table class="numbers"><thead><tr><th scope="col">Class</th>'
        '<th scope="col">Volume</th><th scope="col">Most in B-scan</th>'
        f'<th scope="col">Asks for</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        f"{_referral_line(verdict)}"
    )


def comparison_table(comparisons: Sequence[Comparison]) -> str:
    """Questions that both verdicts answer, side by side."""
    if not comparisons:
        return '<h3>Both verdicts</h3><p class="quiet">No question in common.</p>'
    rows = "".join(
        f'<tr class="{"" if each.agree else "differs"}"><th scope="row">{escape(each.question)}'
        f"</th><td>{escape(each.tissue_maps)} {number_text(each.tissue_maps_score, 2)}</td>"
        f"<td>{escape(each.bscans)} {number_text(each.bscans_score, 2)}</td>"
        f"<td>{'agree' if each.agree else 'differ'}</td></tr>"
        for each in comparisons
    )
    return (
        "<h3>Both verdicts <small>with their scores, 0 to 1</small></h3>"
        '<div class="scroll"><table class="numbers"><thead><tr><th scope="col">Question</th>'
        '<th scope="col">Tissue maps</th><th scope="col">B-scan classifier</th>'
        f'<th scope="col"></th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def bscan_table(verdict: BscanVerdict) -> str:
    """Every B-scan with its probabilities, what they decide for, and its weight."""
    columns = ("bscan", *score_columns(verdict.task), "weight")
    heads = "".join(f'<th scope="col">{escape(name.replace("_", " "))}</th>' for name in columns)
    rows = "".join(
        f'<tr><th scope="row">{first}</th>'
        f"{''.join(f'<td>{_cell(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in bscan_rows(verdict)
    )
    return (
        '<div class="scroll"><table class="numbers"><thead>'
        f"<tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def origin_line(origin: ImageOrigin) -> str:
    """Which classifiers these were, what they were trained on and are for."""
    notes = "".join(f"<br>{escape(note)}" for note in origin.notes)
    return (
        f'<p class="fine"><b>Bundle</b> {escape(origin.bundle_name)}, SHA-256 '
        f"{escape(origin.bundle_sha256)}. <b>Trained on</b> {escape(origin.trained_on)} "
        f"<b>For</b> {escape(origin.images)} Scores are not calibrated. {escape(origin.compute)}, "
        f"{origin.seconds:.1f} s.{notes}</p>"
    )


def _disagreement(comparisons: tuple[Comparison, ...]) -> str:
    differs = any(not each.agree for each in comparisons)
    kind = "callout differs" if differs else "callout"
    return f'<p class="{kind}">{escape(disagreement(comparisons))}</p>'


def _referral_line(verdict: BscanVerdict) -> str:
    referral = verdict.answer.referral
    said = NO_REFERRAL if referral is None else REFERRAL_TITLES[referral]
    scores = ", ".join(f"{REFERRAL_TITLES[n]} {s:.2f}" for n, s in verdict.referrals.items())
    behind = f" <small>{escape(scores)}</small>" if scores else ""
    return f"<p>Referral: <b>{escape(said)}</b>{behind}</p>"


def _cell(cell: str | int | float) -> str:
    return f"{cell:.3f}" if isinstance(cell, float) else escape(str(cell))
