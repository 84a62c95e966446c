"""Referral and tissue maps on a new scanner, before and after adaptation of a bundle.

The experiment of De Fauw et al., Nature Medicine 24:1342, 2018, on phantoms: the same eyes are
pictured by a known scanner and by one that no network has seen. A handful of labeled B-scans of
other eyes adapts the segmentation networks; classifiers stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from RetinaTriageLib.bundle import Bundle, load_bundle
from RetinaTriageLib.errors import OutputError
from RetinaTriageLib.evaluation.adaptation_eyes import AdaptationStudy, scanned_eye, write_labeled
from RetinaTriageLib.evaluation.case_result import CaseResult, evaluate_case
from RetinaTriageLib.evaluation.case_result_json import (
    Identity,
    read_case_result,
    write_case_result,
)
from RetinaTriageLib.evaluation.ensemble_runs import CASES, EnsembleRuns, case_progress
from RetinaTriageLib.evaluation.evaluate import evaluation_of, require_standard_tissues
from RetinaTriageLib.evaluation.evaluation import Evaluation
from RetinaTriageLib.evaluation.labeled_set import LabeledCase
from RetinaTriageLib.evaluation.phantom_runs import (
    FINGERPRINT_SEED,
    phantom_fingerprint,
    require_case_folder,
)
from RetinaTriageLib.evaluation.unseen_device import unseen_phantom
from RetinaTriageLib.phantoms.devices import SPECTRALIS, with_bscans
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.training.adapt_branch import BranchPlan, BranchStart
from RetinaTriageLib.training.adapt_scanner import (
    Adaptation,
    adapt_scanner,
    nearest_start,
    segmentation_networks,
    untouched_hashes,
)
from RetinaTriageLib.training.checkpoints import plain_value
from RetinaTriageLib.training.sample_folder import Folder

KNOWN, BEFORE, AFTER = "known scanner", "new scanner, before", "new scanner, after"
CONDITIONS = (KNOWN, BEFORE, AFTER)

BUNDLE_FOLDER, LABELED_FOLDER, STUDY_FILE = "bundle", "labeled", "study.json"


@dataclass(frozen=True)
class StudyResult:
    """Everything that was found.

    Attributes
    ----------
    start : what the new branch started as a copy of; "before" used that branch as it was
    evaluations : one for each of `CONDITIONS`
    results : of each condition, a case an eye, in the order of the seeds
    untouched : SHA-256 of what must not change, by network, of the source and of the adapted one
    """

    study: AdaptationStudy
    start: BranchStart
    evaluations: tuple[Evaluation, Evaluation, Evaluation]
    results: tuple[Sequence[CaseResult], Sequence[CaseResult], Sequence[CaseResult]]
    untouched: tuple[dict[str, str], dict[str, str]]
    classifiers: tuple[str, ...]
    adapted_sha256: str


def run_study(
    runs: EnsembleRuns,
    study: AdaptationStudy,
    folder: Path,
    plan: BranchPlan | None = None,
    *,
    limit_s: float | None = None,
    on_progress: OnProgress = ignore_progress,
) -> StudyResult:
    """Adapt the bundle of ``runs`` to the new scanner and evaluate it on all eyes, three times.

    A study that was stopped goes on where it was.

    Parameters
    ----------
    folder : gets the labeled B-scans, the adapted bundle, and a file for each evaluated scan
    limit_s : no eye is begun after so many seconds of evaluation, though one always is

    Raises
    ------
    InputError, OutputError
        If the folder holds another study, or the bundle cannot be adapted.
    """
    require_standard_tissues(runs)
    plan = plan or BranchPlan()
    cases = require_case_folder(folder)
    identity = _identity(runs.bundle, study, plan)
    _require_same_study(folder / STUDY_FILE, identity)
    labeled = Folder(folder / LABELED_FOLDER)
    for number, seed in enumerate(study.labeled_seeds):
        write_labeled(study, seed, labeled.path)
        on_progress(Progress("labeled B-scans", number + 1, study.labeled_eyes))
    start = nearest_start(segmentation_networks(runs.bundle), plan, [labeled])
    adapted = _adapted(
        runs.bundle, study, start.like, labeled, folder / BUNDLE_FOLDER, plan, on_progress
    )
    hashes = untouched_hashes(runs.bundle), untouched_hashes(adapted, study.device.name)
    three_runs = (
        runs,
        replace(runs, scanner=start.like),
        replace(runs, bundle=adapted, scanner=study.device.name),
    )
    results: tuple[list[CaseResult], ...] = ([], [], [])
    begun = time.monotonic()
    for number, seed in enumerate(study.seeds):
        if number and limit_s is not None and time.monotonic() - begun > limit_s:
            break
        report = case_progress(on_progress, number, study.eyes)
        worked = _work_eye(three_runs, study, seed, cases, identity, report)
        for result, of_condition in zip(worked, results, strict=True):
            of_condition.append(result)
        last = [of_condition[-1] for of_condition in results]
        said = ", ".join(f"{result.scores(-1).dice:.2f}" for result in last)
        on_progress(Progress(CASES, number + 1, study.eyes, f"seed {seed}: mean Dice {said}"))
    known, before, after = (
        evaluation_of(condition, of_runs, found, intervals=False)
        for condition, of_runs, found in zip(CONDITIONS, three_runs, results, strict=True)
    )
    return StudyResult(
        study,
        start,
        (known, before, after),
        (results[0], results[1], results[2]),
        hashes,
        tuple(entry.name for entry in runs.bundle.manifest.classifiers),
        adapted.sha256,
    )


def _identity(bundle: Bundle, study: AdaptationStudy, plan: BranchPlan) -> Identity:
    """Give all that results depend on, but the number of evaluated eyes."""
    middle = (study.bscans // 2,)
    shown = unseen_phantom(FINGERPRINT_SEED, study.device, study.bscans, bscans=middle)
    return {
        "source bundle": bundle.sha256,
        "scanner": study.device.name,
        "first seed": study.first_seed,
        "labeled eyes": study.labeled_eyes,
        "labeled B-scans": study.labeled_bscans,
        "number of B-scans": study.bscans,
        "plan": json.dumps(asdict(plan), default=plain_value),
        "picture of the scanner": hashlib.sha256(shown.volume.voxels.tobytes()).hexdigest(),
        "phantom generator": phantom_fingerprint(with_bscans(SPECTRALIS, study.bscans)),
    }


def _require_same_study(path: Path, identity: Identity) -> None:
    """Write down what is studied, or refuse to go on with another study."""
    if not path.exists():
        path.write_text(json.dumps(identity, indent=1), encoding="utf-8")
        return
    found = json.loads(path.read_text(encoding="utf-8"))
    differs = [name for name, value in identity.items() if found.get(name) != value]
    if differs:
        msg = (
            f"{path.parent} holds a study with another {', '.join(differs)}; choose a new folder, "
            "so that results of two studies are not mixed."
        )
        raise OutputError(msg)


def _adapted(
    bundle: Bundle,
    study: AdaptationStudy,
    like: str,
    labeled: Folder,
    out: Path,
    plan: BranchPlan,
    on_progress: OnProgress,
) -> Bundle:
    """Adapt the bundle, or read the one that an earlier run of the study made."""
    if out.exists():
        return load_bundle(out)
    adaptation = Adaptation(study.device.name, start_from=like, phantoms=True)
    return adapt_scanner(bundle, adaptation, [labeled], out, plan, on_progress=on_progress)


def _work_eye(
    three_runs: tuple[EnsembleRuns, EnsembleRuns, EnsembleRuns],
    study: AdaptationStudy,
    seed: int,
    cases: Path,
    of_study: Identity,
    on_progress: OnProgress,
) -> Iterator[CaseResult]:
    """Results of one eye under the three conditions; scans are made where a result is missing."""
    made: dict[bool, LabeledCase] = {}
    for condition, runs in zip(("known", "before", "after"), three_runs, strict=True):
        path = cases / f"{condition}_{seed:06d}.json"
        identity = {**of_study, "bundle": runs.bundle.sha256, "seed": seed}
        if path.exists():
            yield read_case_result(path, identity)
            continue
        new = condition != "known"
        if new not in made:
            made[new] = scanned_eye(study, seed, new=new)
        result = evaluate_case(runs, made[new], on_progress)
        write_case_result(result, identity, path)
        yield result
