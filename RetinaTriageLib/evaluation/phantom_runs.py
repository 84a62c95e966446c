"""Phantoms of several scanners, made and evaluated one after another, with a file for each.

Every scanner gets eyes of its own, so that shares over all scanners have honest intervals: the
eye of a seed would be the same eye for each of them. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from RetinaTriageLib.errors import InputError, OutputError
from RetinaTriageLib.evaluation.case_result import CaseResult, evaluate_case, with_worst_pictures
from RetinaTriageLib.evaluation.case_result_json import (
    Identity,
    read_case_result,
    write_case_result,
)
from RetinaTriageLib.evaluation.ensemble_runs import CASES, EnsembleRuns, case_progress
from RetinaTriageLib.evaluation.evaluate import require_standard_tissues
from RetinaTriageLib.evaluation.labeled_set import phantom_case
from RetinaTriageLib.phantoms.devices import SCANNERS, DeviceProfile, with_bscans
from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress

CASE_FOLDER = "cases"

# One seed whose middle B-scan stands for the whole generator: other phantoms, other results.
FINGERPRINT_SEED = 0


@dataclass(frozen=True)
class PhantomEye:
    """One eye of a plan, and its place in it."""

    scanner: str
    seed: int

    @property
    def name(self) -> str:
        """Name of its case and of its files."""
        return f"{self.scanner}_{self.seed:06d}"


@dataclass(frozen=True)
class PhantomPlan:
    """Which phantoms to evaluate.

    Attributes
    ----------
    scanners : keys of `SCANNERS`
    count : eyes of each scanner; a longer plan begins with the eyes of a shorter one
    bscans : of a phantom, over the scanner's field; None for the scanner's own number
    """

    scanners: tuple[str, ...]
    first_seed: int
    count: int
    bscans: int | None = None

    def __post_init__(self) -> None:
        """Refuse a plan without eyes, and scanners named twice."""
        if self.count < 1 or not self.scanners or len(set(self.scanners)) < len(self.scanners):
            msg = (
                f"Found {self.count} eyes of {list(self.scanners)}; expected at least one eye and "
                "different scanners."
            )
            raise InputError(msg)

    @property
    def seeds(self) -> range:
        """All seeds of the plan; none of them may have served training."""
        return range(self.first_seed, self.first_seed + self.count * len(self.scanners))

    def eyes(self) -> Iterator[PhantomEye]:
        """Eyes in the order of their seeds; scanners take turns."""
        for seed in self.seeds:
            yield PhantomEye(self.scanners[(seed - self.first_seed) % len(self.scanners)], seed)

    def profile(self, scanner: str) -> DeviceProfile:
        """Profile of one scanner with the number of B-scans of the plan."""
        profile = SCANNERS[scanner]
        return profile if self.bscans is None else with_bscans(profile, self.bscans)


def run_phantoms(
    runs: EnsembleRuns,
    plan: PhantomPlan,
    folder: Path,
    *,
    limit_s: float | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Mapping[str, list[CaseResult]]:
    """Results of all phantoms by scanner; each is read from its file where there is one.

    Parameters
    ----------
    folder : gets a subfolder ``cases`` with a JSON and a PNG file for each eye
    limit_s : no eye is begun after so many seconds, though one of each scanner always is

    Raises
    ------
    InputError
        If the folder holds results of another bundle, generator or number of B-scans.
    OutputError
        If the folder holds something else, or cannot be written.
    """
    require_standard_tissues(runs)
    cases = require_case_folder(folder)
    identities = {scanner: _identity(runs, plan, scanner) for scanner in plan.scanners}
    results: dict[str, list[CaseResult]] = {scanner: [] for scanner in plan.scanners}
    begun, total = time.monotonic(), len(plan.seeds)
    for number, eye in enumerate(plan.eyes()):
        path = cases / f"{eye.name}.json"
        identity = {**identities[eye.scanner], "seed": eye.seed}
        known = results[eye.scanner]
        said = ""
        if path.exists():
            result = read_case_result(path, identity)
        elif limit_s is not None and known and time.monotonic() - begun > limit_s:
            break
        else:
            result, said = _evaluate(runs, plan, eye, case_progress(on_progress, number, total))
            write_case_result(result, identity, path)
        results[eye.scanner] = with_worst_pictures([*known, result])
        on_progress(Progress(CASES, number + 1, total, said))
    return results


def require_case_folder(folder: Path) -> Path:
    """Folder of the cases, made where it is missing.

    Raises
    ------
    OutputError
        If the folder holds something else than an evaluation of phantoms.
    """
    cases = folder / CASE_FOLDER
    if folder.exists() and not cases.is_dir() and (not folder.is_dir() or any(folder.iterdir())):
        msg = (
            f"{folder} holds something already that is no evaluation of phantoms; choose a new "
            "folder, or one that an earlier run began."
        )
        raise OutputError(msg)
    try:
        cases.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder} cannot be made ({error}); choose another folder."
        raise OutputError(msg) from error
    return cases


def phantom_fingerprint(profile: DeviceProfile) -> str:
    """Digest of one B-scan of a fixed phantom; it changes when the generator does."""
    phantom = make_phantom(FINGERPRINT_SEED, profile, bscans=(profile.shape[0] // 2,))
    digest = hashlib.sha256(phantom.volume.voxels.tobytes())
    digest.update(phantom.tissue_map.tobytes())
    return digest.hexdigest()


def _identity(runs: EnsembleRuns, plan: PhantomPlan, scanner: str) -> Identity:
    profile = plan.profile(scanner)
    return {
        "bundle": runs.bundle.sha256,
        "scanner": scanner,
        "number of B-scans": profile.shape[0],
        "phantom generator": phantom_fingerprint(profile),
    }


def _evaluate(
    runs: EnsembleRuns, plan: PhantomPlan, eye: PhantomEye, on_progress: OnProgress
) -> tuple[CaseResult, str]:
    """Evaluate one eye; the line is for people."""
    begun, profile = time.monotonic(), plan.profile(eye.scanner)
    case = phantom_case(make_phantom(eye.seed, profile), profile)
    made = time.monotonic()
    result = evaluate_case(runs, replace(case, name=eye.name, patient=eye.name), on_progress)
    return result, (
        f"{eye.name}: mean Dice {result.scores(-1).dice:.3f}; made in {made - begun:.0f} s, "
        f"evaluated in {time.monotonic() - made:.0f} s"
    )
