"""Start the host: after `boot`, code finds ``slicer``, ``qt``, ``ctk`` and ``vtk`` as in Slicer."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import slicer


def boot(*, views: bool = False) -> Path:
    """Start once in this process; returns the folder that stands for the user's home.

    Parameters
    ----------
    views : whether there are slice and 3D views, as there are not with ``--no-main-window``
    """
    if hasattr(slicer, "app"):
        return Path(slicer.app.slicerHome)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    from slicer_host.application import qSlicerApplication
    from slicer_host.core import make_core
    from slicer_host.ctk_widgets import install_ctk
    from slicer_host.i18n import install_i18n
    from slicer_host.node_combo_box import qMRMLNodeComboBox
    from slicer_host.packaging import install_packaging
    from slicer_host.parameter_node import install_parameter_node
    from slicer_host.qmrml_widget import qMRMLWidget
    from slicer_host.scripted_module import install_scripted_module
    from slicer_host.share_tree import make_share_tree
    from slicer_host.ui_loader import install_ui_loader
    from slicer_host.wheel_names import add_library_aliases, hide_wheel_names

    home = Path(tempfile.mkdtemp(prefix="slicer-host-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    make_share_tree(home)
    hide_wheel_names()
    add_library_aliases()
    install_ctk()
    install_ui_loader()
    install_i18n()
    install_packaging()
    install_scripted_module()
    slicer.qMRMLWidget = qMRMLWidget
    slicer.qMRMLNodeComboBox = qMRMLNodeComboBox
    slicer.app = qSlicerApplication(home)
    install_parameter_node()
    slicer.app.start(make_core(home), views=views)
    return home
