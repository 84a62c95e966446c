"""Adapt a bundle to a new scanner: one more branch in each network, and nothing else changed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from RetinaTriageLib.bundle import Bundle, save_bundle
from RetinaTriageLib.bundle_manifest import Manifest, SegmenterEntry
from RetinaTriageLib.errors import InputError, OutputError
from RetinaTriageLib.inference.allocator import keep_freed_memory
from RetinaTriageLib.networks.segmentation import SegmentationNetwork, require_branch
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.training.adapt_branch import (
    BranchPlan,
    BranchStart,
    labeled_bscans,
    start_losses,
    train_branch,
)
from RetinaTriageLib.training.adapt_card import AdaptationFacts, adapted_card, adapted_manifest
from RetinaTriageLib.training.checkpoints import plain_value
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.stacks import StackLibrary
from RetinaTriageLib.volume import DeviceFamily

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
RUN_FACTS = "adaptation.json"


@dataclass(frozen=True)
class Adaptation:
    """What a bundle is to be adapted to.

    Attributes
    ----------
    scanner : name of the new branch, by which `run --scanner` chooses it
    family : scans of this device family take the new branch of themselves; None changes nothing
        for them
    start_from : branch that the new one is copied from; None takes the nearest, which has the
        lowest loss on the labeled B-scans. Whether for inverted gray is told by that loss too
    phantoms : whether the labeled B-scans are phantoms
    """

    scanner: str
    family: DeviceFamily | None = None
    start_from: str | None = None
    phantoms: bool = False

    def __post_init__(self) -> None:
        """Refuse names that a branch cannot have."""
        if not NAME.fullmatch(self.scanner) or hasattr(nn.ModuleDict(), self.scanner):
            msg = (
                f"Found the scanner name {self.scanner!r}; expected up to 32 letters, digits, "
                "hyphens and underscores, such as plex-9000."
            )
            raise InputError(msg)


def adapt_scanner(
    bundle: Bundle,
    adaptation: Adaptation,
    folders: Sequence[Folder],
    out: Path,
    plan: BranchPlan | None = None,
    *,
    held_out: Sequence[Path] = (),
    on_progress: OnProgress = ignore_progress,
) -> Bundle:
    """Write a bundle with a new branch, trained on labeled B-scans of one scanner.

    The common block of every segmentation network, its other branches and all classifiers stay as
    they are; files of classifiers are copied byte by byte. The runs lie beside the bundle, in
    ``out`` with ``.runs`` at its end, so that a killed adaptation goes on.

    Parameters
    ----------
    folders : labeled B-scans, as for `train_segmentation`; all count as of the new scanner
    out : folder of the new bundle; must not exist
    held_out : folders to choose the best weights by, of eyes that are in none of ``folders``

    Raises
    ------
    InputError
        If the name is taken, a folder holds no labeled B-scans, or no network has branches.
    OutputError
        If ``out`` exists, or holds runs of another adaptation.

    References
    ----------
    De Fauw et al., Nature Medicine 24:1342, 2018: a new scanner needs new segmentations alone.
    """
    plan = plan or BranchPlan()
    if out.exists():
        msg = f"Found {out} already; a bundle is never overwritten. Choose a folder that is new."
        raise OutputError(msg)
    keep_freed_memory()
    networks = segmentation_networks(bundle)
    _require_free(adaptation.scanner, networks)
    start = nearest_start(networks, plan, folders, adaptation.start_from, on_progress)
    runs = out.with_name(f"{out.name}.runs")
    _require_same_run(runs, bundle, replace(adaptation, start_from=start.title), folders, plan)
    for number, (name, network) in enumerate(networks.items()):
        train_branch(
            network,
            adaptation.scanner,
            start,
            replace(plan, seed=plan.seed + number),
            folders,
            runs / name,
            held_out=held_out,
            on_progress=_named(name, on_progress),
        )
    facts = AdaptationFacts(
        adaptation.scanner,
        start.title,
        adaptation.family,
        tuple(networks),
        _data(folders),
        plan.optimization.iterations,
        phantoms=adaptation.phantoms,
    )
    draft = adapted_manifest(_with_branch(bundle.manifest, adaptation, networks), facts)
    weights: dict[str, Mapping[str, Tensor]] = {
        name: network.state_dict() for name, network in networks.items()
    }
    card = adapted_card(bundle, facts)
    adapted = save_bundle(out, draft, weights, card, kept=bundle.weights)
    assert untouched_hashes(adapted, adaptation.scanner) == untouched_hashes(bundle)
    return adapted


def segmentation_networks(bundle: Bundle) -> dict[str, SegmentationNetwork]:
    """Networks of a bundle that have scanner adaptation branches, by name.

    Raises
    ------
    InputError
        If there is none.
    """
    found = {
        entry.name: network
        for entry, network in zip(
            bundle.manifest.segmenters, bundle.segmentation_networks(), strict=True
        )
        if isinstance(network, SegmentationNetwork)
    }
    if not found:
        msg = (
            f"Found no network with scanner branches in {bundle.manifest.name}; its segmenters are "
            f"{', '.join(entry.kind for entry in bundle.manifest.segmenters)}. Train them anew."
        )
        raise InputError(msg)
    return found


def nearest_start(
    networks: Mapping[str, SegmentationNetwork],
    plan: BranchPlan,
    folders: Sequence[Folder],
    like: str | None = None,
    on_progress: OnProgress = ignore_progress,
) -> BranchStart:
    """Start with the lowest mean loss on the labeled B-scans of those that all networks have.

    Parameters
    ----------
    like : only copies of this branch are compared, for gray as it is and inverted

    Raises
    ------
    InputError
        If a network lacks the branch ``like``, or no branch is in all of them.
    """
    if like is not None:
        for network in networks.values():
            require_branch(network.config, like)
    shared = [like] if like else _shared_branches(networks)
    losses = []
    for number, network in enumerate(networks.values()):
        on_progress(Progress("compare branches", number, len(networks)))
        losses.append(start_losses(network, shared, plan, folders))
    return min(losses[0], key=lambda start: float(np.mean([row[start] for row in losses])))


def _shared_branches(networks: Mapping[str, SegmentationNetwork]) -> list[str]:
    """Branches that all networks have, in the order of the first."""
    first, *others = (network.config.branches for network in networks.values())
    shared = [name for name in first if all(name in of_network for of_network in others)]
    if not shared:
        msg = "Found no branch that all networks have; name one to start from."
        raise InputError(msg)
    return shared


def untouched_hashes(bundle: Bundle, new_branch: str | None = None) -> dict[str, str]:
    """SHA-256 of all that an adaptation must not change, by network.

    For a segmentation network that is every tensor but those of ``new_branch``, in the order of
    their names; for everything else the file as it is.
    """
    branched = segmentation_networks(bundle)
    hashes = {
        entry.name: hashlib.sha256(bundle.weights[entry.file]).hexdigest()
        for entry in bundle.manifest.networks
        if entry.name not in branched
    }
    for name, network in branched.items():
        digest = hashlib.sha256()
        for key, value in sorted(network.state_dict().items()):
            if new_branch is None or not key.startswith(f"branches.{new_branch}."):
                digest.update(f"{key} {value.dtype} {tuple(value.shape)}\n".encode())
                digest.update(value.contiguous().numpy().tobytes())
        hashes[name] = digest.hexdigest()
    return hashes


def _require_free(scanner: str, networks: Mapping[str, SegmentationNetwork]) -> None:
    taken = [name for name, network in networks.items() if scanner in network.config.branches]
    if taken:
        msg = (
            f"Found a branch {scanner!r} in {', '.join(taken)} already; choose another name, such "
            f"as {scanner}-2. With --family its scans take the new branch of themselves."
        )
        raise InputError(msg)


def _require_same_run(
    runs: Path,
    bundle: Bundle,
    adaptation: Adaptation,
    folders: Sequence[Folder],
    plan: BranchPlan,
) -> None:
    """Write down what is run, or refuse to go on with another run."""
    path = runs / RUN_FACTS
    facts = {
        "bundle": bundle.sha256,
        "scanner": adaptation.scanner,
        "start_from": adaptation.start_from,
        "folders": [[str(folder.path.resolve()), folder.weight] for folder in folders],
        "plan": asdict(plan),
    }
    text = json.dumps(facts, default=plain_value, indent=1)
    if path.exists() and path.read_text(encoding="utf-8") != text:
        msg = (
            f"Found an adaptation with other data or another plan in {runs}; choose another --out, "
            "or remove that folder."
        )
        raise OutputError(msg)
    runs.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _with_branch(
    manifest: Manifest, adaptation: Adaptation, networks: Mapping[str, SegmentationNetwork]
) -> Manifest:
    """Manifest whose segmenters list the new scanner."""
    listed = {adaptation.scanner: adaptation.scanner}
    if adaptation.family is not None:
        listed[adaptation.family.value] = adaptation.scanner

    def entry_of(entry: SegmenterEntry) -> SegmenterEntry:
        if entry.name not in networks:
            return entry
        config = {**entry.config, "branches": networks[entry.name].config.branches}
        return replace(entry, config=config, branches={**entry.branches, **listed})

    return replace(manifest, segmenters=tuple(map(entry_of, manifest.segmenters)))


def _data(folders: Sequence[Folder]) -> str:
    """Say what was learned from: ``48 labeled B-scans in 16 files of set_a``."""
    libraries = [StackLibrary(folder.path) for folder in folders]
    files = sum(len(library) for library in libraries)
    bscans = sum(len(labeled_bscans(stack)) for library in libraries for stack in library)
    names = ", ".join(folder.path.resolve().name for folder in folders)
    return f"{bscans} labeled B-scans in {files} files of {names}"


def _named(name: str, on_progress: OnProgress) -> OnProgress:
    def report(progress: Progress) -> None:
        message = f"{name}: {progress.message}" if progress.message else ""
        on_progress(replace(progress, message=message))

    return report
