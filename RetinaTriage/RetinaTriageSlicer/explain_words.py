"""What an explanation says to a person: a sentence on what a score owes most, rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slicer.i18n import tr as _

from RetinaTriageLib.explain.explanation import Explanation, RegionEffect, TissueRegion
from RetinaTriageLib.outcomes import OUTCOME_HEADS, OutcomeHead
from RetinaTriageLib.volume import VoxelSpacing


@dataclass(frozen=True)
class ExplainedScore:
    """One score of an explanation: an answer to a question."""

    head: OutcomeHead
    outcome: str

    @property
    def place(self) -> int:
        """Index of the answer among those of its question."""
        return self.head.names.index(self.outcome)

    @property
    def title(self) -> str:
        """Answer as a person reads it."""
        return self.head.outcomes[self.place].title

    @property
    def text(self) -> str:
        """Question and answer."""
        return _("{question}: {outcome}").format(question=self.head.title, outcome=self.title)


def explainedHeads(explanation: Explanation) -> tuple[OutcomeHead, ...]:
    """Questions that an explanation has scores of."""
    return tuple(head for head in OUTCOME_HEADS if head.name in explanation.scores)


def explainedScores(explanation: Explanation) -> tuple[ExplainedScore, ...]:
    """Every score that an explanation has, in the order of questions and answers."""
    heads = explainedHeads(explanation)
    return tuple(ExplainedScore(head, outcome) for head in heads for outcome in head.names)


def explanationText(
    explanation: Explanation,
    score: ExplainedScore,
    effects: Sequence[tuple[RegionEffect, float]],
) -> str:
    """Say what a score owes most.

    Parameters
    ----------
    effects : regions with the change of the score without them, the largest first
    """
    before = float(explanation.scores[score.head.name][score.place])
    if not effects:
        return _("{outcome} is {before:.2f}; the map has no regions to take out.").format(
            outcome=score.title, before=before
        )
    effect, change = effects[0]
    sentence = (
        _(
            "{outcome} is {before:.2f} on this map. Without the {tissue} at B-scan {bscan} "
            "it is {after:.2f}."
        )
        if effect.region.parts == 1
        else _("{outcome} is {before:.2f} on this map. Without {tissue} it is {after:.2f}.")
    )
    text = sentence.format(
        outcome=score.title,
        before=before,
        tissue=_title(effect.region),
        bscan=effect.region.bscan + 1,
        after=before + change,
    )
    if not explanation.left_out:
        return text
    left = _("{count} smaller regions were not tried one by one.")
    return f"{text}\n{left.format(count=explanation.left_out)}"


def effectRow(
    score: ExplainedScore, effect: RegionEffect, change: float, spacing: VoxelSpacing | None
) -> list[str]:
    """Row of one region: tissue, score without it, change, size and B-scans."""
    region = effect.region
    return [
        _title(region),
        f"{float(effect.scores[score.head.name][score.place]):.2f}",
        f"{change:+.2f}",
        _size(region.voxels, spacing),
        f"{region.first_bscan + 1} - {region.last_bscan + 1}",
    ]


def _size(voxels: int, spacing: VoxelSpacing | None) -> str:
    if spacing is None or spacing.bscan_mm is None:
        return _("unknown")
    return f"{voxels * spacing.voxel_mm3 * 1000:.2f}"


def _title(region: TissueRegion) -> str:
    """Tissue of a region, as a person reads it."""
    name = region.tissue.replace("_", " ")
    if region.parts == 1:
        return name
    return _("all {tissue} ({count} regions)").format(tissue=name, count=region.parts)
