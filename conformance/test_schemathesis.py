"""schemathesis finds no error in its examples, coverage, fuzzing and stateful phases."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, UNPACED, Sandbox, serving
from contract import Contract
from recorded_changes import record

HERE = ROOT / "conformance"
PROGRAM = Path(sys.executable).with_name("schemathesis")
# Two runs, side by side: together they would take longer than everything else. With the requests that each sends at least.
RUNS = {("examples", "coverage"): 1_000, ("fuzzing", "stateful"): 200}
SECONDS = 600
# Whether fuzzing meets an instance or a recorded change is chance, and another one with every operation that openapi.yaml
# gets. What must be accepted is what the other phases send.
PHASES = ("examples", "coverage")
# Nobody guesses the hash of a plan, or an id of a change that runs: test_records.py applies and cancels. No stack declares a
# target here: tests/it/declared/released.rs releases some.
NOT_BY_CHANCE = {(act, phase) for act in ("apply", "cancel", "declaration") for phase in PHASES}
# Its examples name the target that is governed in a way that test_openapi.py alone knows.
NOT_BY_CHANCE |= {("restore", "examples")}


@pytest.fixture
def governed(tmp_path: Path) -> Iterator[Sandbox]:
    # with a guardrail, so that `enforceGuardrails` has something to enforce
    with serving(tmp_path / "log", *UNPACED, "--env=POLICY_MAX_SIZE_BYTES=104857600", command="govern") as started:
        record(started.function)
        yield started


@pytest.mark.parametrize("phases", RUNS, ids=" and ".join)
def test_schemathesis_finds_nothing(governed: Sandbox, tmp_path: Path, phases: tuple[str, ...]) -> None:
    """The seed, the bound and each exclusion with its reason are in schemathesis.toml and schemathesis_checks.py."""
    report = tmp_path / "report.json"
    command = [
        PROGRAM,
        f"--config-file={HERE / 'schemathesis.toml'}",
        "run",
        ROOT / "openapi.yaml",
        f"--url={governed.function}",
        f"--phases={','.join(phases)}",
        "--report=json",
        f"--report-json-path={report}",
    ]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_checks.py"), "NO_COLOR": "1"}
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(report.read_text())
    statuses = {phase: told["status"] for phase, told in found["phases"].items()}
    assert {phase: statuses[phase] for phase in phases} == dict.fromkeys(phases, "success")
    assert found["operations"]["tested"] == len(Contract().operations())
    assert (found["failures"], found["errors"]) == ([], [])
    assert found["test_cases"]["generated"] > RUNS[phases]
    # A request that is always rejected tests little.
    rates = found["valid_rates"]
    rejected = {
        (name.partition(" ")[2].rpartition("/")[2], phase)
        for name, phases in rates.items()
        for phase, rate in phases.items()
        if phase in PHASES and not rate["accepted"]
    }
    assert rejected == {(act, phase) for act, phase in NOT_BY_CHANCE if phase in phases}
