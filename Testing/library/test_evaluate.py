from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_bundle import example_bundle

from RetinaTriageLib.bundle_manifest import LineScans
from RetinaTriageLib.calibration import Calibration
from RetinaTriageLib.errors import CancelledError, InputError, OutputError
from RetinaTriageLib.evaluation.ensemble_runs import EnsembleRuns
from RetinaTriageLib.evaluation.evaluate import evaluate_bundle
from RetinaTriageLib.evaluation.evaluation import CONSENSUS, ENSEMBLE, Evaluation
from RetinaTriageLib.evaluation.labeled_set import LabeledCase, LabeledSet
from RetinaTriageLib.evaluation.opinion_scores import JudgedCase, opinion_evaluations
from RetinaTriageLib.evaluation.report import write_evaluation
from RetinaTriageLib.evaluation.report_json import evaluation_json
from RetinaTriageLib.evaluation.report_text import evaluation_text
from RetinaTriageLib.hypotheses import Opinion
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import CONDITIONS, OUTCOME_HEADS, REFERRAL
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.result import Fovea
from RetinaTriageLib.volume import Laterality, OCTVolume, VoxelSpacing

SPACING = VoxelSpacing(0.24, 0.0125, 0.05)
SHAPE = (3, 32, 40)


def runs(folder: Path, segmenters: int = 2, classifiers: int = 2) -> EnsembleRuns:
    return EnsembleRuns(example_bundle(folder, segmenters, classifiers), choose_compute("cpu"))


def case(number: int, *, labeled: bool = True, answered: bool = True) -> LabeledCase:
    """Speckle with layers as labels, and an answer."""
    rng = np.random.default_rng(number)
    voxels = rng.integers(256, size=SHAPE, dtype=np.uint8)
    codes = np.full(SHAPE, 11, np.uint8)
    codes[:, :8], codes[:, 8:20], codes[:, 20:22] = 0, 3, 7
    names = CONDITIONS.names
    answers = {
        "referral": {name: index == number % 4 for index, name in enumerate(REFERRAL.names)},
        "conditions": {name: (index + number) % 2 == 0 for index, name in enumerate(names)},
    }
    return LabeledCase(
        f"case{number}",
        OCTVolume(voxels, SPACING, Laterality.OD, name=f"case{number}"),
        codes if labeled else None,
        answers if answered else {},
        f"patient{number}",
        Fovea(1.0, 20.0, 0.0, "test"),
    )


def evaluated(folder: Path, cases: list[LabeledCase]) -> Evaluation:
    of = LabeledSet("a set", len(cases), lambda number: cases[number])
    return evaluate_bundle(runs(folder), of, intervals=False)


def test_every_member_every_pair_and_the_ensemble_are_scored(tmp_path: Path) -> None:
    evaluation = evaluated(tmp_path / "bundle", [case(0), case(1)])
    assert [m.segmenter for m in evaluation.maps] == ["segmenter0", "segmenter1", CONSENSUS]
    assert [o.judge for o in evaluation.opinions] == [
        "segmenter0 × classifier0",
        "segmenter0 × classifier1",
        "segmenter1 × classifier0",
        "segmenter1 × classifier1",
        ENSEMBLE,
    ]
    assert {head.head for head in evaluation.opinions[0].heads} == {"referral", "conditions"}


def test_pooled_counts_are_the_sum_of_the_cases(tmp_path: Path) -> None:
    evaluation = evaluated(tmp_path / "bundle", [case(0), case(1)])
    consensus = evaluation.consensus
    assert consensus is not None
    retina = next(o for o in consensus.pooled if o.name == "neurosensory_retina")
    assert retina.truth_voxels == 2 * 3 * 12 * 40
    assert retina.hits == sum(m.of("neurosensory_retina").hits for m in consensus.maps)
    voxel_nl = 0.24 * 12.5 * 0.05
    truth_nl, _ = consensus.maps[0].volume_nl("neurosensory_retina")
    assert truth_nl == pytest.approx(3 * 12 * 40 * voxel_nl)
    assert set(consensus.maps[0].surfaces) == {"ilm", "inner_rpe", "bruch"}


def test_scores_are_those_of_the_bundles_own_output(tmp_path: Path) -> None:
    evaluation = evaluated(tmp_path / "bundle", [case(0)])
    output = runs(tmp_path / "again").run(case(0).volume)
    opinions = np.array([[o.scores["referral"] for o in of_map] for of_map in output.opinions])
    np.testing.assert_allclose(
        evaluation.answers["referral"].raw[0], opinions.mean(axis=(0, 1)), atol=1e-6
    )
    assert evaluation.answers["referral"].truth[0].tolist() == [1, 0, 0, 0]


def test_case_without_labels_or_answers_counts_in_neither(tmp_path: Path) -> None:
    evaluation = evaluated(tmp_path / "bundle", [case(0, answered=False), case(1, labeled=False)])
    assert len(evaluation.cases) == 2
    assert [m.case for m in evaluation.maps[-1].maps] == ["case0"]
    assert evaluation.ensemble is not None
    exclusive = evaluation.ensemble.of("referral").exclusive
    assert exclusive is not None
    assert exclusive.error.total == 1


def test_set_without_any_answer_has_no_opinions(tmp_path: Path) -> None:
    evaluation = evaluated(tmp_path / "bundle", [case(0, answered=False)])
    assert evaluation.opinions == ()
    assert evaluation.answers == {}
    assert "Ensemble" not in evaluation_text(evaluation)


def test_partial_labels_and_unknown_spacing_leave_measures_open(tmp_path: Path) -> None:
    whole = case(0)
    assert whole.codes is not None
    codes = whole.codes.copy()
    codes[0, 9, 3] = 255
    partial = replace(whole, codes=codes, volume=replace(whole.volume, spacing=None))
    consensus = evaluated(tmp_path / "bundle", [partial]).consensus
    assert consensus is not None
    assert consensus.maps[0].surfaces == {}
    assert consensus.maps[0].center is None
    assert np.isnan(consensus.median_volume_error_nl("fluid"))
    assert np.isnan(consensus.surface_um("ilm")).all()


def test_ensemble_can_be_better_than_its_best_pair(tmp_path: Path) -> None:
    bundle = example_bundle(tmp_path / "bundle", 1, 3)
    others = {h.name: np.ones(len(h.outcomes)) / 2 for h in OUTCOME_HEADS if h != REFERRAL}
    answers = {"referral": {name: name == "urgent" for name in REFERRAL.names}}
    cases = []
    for wrong in range(3):  # a different classifier is wrong on each case
        right, mistaken = np.array([0.6, 0.4, 0, 0]), np.array([0.4, 0.6, 0, 0])
        opinions = tuple(
            Opinion(f"c{c}", {**others, "referral": mistaken if c == wrong else right})
            for c in range(3)
        )
        cases.append(JudgedCase(f"case{wrong}", f"p{wrong}", 3, answers, (opinions,)))
    *pairs, ensemble = opinion_evaluations(cases, bundle, OperatingPoint.BALANCED, intervals=False)
    errors = [pair.of("referral").exclusive.error.count for pair in (*pairs, ensemble)]
    assert errors == [1, 1, 1, 0]


def test_single_bscans_are_decided_by_points_of_their_own(tmp_path: Path) -> None:
    bundle = example_bundle(tmp_path / "bundle")
    factors = {"urgent": 1.0, "semi_urgent": 4.0, "routine": 1.0, "observation": 1.0}
    own = Calibration({"balanced": {"referral": factors}}, "9 lines")
    bundle = replace(bundle, manifest=replace(bundle.manifest, line_scans=LineScans(own)))
    others = {h.name: np.ones(len(h.outcomes)) / 2 for h in OUTCOME_HEADS if h != REFERRAL}
    opinion = Opinion("c", {**others, "referral": np.array([0.6, 0.4, 0, 0])})
    answers = {"referral": {name: name == "urgent" for name in REFERRAL.names}}
    cases = [JudgedCase(f"{n}", f"{n}", n, answers, ((opinion,),)) for n in (1, 2)]
    found = [
        opinion_evaluations(chosen, bundle, OperatingPoint.BALANCED, intervals=False)[-1]
        for chosen in (cases[:1], cases[1:], cases)
    ]
    errors = [one.of("referral").exclusive.error.count for one in found]
    assert errors == [1, 0, 1]


def test_report_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    cases = [replace(case(n), name=f"<b>{n}") for n in range(3)]
    evaluation = evaluated(tmp_path / "bundle", cases)
    write_evaluation(evaluation, tmp_path / "report")
    page = (tmp_path / "report" / "evaluation.html").read_text(encoding="utf-8")
    assert "<b>0" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("data:image/png") >= 5
    assert page.count("data:image/jpeg;base64,/9j/") == page.count("data:image/jpeg") == 1
    facts = json.loads((tmp_path / "report" / "evaluation.json").read_text(encoding="utf-8"))
    assert facts == json.loads(json.dumps(evaluation_json(evaluation)))
    with (tmp_path / "report" / "tissues.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 17
    with (tmp_path / "report" / "confusion.csv").open(encoding="utf-8") as file:
        assert sum(int(row["cases"]) for row in csv.DictReader(file)) == 3


def test_folder_that_holds_something_is_not_replaced(tmp_path: Path) -> None:
    evaluation = evaluated(tmp_path / "bundle", [case(0)])
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds something already"):
        write_evaluation(evaluation, tmp_path / "report")


def test_user_can_stop_in_the_middle_of_a_case(tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.done == 1:
            raise CancelledError("stopped")

    cases = LabeledSet("a set", 2, case)
    with pytest.raises(CancelledError):
        evaluate_bundle(runs(tmp_path / "bundle", 1, 1), cases, on_progress=stop)


def test_bundle_of_other_tissues_is_refused(tmp_path: Path) -> None:
    of = runs(tmp_path / "bundle", 1, 1)
    manifest = replace(of.bundle.manifest, tissues=of.bundle.manifest.tissues[:-1])
    other = replace(of, bundle=replace(of.bundle, manifest=manifest))
    with pytest.raises(InputError, match="declares those"):
        evaluate_bundle(other, LabeledSet("a set", 1, case))
