"""Pictures of the sandbox's pages, while its last change goes on: shots.py FOLDER."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).parent.parent))

from conftest import serving
from node_program import node
from pages import ROOT
from test_pages import BROWSER, VIEWS

KEPT = {"fleet": "fleet-600-light", "changes": "changes-600-dark", "target": "target-600-light"}


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch, serving(Path(scratch) / "log", "--sample", command="govern") as sandbox:
        # its last change goes on for a while
        while "of 56 done" not in (page := requests.get(f"{sandbox.pages}/?view=changes", timeout=30).text) or "◐" not in page:
            time.sleep(0.5)
        urls = [f"{name}={sandbox.pages}/{VIEWS[name]}" for name in KEPT]
        (ROOT / "target" / "browser").mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"TMPDIR": str(ROOT / "target" / "browser")}
        subprocess.run([node(), "look.mjs", "--shots", scratch, *urls], cwd=BROWSER, env=environment, check=True, stdout=subprocess.DEVNULL)
        folder.mkdir(parents=True, exist_ok=True)
        for name in KEPT.values():
            (folder / f"{name}.png").write_bytes((Path(scratch) / f"{name}.png").read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
