"""Calls of the Python console: plain words in, nodes or an error out, never a dialog."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import slicer
from fake_worker import LIMIT_SECONDS
from panel_steps import scan, wait_until
from RetinaTriageSlicer import sample_data
from RetinaTriageSlicer.triage_run import RunState
from RetinaTriageSlicer.volume_node import readVolumeNode

from RetinaTriageLib.errors import BundleError, InputError


@pytest.fixture
def dialogs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Dialogs that were asked for."""
    asked: list[str] = []
    for name in ("errorDisplay", "confirmOkCancelDisplay", "infoDisplay", "warningDisplay"):
        monkeypatch.setattr(slicer.util, name, lambda text, *_more, **_options: asked.append(text))
    return asked


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the module told a stand-in for Slicer's module SampleData."""
    told: list[dict[str, Any]] = []

    class SampleDataLogic:
        @staticmethod
        def registerCustomSampleDataSource(
            category: str = "Custom",
            sampleName: Any = None,
            uris: Any = None,
            fileNames: Any = None,
            nodeNames: Any = None,
            customDownloader: Any = None,
            thumbnailFileName: Any = None,
            checksums: Any = None,
        ) -> None:
            told.append(dict(locals()))

    def downloadFromURL(**_options: Any) -> list[Any]:
        return []  # as without a network

    fake = SimpleNamespace(SampleDataLogic=SampleDataLogic, downloadFromURL=downloadFromURL)
    monkeypatch.setitem(sys.modules, "SampleData", fake)
    return told


def test_plain_words_reach_the_worker(logic: Any, monkeypatch: pytest.MonkeyPatch):
    lines: list[str] = []
    monkeypatch.setattr(logic, "onLog", lines.append)
    node = scan()
    logic.process(
        node,
        bundle="work",
        laterality="OS",
        spacingUm=(120, 4, 12),
        scanner="cirrus",
        ageYears=70,
        sex="F",
        compute="cpu",
    )
    wait_until(lambda: (logic._runs._client.poll(), any("spacing" in x for x in lines))[1])
    log = "\n".join(lines)
    assert "age_years=70" in log
    assert "compute='cpu'" in log
    assert "bscan_mm=0.12," in log


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"laterality": "left"}, "expected one of OD, OS"),
        ({"scanner": "mine"}, "expected one of spectralis"),
        ({"spacingUm": (4, 12)}, "three distances in micrometers"),
        ({"sex": "female"}, "expected F or M"),
        ({"bscanAxis": 3}, "expected 0"),
    ],
)
def test_wrong_words_are_refused(logic: Any, wrong: dict[str, Any], match: str):
    with pytest.raises(InputError, match=re.escape(match)):
        logic.process(scan(), **wrong)


def test_call_that_does_not_wait_returns_a_run(logic: Any):
    run = logic.process(scan(), bundle="work", waitForCompletion=False)
    assert run.state in (RunState.STARTING, RunState.RUNNING)
    assert run.wait(LIMIT_SECONDS).tables["scores"].GetNumberOfRows() > 0


def test_failure_shows_a_dialog_only_where_that_was_asked_for(logic: Any, dialogs: list[str]):
    with pytest.raises(BundleError):
        logic.process(scan(), bundle="bundle")
    assert dialogs == []
    with pytest.raises(BundleError):
        logic.process(scan(), bundle="bundle", interactive=True)
    assert len(dialogs) == 1


@pytest.mark.usefixtures("module")
def test_console_finds_the_calls_at_the_module(registered: list[dict[str, Any]]):
    slicer.app.startupCompleted.emit()
    logic = slicer.modules.retinatriage.logic()
    with pytest.raises(InputError, match="expected one of OD, OS"):
        logic.process(scan(), laterality="left")
    assert registered[-1]["category"] == "RetinaTriage"


def test_sample_scan_is_offered_with_its_checksum(registered: list[dict[str, Any]]):
    sample_data.registerSampleData()
    (source,) = registered
    algorithm, digest = source["checksums"].split(":")
    assert slicer.util.computeChecksum(algorithm, sample_data.sampleFile()) == digest
    assert Path(source["thumbnailFileName"]).is_file()
    assert source["uris"].startswith("file:")


def test_click_on_the_sample_loads_it_with_its_eye(registered: list[dict[str, Any]]):
    sample_data.registerSampleData()
    registered[0]["customDownloader"](None)
    (node,) = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    volume, _grid = readVolumeNode(node)
    assert (volume.laterality.value, volume.device.value) == ("OD", "spectralis")


def test_sample_left_out_of_an_installation_is_downloaded(
    registered: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(sample_data, "FOLDERS", (tmp_path,))
    sample_data.registerSampleData()
    assert registered[0]["uris"] == sample_data.ADDRESS
    with pytest.raises(RuntimeError, match="Check the network"):
        sample_data.loadSample()


def test_slicer_without_sample_data_starts_all_the_same(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "SampleData", None)
    sample_data.registerSampleData()
