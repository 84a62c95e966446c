"""Sentences of the B-scan classifier: what a bundle is, what was found, what the maps say."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from slicer.i18n import tr as _

from RetinaTriageLib.bscan_agreement import compare_verdicts, disagreement
from RetinaTriageLib.bscan_verdict import BscanVerdict
from RetinaTriageLib.bundle_image_manifest import parse_image_manifest
from RetinaTriageLib.errors import BundleError
from RetinaTriageLib.outcomes import OUTCOME_HEADS, REFERRAL
from RetinaTriageLib.result import Verdict, Vocabulary
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageSlicer.bundle_facts import manifestText
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.verdict_section import scoreRows


def bundleWords(path: Path) -> str:
    """Say what a bundle says of itself, or why it is none; its hashes are checked by the worker."""
    try:
        manifest = parse_image_manifest(manifestText(path))
    except BundleError as error:
        return forPanel(str(error))
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        return _("There is no bundle at {path}: {reason}.").format(path=path, reason=error)
    return _("{name}: {classes}. For: {images} {trainedOn}\nLicense: {license}").format(
        name=f"{manifest.name} {manifest.version}",
        classes=", ".join(each.title for each in manifest.classes),
        images=manifest.images,
        trainedOn=manifest.trained_on,
        license=manifest.license,
    )


def verdictWords(verdict: BscanVerdict) -> str:
    """Verdict on the volume, how it came about, and what it rests on."""
    titles = {each.name: each.title for each in verdict.task.classes}
    scores = dict(zip(verdict.task.names, verdict.scores, strict=True))
    named = ", ".join(
        _("{outcome} {score:.2f}").format(outcome=titles[name], score=scores[name])
        for name in verdict.answer.classes
    )
    referrals = {outcome.name: outcome.title for outcome in REFERRAL.outcomes}
    asked = verdict.answer.referral
    return "\n".join(
        (
            _("B-scan classifier: {answer}").format(answer=named or _("none")),
            _("Referral: {answer}").format(
                answer=_("none stated") if asked is None else referrals[asked]
            ),
            "",
            verdict.pooled_by,
            _("Scores by {bundle}, not calibrated. {trainedOn}").format(
                bundle=verdict.origin.bundle_name, trainedOn=verdict.origin.trained_on
            ),
        )
    )


def besideTissueMaps(verdict: BscanVerdict, result: ResultNodes) -> str:
    """Say what the two verdicts agree or disagree on, from the result's table of scores."""
    table = result.tables.get("scores")
    if table is None:
        return _("The table of scores of the tissue maps was deleted; nothing is compared.")
    rows = scoreRows(table)
    found = {(row.head, row.outcome): row for row in rows}
    heads = tuple(
        head for head in OUTCOME_HEADS if all((head.name, name) in found for name in head.names)
    )
    scores = {h.name: np.array([found[h.name, name].score for name in h.names]) for h in heads}
    decisions = {
        head.name: tuple(name for name in head.names if found[head.name, name].decided)
        for head in heads
    }
    maps = Verdict(scores, scores, {}, decisions, "", "")
    return disagreement(compare_verdicts(verdict, maps, Vocabulary(TISSUES, heads)))
