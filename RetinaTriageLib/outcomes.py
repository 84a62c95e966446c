"""The outcome vocabulary: what a classification network answers about an eye.

A head is one question. Heads with ``exclusive`` classes answer with probabilities that add up to 1
(softmax); the others score every class on its own (sigmoid). Names follow US 11,954,902 B2.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One possible answer; ``code`` is a SNOMED CT concept id, None where none is documented."""

    name: str
    title: str
    definition: str
    code: str | None = None


@dataclass(frozen=True)
class OutcomeHead:
    """One question that classification networks answer."""

    name: str
    title: str
    outcomes: tuple[Outcome, ...]
    exclusive: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the outcomes, in the order of the scores."""
        return tuple(outcome.name for outcome in self.outcomes)


REFERRAL = OutcomeHead(
    "referral",
    "Referral urgency",
    (
        Outcome("urgent", "Urgent", "Sight is at risk: to be seen within days."),
        Outcome("semi_urgent", "Semi-urgent", "To be seen within weeks."),
        Outcome("routine", "Routine", "To be seen at the next regular appointment."),
        Outcome("observation", "Observation only", "No referral; follow up if symptoms change."),
    ),
    exclusive=True,
)

# SNOMED CT ids as listed by OpenEyes and EyeDraw; no release was checked for activity. Geographic
# atrophy has no documented id and a normal eye needs none.
CONDITIONS = OutcomeHead(
    "conditions",
    "Conditions",
    (
        Outcome("normal", "Normal", "No condition of this list is present."),
        Outcome("cnv", "Choroidal neovascularization", "New choroidal vessels.", "75971007"),
        Outcome(
            "macular_retinal_edema", "Macular retinal edema", "Fluid in the macula.", "37231002"
        ),
        Outcome("full_macular_hole", "Full macular hole", "Full-thickness gap.", "443437004"),
        Outcome(
            "partial_macular_hole", "Partial macular hole", "Partial-thickness gap.", "312701008"
        ),
        Outcome(
            "central_serous_retinopathy",
            "Central serous retinopathy",
            "Serous detachment of the macula.",
            "312956001",
        ),
        Outcome(
            "vitreomacular_traction",
            "Vitreomacular traction",
            "Vitreous pulls on the fovea.",
            "312901001",
        ),
        Outcome("geographic_atrophy", "Geographic atrophy", "Areas without pigment epithelium."),
        Outcome("drusen", "Drusen", "Deposits below the pigment epithelium.", "30523006"),
        Outcome(
            "epiretinal_membrane",
            "Epiretinal membrane",
            "Membrane on the inner retinal surface.",
            "367649002",
        ),
    ),
    exclusive=False,
)

PROGRESSION = OutcomeHead(
    "progression",
    "Progression",
    (
        Outcome("stable", "Stable", "No change expected within a year."),
        Outcome("slow", "Slow", "Change expected within a year."),
        Outcome("rapid", "Rapid", "Change expected within weeks."),
    ),
    exclusive=True,
)

TREATMENT = OutcomeHead(
    "treatment",
    "Treatment",
    (
        Outcome("none", "None", "No treatment suggested by the map."),
        Outcome("anti_vegf", "Anti-VEGF", "Injection of an inhibitor of vessel growth."),
        Outcome("surgery", "Surgery", "Vitreoretinal surgery."),
    ),
    exclusive=True,
)

OUTCOME_HEADS: tuple[OutcomeHead, ...] = (REFERRAL, CONDITIONS, PROGRESSION, TREATMENT)
