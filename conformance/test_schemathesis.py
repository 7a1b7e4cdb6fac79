"""schemathesis finds no error in its examples, coverage, fuzzing and stateful phases."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from conftest import ROOT, UNPACED, Sandbox
from contract import Contract

HERE = ROOT / "conformance"
PROGRAM = Path(sys.executable).with_name("schemathesis")
# A run takes about 20 seconds.
SECONDS = 300


def test_schemathesis_finds_nothing(serve: Callable[..., Sandbox], tmp_path: Path) -> None:
    """The seed, the bound and each exclusion with its reason are in schemathesis.toml and schemathesis_checks.py."""
    # with a guardrail, so that `enforceGuardrails` has something to enforce
    sandbox = serve(*UNPACED, "--env=POLICY_MAX_SIZE_BYTES=104857600")
    report = tmp_path / "report.json"
    command = [
        PROGRAM,
        f"--config-file={HERE / 'schemathesis.toml'}",
        "run",
        ROOT / "openapi.yaml",
        f"--url={sandbox.function}",
        "--report=json",
        f"--report-json-path={report}",
    ]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_checks.py"), "NO_COLOR": "1"}
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(report.read_text())
    assert {phase: told["status"] for phase, told in found["phases"].items()} == {
        "examples": "success",
        "coverage": "success",
        "fuzzing": "success",
        "stateful": "success",
    }
    assert found["operations"]["tested"] == len(Contract().operations())
    assert (found["failures"], found["errors"]) == ([], [])
    assert found["test_cases"]["generated"] > 500
    # A change that is always rejected tests little.
    rates = found["valid_rates"]
    assert [name for name in rates if not all(rates[name][phase]["accepted"] for phase in rates[name])] == []
