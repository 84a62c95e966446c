"""A whole diagnostic study from its tables: classes, readers, subgroups and a second model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.delong import AucComparison, compare_aucs
from RetinaTriageLib.evaluation.diagnostic import (
    ClassFigures,
    OverallFigures,
    StudyOptions,
    class_figures,
    decisions,
    overall_figures,
    study_classes,
)
from RetinaTriageLib.evaluation.diagnostic_readers import (
    ReaderComparison,
    Readers,
    compare_readers,
)
from RetinaTriageLib.evaluation.diagnostic_subgroups import SubgroupFigures, subgroup_figures
from RetinaTriageLib.evaluation.patient_draws import drawn_aucs
from RetinaTriageLib.evaluation.proportions import Interval, percentile_interval
from RetinaTriageLib.evaluation.scored_images import ScoreTable

FEW = 10  # images of a kind below which every interval is wide and approximations are poor
SUM_TOLERANCE = 0.01


@dataclass(frozen=True)
class ModelComparison:
    """Two models on the same images, one class.

    Attributes
    ----------
    delong : takes images as independent
    by_patient : interval of the difference, by a bootstrap of patients
    """

    name: str
    delong: AucComparison
    by_patient: Interval


@dataclass(frozen=True)
class DiagnosticStudy:
    """All figures of a study.

    Attributes
    ----------
    overall : None where classes stand each alone
    other : name of the second model's table; empty without one
    notes : what a reader of the figures has to know
    """

    table: ScoreTable
    options: StudyOptions
    classes: tuple[ClassFigures, ...]
    overall: OverallFigures | None
    subgroups: tuple[SubgroupFigures, ...] = ()
    readers: Readers = field(default_factory=lambda: Readers(()))
    reader_comparisons: tuple[ReaderComparison, ...] = ()
    other: str = ""
    comparisons: tuple[ModelComparison, ...] = ()
    notes: tuple[str, ...] = ()


def diagnostic_study(
    table: ScoreTable,
    options: StudyOptions | None = None,
    *,
    subgroups: Sequence[str] = (),
    readers: Readers | None = None,
    other: ScoreTable | None = None,
) -> DiagnosticStudy:
    """Evaluate a study.

    Parameters
    ----------
    subgroups : columns of the table
    readers : as `read_readers` reads them
    other : a second model's scores of the same files

    Raises
    ------
    InputError
        If no class has images with it and without it, or an option does not fit the table.
    """
    options, readers = options or StudyOptions(), readers or Readers(())
    names = study_classes(table, options)
    decided = decisions(table, options)
    classes = tuple(class_figures(table, name, decided, options) for name in names)
    overall = overall_figures(table, decided, options)
    return DiagnosticStudy(
        table,
        options,
        classes,
        overall,
        subgroup_figures(table, subgroups, names, decided, options),
        readers,
        compare_readers(readers, table, options),
        other.source if other else "",
        compare_models(table, other, names, options) if other else (),
        tuple(_notes(table, options, classes)),
    )


def compare_models(
    table: ScoreTable, other: ScoreTable, names: Sequence[str], options: StudyOptions
) -> tuple[ModelComparison, ...]:
    """Compare the areas under the curves of two models, class by class.

    Raises
    ------
    InputError
        If the second table has not the same files, classes and truth.
    """
    place = {file: row for row, file in enumerate(other.files)}
    missing = [file for file in table.files if file not in place]
    if missing or len(other.files) != len(table.files) or set(names) - set(other.classes):
        msg = (
            f"Found {len(other.files)} files in {other.source}, {len(missing)} of the "
            f"{len(table.files)} of {table.source} not among them; expected the same files and the "
            f"classes {', '.join(names)} in both."
        )
        raise InputError(msg)
    rows = np.array([place[file] for file in table.files])
    found = []
    for name in names:
        at, of_other = table.classes.index(name), other.classes.index(name)
        truth = table.truth[:, at]
        if (other.truth[rows, of_other] != truth).any():
            msg = f"Found different truths about {name} in {table.source} and {other.source}."
            raise InputError(msg)
        pair = table.scores[:, at], other.scores[rows, of_other]
        first, second = (
            drawn_aucs(q, truth, table.groups, seed=options.seed, draws=options.draws) for q in pair
        )
        interval = percentile_interval(first - second)
        found.append(ModelComparison(name, compare_aucs(*pair, truth), interval))
    return tuple(found)


def _notes(
    table: ScoreTable, options: StudyOptions, classes: Sequence[ClassFigures]
) -> Iterator[str]:
    yield from table.notes
    yield _patient_note(table)
    yield (
        f"Bootstrap intervals: {options.draws} draws of whole "
        f"{'images' if table.patients is None else 'patients'}, percentiles 2.5 and 97.5, seed "
        f"{options.seed}. DeLong's intervals take images as independent and are too narrow where "
        "patients have several like ones."
    )
    yield (
        "Predictive values hold at the prevalence of these images. Thresholds of operating points "
        "were chosen on these images, which flatters them; cross-fitted figures decide each "
        "patient by thresholds chosen on others."
    )
    for one in classes:
        kinds = one.present, one.images - one.present
        if min(kinds) == 0:
            yield f"{one.name}: images of one kind only ({kinds[0]} with, {kinds[1]} without it)."
        elif min(kinds) < FEW:
            yield (
                f"{one.name}: {kinds[0]} images with and {kinds[1]} without it; with fewer than "
                f"{FEW} of a kind, intervals are rough."
            )
        if one.auc.value in (0, 1):
            yield (
                f"{one.name}: the scores part the two kinds completely, so that neither DeLong nor "
                "a bootstrap tells how sure that is."
            )
    sums = table.scores.sum(axis=1)
    if table.exclusive and np.abs(sums - 1).max() > SUM_TOLERANCE:
        yield (
            f"Scores of an image add up to {sums.min():.3f} to {sums.max():.3f}, not to 1: they "
            "are no probabilities of exclusive classes, and calibration is to be read so."
        )


def _patient_note(table: ScoreTable) -> str:
    images = len(table.files)
    if table.patients is None:
        return (
            f"{images} images; patients are not stated, so that every interval takes images as "
            "independent. If patients have several images, true intervals are wider."
        )
    patients = len(set(table.patients))
    if patients == images:
        return f"{images} images, one a patient."
    return (
        f"{images} images of {patients} patients: intervals of shares and likelihood ratios count "
        "images of one patient as alike as they are found to be (design effect)."
    )
