"""Set-up: shows what is missing, asks once, installs only after a yes."""

import sys
import types
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from typing import Any

import pytest
import slicer
from panel_steps import Questions
from RetinaTriageSlicer import setup_install, setup_needs
from slicer_host import packaging


@pytest.fixture(autouse=True)
def _no_requests() -> Iterator[None]:
    """Every test starts without requests of others."""
    packaging.requests.clear()
    yield
    packaging.requests.clear()


def _no_version(name: str) -> str:
    raise PackageNotFoundError(name)


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Slicer without any of the packages."""
    monkeypatch.setattr(slicer.packaging, "pip_check", lambda _requirement: False)
    monkeypatch.setattr(packaging, "_installed", lambda _requirement: False)
    monkeypatch.setattr(setup_needs, "version", _no_version)


@pytest.fixture
def panel(module: Any) -> Iterator[Any]:
    """Panel whose worker is that of this Python; it is never started."""
    widget = module.widgetRepresentation().self()
    logic = sys.modules[module.name].RetinaTriageLogic()
    widget.panel.useLogic(logic)
    widget.enter()
    yield widget.panel
    widget.exit()


class TorchExtension:
    """Stands for the PyTorch extension; records what it is asked to install."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[dict[str, Any]] = []
        extension = types.ModuleType("PyTorchUtils")
        extension.PyTorchUtilsLogic = lambda: self  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "PyTorchUtils", extension)
        monkeypatch.setattr(setup_install, "lacksTorchExtension", lambda: False)
        monkeypatch.setattr("RetinaTriageSlicer.setup_section.lacksTorchExtension", lambda: False)

    def installTorch(self, **options: Any) -> None:
        self.asked.append(options)


@pytest.mark.usefixtures("missing")
class TestMissing:
    def test_section_is_open_and_names_what_is_missing_with_sizes(self, panel: Any):
        assert not panel.ui.setupButton.collapsed
        assert panel.ui.setupButton.text == "Set-up: PyTorch, safetensors, jsonschema missing"
        assert "up to 3 GB with an NVIDIA GPU" in panel.ui.setupLabel.text

    def test_apply_is_disabled_and_says_why(self, panel: Any):
        assert not panel.ui.applyButton.enabled
        assert "press Install under Set-up" in panel.ui.applyButton.toolTip

    def test_opening_the_panel_installs_nothing(self, panel: Any):
        panel.enter()
        assert packaging.requests == []

    def test_one_question_names_packages_sizes_licenses_and_places(
        self, panel: Any, monkeypatch: pytest.MonkeyPatch
    ):
        questions = Questions(monkeypatch, answer=False)
        panel.ui.installButton.click()
        (asked,) = questions.asked
        for said in ("torch>=2.4", "3 GB", "BSD-3-Clause", "safetensors>=0.4.3", "Slicer's own"):
            assert said in asked
        assert "extension PyTorch" in asked

    def test_no_installs_nothing(self, panel: Any, monkeypatch: pytest.MonkeyPatch):
        Questions(monkeypatch, answer=False)
        panel.ui.installButton.click()
        assert packaging.requests == []
        assert panel.ui.setupMessage.text == "Nothing was installed."

    def test_yes_asks_pip_for_the_small_packages_with_slicers_own_kept(
        self, panel: Any, monkeypatch: pytest.MonkeyPatch
    ):
        Questions(monkeypatch, answer=True)
        panel.ui.installButton.click()
        assert packaging.requests == [("safetensors>=0.4.3", "jsonschema>=4.20")]
        assert any(line.startswith("numpy==") for line in packaging.constraint_lines[-1])
        assert not any("SimpleITK>" in line for line in packaging.constraint_lines[-1])

    def test_failure_is_said_with_a_remedy(self, panel: Any, monkeypatch: pytest.MonkeyPatch):
        Questions(monkeypatch, answer=True)
        panel.ui.installButton.click()
        assert "installs nothing" in panel.ui.setupMessage.text
        assert "press Install again" in panel.ui.setupMessage.text
        assert panel.ui.installButton.enabled

    def test_torch_comes_through_its_extension_without_a_second_question(
        self, panel: Any, monkeypatch: pytest.MonkeyPatch
    ):
        questions = Questions(monkeypatch, answer=True)
        extension = TorchExtension(monkeypatch)
        monkeypatch.setattr(slicer.packaging, "pip_ensure", lambda *_names, **_options: None)
        panel.ui.installButton.click()
        (asked,) = extension.asked
        assert not asked["askConfirmation"]
        assert ">=2.4" in asked["torchVersionRequirement"]
        assert len(questions.asked) == 1
        assert "extension PyTorch" not in questions.asked[0]

    def test_missing_extension_is_installed_by_the_extensions_manager(
        self, panel: Any, monkeypatch: pytest.MonkeyPatch
    ):
        Questions(monkeypatch, answer=True)
        monkeypatch.setattr(slicer.packaging, "pip_ensure", lambda *_names, **_options: None)
        panel.ui.installButton.click()
        assert "in the Extensions Manager, restart Slicer" in panel.ui.setupMessage.text


def test_section_collapses_when_all_is_there(panel: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(slicer.packaging, "pip_check", lambda _requirement: True)
    panel.enter()
    assert panel.ui.setupButton.collapsed
    assert panel.ui.setupButton.text == "Set-up: ready"
    assert not panel.ui.installButton.enabled
    assert "Nothing to install" in panel.ui.installButton.toolTip


def test_set_up_that_succeeds_enables_apply(panel: Any, monkeypatch: pytest.MonkeyPatch):
    there: list[bool] = [False]
    monkeypatch.setattr(slicer.packaging, "pip_check", lambda _requirement: there[0])
    panel.enter()
    Questions(monkeypatch, answer=True)
    monkeypatch.setattr(
        "RetinaTriageSlicer.setup_section.install", lambda _needs: there.insert(0, True)
    )
    panel.ui.installButton.click()
    assert panel.ui.setupButton.collapsed
    assert "Set-up" not in panel.ui.applyButton.toolTip


def test_version_that_does_not_fit_is_missing_too(panel: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(slicer.packaging, "pip_check", lambda _requirement: False)
    panel.enter()
    assert "does not fit, jsonschema" in panel.ui.setupLabel.text
