"""`python -m RetinaTriageLib.worker`: a worker that is spoken to through its standard streams."""

from __future__ import annotations

from RetinaTriageLib.worker.engine import TorchEngine
from RetinaTriageLib.worker.server import serve


def main() -> None:
    """Serve until the input ends."""
    serve(TorchEngine())


if __name__ == "__main__":
    main()
