"""A shell for the commands of the documentation: this machine's tools, nobody's credentials, AWS on loopback."""

import os
import subprocess
import sys
from pathlib import Path

from pages import ROOT

REGION = "us-east-1"
HERE = Path(__file__).parent
# Without the last three, `make demo` would compile again what `make test` has compiled.
KEPT = ("HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTC_WORKSPACE_WRAPPER", "CLIPPY_ARGS", "CARGO_INCREMENTAL")
# Version 1 of the CLI knows an old name of SQS, which it takes before the endpoint of its environment.
TO_MOTO = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'
# moto knows no filter patterns; the lines are those of the folder $LOGS.
WITH_LOGS = f"""aws() {{
  case "$1 $2" in
    "logs filter-log-events") "{sys.executable}" "{HERE / "filter_pattern.py"}" "$LOGS" "$@" ;;
    *) command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@" ;;
  esac
}}"""


def environment(**variables: str) -> dict[str, str]:
    """This machine's tools, nobody's credentials."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    account = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_SESSION_TOKEN": "any"}
    place = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "", "AWS_CONFIG_FILE": os.devnull}
    return {**kept, "PATH": tools, "PAGER": "cat", **account, **place, **variables}


def run(
    script: str, where: Path = ROOT, options: str = "-euo pipefail", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs a script; without options, as a person's own shell would, which goes on after an error."""
    command = ["bash", *options.split(), "-c", script]
    return subprocess.run(
        command, env=environment(**variables), cwd=where, capture_output=True, text=True, timeout=240
    )


def shell(script: str, where: Path = ROOT, **variables: str) -> str:
    """What a script prints; it must end well, at its first error."""
    result = run(script, where, **variables)
    assert result.returncode == 0, f"{script}\n{result.stdout}{result.stderr}"
    return result.stdout
