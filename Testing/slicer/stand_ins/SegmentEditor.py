"""Stands for Slicer's Segment Editor, which the host lacks: keeps what it was given to edit."""

from __future__ import annotations

from typing import Any

from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleWidget


class SegmentEditor(ScriptedLoadableModule):
    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        parent.title = "Segment Editor"


class Editor:
    def __init__(self) -> None:
        self.segmentation = self.volume = None

    def setSegmentationNode(self, node: Any) -> None:
        self.segmentation = node

    def setSourceVolumeNode(self, node: Any) -> None:
        self.volume = node


class SegmentEditorWidget(ScriptedLoadableModuleWidget):
    def setup(self) -> None:
        super().setup()
        self.editor = Editor()
