"""Section of the device: what each choice means on this computer, as the worker knows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.worker.messages import Device, DeviceList
from RetinaTriageSlicer.parameters import ComputeChoice, RetinaTriageParameterNode
from RetinaTriageSlicer.remedies import forPanel

GB = 1e9


class DeviceSection:
    """Names the devices that were found; before that, says how the choice is made.

    Parameters
    ----------
    findDevices : asks the worker; takes what to call with the devices and with an error
    onFound : called when the answer is there
    """

    def __init__(
        self,
        ui: Any,
        findDevices: Callable[[Callable[..., object], Callable[..., object]], None],
        onFound: Callable[[], object],
    ) -> None:
        self._ui = ui
        self._findDevices, self._onFound = findDevices, onFound
        self._found: DeviceList | None = None
        self._error = ""
        ui.findDevicesButton.connect("clicked()", self._ask)

    def forget(self) -> None:
        """Let go of what another worker told."""
        self._found, self._error = None, ""

    def remember(self, found: DeviceList) -> None:
        """Take the devices that a worker has told."""
        self._found, self._error = found, ""

    def show(self, parameters: RetinaTriageParameterNode) -> None:
        """Show what the choices mean."""
        for index, choice in enumerate(ComputeChoice):
            self._ui.computeBox.setItemText(index, self._title(choice))
        self._ui.deviceLabel.text = self._error or self._meaning(parameters.compute)

    def problems(self, parameters: RetinaTriageParameterNode) -> list[str]:
        """Every reason why the chosen device cannot run."""
        choice = parameters.compute
        if self._found is None or choice is ComputeChoice.AUTO or self._device(choice) is not None:
            return []
        return [
            _("This computer has no {device} that can be used; choose another device.").format(
                device=choice.label()
            )
        ]

    def _ask(self) -> None:
        self._ui.findDevicesButton.enabled = False
        self._ui.deviceLabel.text = _("Asking the worker, which takes some seconds to start ...")
        self._findDevices(self._onDevices, self._onError)

    def _onDevices(self, found: DeviceList) -> None:
        self.remember(found)
        self._ui.findDevicesButton.enabled = True
        self._onFound()

    def _onError(self, error: RetinaTriageError) -> None:
        self._found, self._error = None, forPanel(str(error))
        self._ui.findDevicesButton.enabled = True
        self._onFound()

    def _device(self, choice: ComputeChoice) -> Device | None:
        devices = () if self._found is None else self._found.devices
        return next((device for device in devices if device.compute == choice.value), None)

    def _title(self, choice: ComputeChoice) -> str:
        if self._found is None or choice is ComputeChoice.AUTO or self._device(choice) is not None:
            return choice.label()
        return _("{device}: not found").format(device=choice.label())

    def _meaning(self, choice: ComputeChoice) -> str:
        if self._found is None:
            return _(
                "Automatic takes an NVIDIA GPU if torch can use one, else an Apple GPU, else the "
                "CPU. Find tells what this computer has."
            )
        lines = []
        device = self._found.devices[0] if choice is ComputeChoice.AUTO else self._device(choice)
        if device is not None:
            lines.append(_("Runs on {device}.").format(device=_describe(device)))
        return " ".join((*lines, *map(forPanel, self._found.hints)))


def _describe(device: Device) -> str:
    if device.memory_bytes is None or device.free_bytes is None:
        return device.title
    return _("{title}, {free:.1f} of {total:.1f} GB free").format(
        title=device.title, free=device.free_bytes / GB, total=device.memory_bytes / GB
    )
