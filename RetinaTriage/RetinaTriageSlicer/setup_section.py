"""Section of the set-up: what is installed and missing, and one question before installing."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import slicer
from slicer.i18n import tr as _

from RetinaTriageSlicer.setup_install import SetupError, install, lacksTorchExtension
from RetinaTriageSlicer.setup_needs import Need


class SetupSection:
    """Collapses when all is there.

    Parameters
    ----------
    findNeeds : lists all needs, without importing anything
    onChanged : called after something was installed
    """

    def __init__(
        self,
        ui: Any,
        findNeeds: Callable[[], Sequence[Need]],
        onChanged: Callable[[], object],
    ) -> None:
        self._ui = ui
        self._findNeeds, self._onChanged = findNeeds, onChanged
        self._needs: tuple[Need, ...] = ()
        ui.installButton.connect("clicked()", self.askAndInstall)

    @property
    def missing(self) -> tuple[Need, ...]:
        """Needs that are not fulfilled."""
        return tuple(need for need in self._needs if not need.fits)

    def refresh(self, message: str = "") -> None:
        """Look again what there is; opens where something is missing, else collapses."""
        self._needs = tuple(self._findNeeds())
        missing = self.missing
        ui = self._ui
        ui.setupButton.text = _("Set-up: {state}").format(
            state=_("{names} missing").format(names=_names(missing)) if missing else _("ready")
        )
        ui.setupLabel.text = _table(self._needs) if self._needs else _("The worker brings its own.")
        ui.setupMessage.text = message
        ui.setupMessage.setVisible(bool(message))
        ui.installButton.enabled = bool(missing)
        ui.installButton.toolTip = (
            _("Ask, then install what is missing into Slicer's own Python environment.")
            if missing
            else _("Nothing to install: all that is needed is there.")
        )
        ui.setupButton.collapsed = not missing

    def problems(self) -> list[str]:
        """Every reason why nothing can be run yet."""
        if not self.missing:
            return []
        return [
            _("{names} missing: press Install under Set-up.").format(names=_names(self.missing))
        ]

    def askAndInstall(self) -> None:
        """Ask once for everything; install only if the user agrees."""
        missing = self.missing
        title = _("Install packages for Retina Triage")
        if not slicer.util.confirmOkCancelDisplay(consentText(missing), windowTitle=title):
            self.refresh(_("Nothing was installed."))
            return
        try:
            install(missing)
        except SetupError as error:
            self.refresh(str(error))
        else:
            self.refresh()
            if self.missing:
                self.refresh(
                    _("{names} still missing; see the Python console.").format(
                        names=_names(self.missing)
                    )
                )
        self._onChanged()


def consentText(needs: Sequence[Need]) -> str:
    """Say what the user agrees to: packages, sizes, licenses, where they come from and go."""
    packages = "\n".join(
        _("- {title} ({requirement}): {size}, license {license}").format(
            title=need.package.title,
            requirement=need.requirement,
            size=need.package.size,
            license=need.package.license,
        )
        for need in needs
    )
    extension = (
        _("\n- the Slicer extension PyTorch, which installs torch; Slicer has to be restarted")
        if any(need.isTorch for need in needs) and lacksTorchExtension()
        else ""
    )
    return _(
        "Retina Triage needs packages that Slicer does not have. To be downloaded:\n\n"
        "{packages}{extension}\n\n"
        "They come from the Python Package Index and pytorch.org and go into Slicer's own Python "
        "environment, where other modules see them too. Packages of Slicer itself are not "
        "changed, and no data leave this computer. PyTorch takes up to three times its download "
        "on disk. Install now?"
    ).format(packages=packages, extension=extension)


def _names(needs: Sequence[Need]) -> str:
    return ", ".join(need.package.title for need in needs)


def _table(needs: Sequence[Need]) -> str:
    rows = "".join(
        f"<tr><td><b>{html.escape(need.package.title)}</b>&nbsp;&nbsp;</td>"
        f"<td>{html.escape(need.state)}</td></tr>"
        for need in needs
    )
    return f"<table>{rows}</table>"
