"""What a run folder is of, so that a run only goes on with the plan and pictures it began with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.training.checkpoints import plain_value
from RetinaTriageLib.training.image_sets import LabeledImage
from RetinaTriageLib.training.transfer_plan import Parts, TransferPlan

FILE_NAME = "run.json"


def claim_run(
    folder: Path,
    plan: TransferPlan,
    parts: Parts,
    digests: Mapping[str, str],
    classes: Sequence[str],
) -> None:
    """Note what a new run is of, or see that the run in the folder is of the same.

    Weights that learned from other pictures may have seen the patients that are now held out.

    Raises
    ------
    InputError
        If the run in the folder is of another plan or of other pictures.
    """
    # On which device and how often it is saved changes no weight that matters.
    same = replace(
        plan, device="", optimization=replace(plan.optimization, save_minutes=0, tensorboard=False)
    )
    identity = {
        "options": json.dumps(asdict(same), default=plain_value, sort_keys=True),
        "classes": list(classes),
        "pictures to learn from": _digest(parts.training, digests),
        "pictures held out": _digest(parts.held_out, digests),
    }
    path = folder / FILE_NAME
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(identity, indent=1), encoding="utf-8")
        partial.replace(path)
        return
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        other = [name for name, value in identity.items() if found.get(name) != value]
    except (ValueError, AttributeError):
        other = ["content of run.json"]
    if other:
        msg = (
            f"Found a run in {folder} with other {' and '.join(other)}; expected those that it "
            "began with. Choose another --out, or delete that folder."
        )
        raise InputError(msg)


def _digest(images: Sequence[LabeledImage], digests: Mapping[str, str]) -> str:
    rows = sorted(f"{digests[i.name]} {i.present} {i.patient}" for i in images)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
