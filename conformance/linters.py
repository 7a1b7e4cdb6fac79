"""The programs that judge a template, run without credentials and without a home of their own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from expansion import ROOT


def run(
    program: str | Path, *arguments: str | Path, home: Path
) -> subprocess.CompletedProcess:
    """Runs a tool that must need neither credentials nor a home of its own."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAM_CLI_TELEMETRY": "0",
    }
    command = [str(part) for part in (program, *arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


def beside_python(program: str) -> Path:
    return Path(sys.executable).with_name(program)


def checkov() -> str:
    """checkov has an environment of its own: its pinned boto3 is not the one that sam pins."""
    own = ROOT / ".venv-checkov" / "bin" / "checkov"
    found = os.environ.get("CHECKOV") or (str(own) if own.is_file() else shutil.which("checkov"))
    assert found, "no checkov: install conformance/requirements-checkov.txt or set CHECKOV"
    return found


def checked(paths: list[Path], home: Path) -> dict[str, dict[str, list[Any]]]:
    """What checkov says of each file, by its name: one run, since its start is most of it."""
    files = [argument for path in paths for argument in ("-f", path)]
    report = json.loads(run(checkov(), *files, "--skip-download", "-o", "json", home=home).stdout)["results"]
    assert report["parsing_errors"] == []
    of = {path.name: {"failed_checks": [], "skipped_checks": []} for path in paths}
    for kind in ("failed_checks", "skipped_checks"):
        for check in report[kind]:
            of[Path(check["file_path"]).name][kind].append(check)
    return of
