"""A Slicer for tests: the real C++ core from the slicer-core wheel with a Qt half on PySide6.

The wheel holds MRML, the module logics, the rendering and ``slicer.util``. Everything else that
RetinaTriage and its tests touch is stated again here, as strictly as PythonQt has it; what they do
not touch is absent on purpose. Start it with `slicer_host.boot.boot`.
"""
