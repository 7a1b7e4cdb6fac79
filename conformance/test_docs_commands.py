"""Every command of README.md and docs/ that can run here is run; each of the others has its reason below.

Commands for the sandbox meet the sandbox, commands for AWS meet moto, by the AWS CLI's own environment variables. The
runbook's, which build on each other, are held by test_runbook.py and test_runbook_operations.py.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from child_process import free_port
from conftest import Sandbox
from pages import ROOT, Block, every
from recorded_aws import RecordedAws
from runbook import RUNBOOK
from shell import TO_MOTO, environment, shell
from stand_in import StandIn

COMMANDS = every("sh", "console")

# A word of the block, and why it is not run here.
NOT_RUN = {
    "make test    #": "it is what runs this test",
    "make deploy": "it needs an AWS account; test_sam.py builds and packages as it does",
    "sam deploy --config-env": "it needs an AWS account; test_parameters.py parses its parameters with sam",
    "sam deploy --guided": "it needs an AWS account; test_lint.py validates the template with sam",
    "sha256sum --check": "it needs a release; test_dist.py runs its first line beside what dist.py writes",
    "--request DELETE": "test_http_api.py runs it, with a ledger and without",
    "--url-port 9310": "it measures 20 seconds of a quota; tests/it has the pace under a clock of its own",
    "--url-port 9330": "it shows 30 seconds of a quota; tests/it has the deadline under a clock of its own",
    "packaging/audit-export.yaml": "moto's CloudFormation knows no stream; test_packaging.py holds the file and its names",
    "aws schemas": "moto has no schema registry",
}
ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def why_not(block: Block) -> str | None:
    if block.page == RUNBOOK:
        return "test_runbook.py runs it"
    return next((why for word, why in NOT_RUN.items() if word in block.text), None)


def runnable(*words: str) -> Any:
    """The blocks that have one of the words, as parameters."""
    found = [block for block in COMMANDS if not why_not(block) and any(word in block.text for word in words)]
    return pytest.mark.parametrize("block", found, ids=str)


@pytest.mark.parametrize("block", COMMANDS, ids=str)
def test_a_command_is_good_shell(block: Block) -> None:
    script = "\n".join(typed for typed, _ in session(block)) if block.language == "console" else block.text
    result = subprocess.run(["bash", "-n", "-c", script], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_every_command_is_run_or_has_a_reason() -> None:
    forgotten = [str(block) for block in COMMANDS if not why_not(block) and not any(word in block.text for word in RUN)]
    assert forgotten == []
    assert [word for word in NOT_RUN if not any(word in block.text for block in COMMANDS)] == []


# ---- This repository ----


@runnable("make demo", "cargo metadata", "cargo tree")
def test_a_command_of_this_repository_runs(block: Block) -> None:
    printed = shell(block.text)
    if "wc -l" in block.text:
        [crates] = re.findall(r"(\d+) crates in the tree", block.before)
        assert printed.strip() == crates


def test_the_demo_runs() -> None:
    """The README's first command; the second of its block is what runs this test."""
    assert any(line.startswith("make demo") for block in COMMANDS for line in block.text.splitlines())
    printed = shell("make demo")
    assert all(event.name in printed for event in (ROOT / "events").glob("*.json"))


# ---- The sandbox ----


def session(block: Block) -> list[tuple[str, str]]:
    """What is typed in a console, and what is shown to come of it."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    return [(found[1], found[2]) for part in parts if (found := re.match(r"((?:.*\\\n)*.*)\n?((?:.*\n?)*)", part))]


SESSIONS = ("9300", "9320", "9340")


@contextmanager
def standing(command: str, address: str) -> Iterator[None]:
    """A command that stays, until the end of the block."""
    process = subprocess.Popen(
        ["bash", "-c", command],
        env=environment(), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        host, port = address.split(":")
        deadline = time.monotonic() + 240
        while process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as caller:
                if caller.connect_ex((host, int(port))) == 0:
                    break
            time.sleep(0.1)
        else:
            raise AssertionError(f"`{command}` did not start")
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@pytest.mark.parametrize("named", SESSIONS)
def test_the_sessions_with_a_sandbox_print_what_is_shown(named: str) -> None:
    """One test for a sandbox, in the page's order: a session may use what an earlier one has made.

    The sandbox has another port here: the page's may be somebody's.
    """
    [start] = [block for block in COMMANDS if f"--url-port {named}" in block.text]
    blocks = [block for block in COMMANDS if not why_not(block) and f"127.0.0.1:{named}" in block.text]
    assert blocks
    port = str(free_port())
    with standing(start.text.replace(named, port), f"127.0.0.1:{port}"):
        for typed, shown in (line for block in blocks for line in session(block)):
            printed = shell(typed.replace(named, port))
            if not shown:
                assert printed == "", typed
                continue
            assert without_accidents(json.loads(printed)) == without_accidents(json.loads(shown)), typed


def without_accidents(document: Any) -> Any:
    """A document with what differs from run to run made the same."""
    text = re.sub(rf'("(?:changeId|requestId)": )"{ID}"', r'\1"…"', json.dumps(document))
    return json.loads(re.sub(r'("lastModifiedTime": )"[^"]+"', r'\1"…"', text))


@runnable('"$API', "$API_URL")
def test_a_call_of_the_api_is_answered(sandbox: Sandbox, block: Block) -> None:
    printed = shell(block.text, API=sandbox.function, API_URL=sandbox.function, SERVICE="execute-api")
    assert json.loads(printed)["status"] == "planned"


# ---- AWS ----


OF_AWS = ("aws cloudformation", "aws dynamodb", "aws events", "aws scheduler", "aws sqs", "aws iam")


@pytest.fixture(scope="module")
def moto() -> Iterator[dict[str, str]]:
    """moto with the stack's names in it, as variables."""
    started = RecordedAws()
    try:
        stack = StandIn(started.url)
        yield {
            "AWS_ENDPOINT_URL": stack.url,
            "BUS": stack.outputs["BusName"],
            "BUS_ARN": stack.outputs["BusArn"],
            "SCHEDULER_ROLE_ARN": stack.outputs["WorkerRoleArn"],
            "API_ROLE_ARN": stack.outputs["ApiRoleArn"],
            "WORKER_ROLE_ARN": stack.outputs["WorkerRoleArn"],
            "SWEEP_ROLE_ARN": stack.outputs["SweepRoleArn"],
            "TABLE": stack.outputs["TableName"],
            "ORGANIZATION_ID": "o-a1b2c3d4e5",
            "ORGANIZATIONAL_UNIT": "ou-a1b2-c3d4e5f6",
        }
    finally:
        started.stop()


@runnable(*OF_AWS)
def test_a_command_for_aws_is_answered(moto: dict[str, str], tmp_path: Path, block: Block) -> None:
    for folder in ("docs/schema", "packaging"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    printed = shell("\n".join((TO_MOTO, block.text)), tmp_path, **moto)
    for failed in re.findall(r'"FailedEntryCount": (\d+)', printed):
        assert failed == "0", printed


def test_each_command_to_try_is_printed_on_a_line_of_its_own(moto: dict[str, str], tmp_path: Path) -> None:
    """Pasted from a line that holds both, the second would be an argument of the first."""
    [block] = [block for block in COMMANDS if "Outputs[?" in block.text and block.page != RUNBOOK]
    lines = shell("\n".join((TO_MOTO, block.text)), tmp_path, **moto).splitlines()
    assert sorted(line.split()[0] for line in lines) == ["aws", "curl"]


RUN = (
    "make demo", "cargo metadata", "cargo tree",
    *(f"--url-port {port}" for port in SESSIONS), *(f"127.0.0.1:{port}" for port in SESSIONS), '"$API', "$API_URL",
    *OF_AWS,
)  # fmt: skip
