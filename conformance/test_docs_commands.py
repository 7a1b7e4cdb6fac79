"""Every command of README.md and docs/ that can run here is run; each of the others has its reason below.

Commands for the sandbox meet the sandbox, commands for AWS meet moto, by the AWS CLI's own environment variables.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from conftest import Sandbox
from pages import ROOT, Block, every
from moto.server import ThreadedMotoServer

COMMANDS = every("sh", "console")

# A word of the block, and why it is not run here.
NOT_RUN = {
    "make test    #": "it is what runs this test",
    "make deploy": "it needs an AWS account; test_sam.py builds and packages as it does",
    "sam deploy --config-env": "it needs an AWS account; test_parameters.py parses its parameters with sam",
    "sam deploy --guided": "it needs an AWS account; test_lint.py validates the template with sam",
    "sha256sum --check": "it needs a release's files",
    "--url-port 9310": "it measures 20 seconds of a quota; tests/it has the pace under a clock of its own",
    "--url-port 9330": "it shows 30 seconds of a quota; tests/it has the deadline under a clock of its own",
    "$(output Freeze)": "its commands are outputs of the deployed stack",
    "aws events start-replay": "moto answers it, but replays nothing",
    "filter-log-events": "moto has no JSON filter patterns",
    "aws schemas": "moto has no schema registry",
}
REGION = "us-east-1"
ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def why_not(block: Block) -> str | None:
    return next((why for word, why in NOT_RUN.items() if word in block.text), None)


def runnable(*words: str) -> Any:
    """The blocks that have one of the words, as parameters."""
    found = [block for block in COMMANDS if not why_not(block) and any(word in block.text for word in words)]
    return pytest.mark.parametrize("block", found, ids=str)


def environment(**variables: str) -> dict[str, str]:
    """This machine's tools, nobody's credentials."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: os.environ[name] for name in ("HOME", "CARGO_HOME", "RUSTUP_HOME") if name in os.environ}
    account = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_SESSION_TOKEN": "any"}
    place = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "", "AWS_CONFIG_FILE": os.devnull}
    return {**kept, "PATH": tools, "PAGER": "cat", **account, **place, **variables}


def shell(script: str, where: Path = ROOT, **variables: str) -> str:
    """What a script prints; it must end well, at its first error."""
    command = ["bash", "-euo", "pipefail", "-c", script]
    result = subprocess.run(
        command, env=environment(**variables), cwd=where, capture_output=True, text=True, timeout=240
    )
    assert result.returncode == 0, f"{script}\n{result.stdout}{result.stderr}"
    return result.stdout


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


@pytest.fixture(scope="module")
def made() -> Iterator[str]:
    """The function URL of the README's `make serve`, on another port: 9300 may be somebody's."""
    [block] = [block for block in COMMANDS if "make serve" in block.text]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    assert "--url-port 9300" in block.text
    command = block.text.replace("9300", port)
    with standing(command, f"127.0.0.1:{port}"):
        yield port


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


@runnable("127.0.0.1:9300")
def test_a_session_with_the_sandbox_prints_what_is_shown(made: str, block: Block) -> None:
    for typed, shown in session(block):
        printed = shell(typed.replace("9300", made))
        assert without_accidents(json.loads(printed)) == without_accidents(json.loads(shown))


def without_accidents(document: Any) -> Any:
    """A document with what differs from run to run made the same."""
    text = re.sub(rf'("(?:changeId|requestId)": )"{ID}"', r'\1"…"', json.dumps(document))
    return json.loads(re.sub(r'("lastModifiedTime": )"[^"]+"', r'\1"…"', text))


@runnable('"$API', "$API_URL")
def test_a_call_of_the_api_is_answered(sandbox: Sandbox, block: Block) -> None:
    printed = shell(block.text, API=sandbox.function, API_URL=sandbox.function, SERVICE="execute-api")
    assert json.loads(printed)["status"] == "planned"


# ---- AWS ----


@pytest.fixture(scope="module")
def moto() -> Iterator[dict[str, str]]:
    """moto with the stack's names in it, as variables."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        yield {"AWS_ENDPOINT_URL": url, **deployed(url)}
    finally:
        server.stop()


def deployed(url: str) -> dict[str, str]:
    """What the commands need of a deployment: queues with a message, the bus, the role, the stack's outputs."""
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}

    def aws(service: str) -> Any:
        return boto3.client(service, endpoint_url=url, region_name=REGION, **keys)

    sqs = aws("sqs")
    queues = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("parked", "failed")]
    why = {"DataType": "String", "StringValue": "for its sake"}
    event = json.loads((ROOT / "events/event-bridge.succeeded.json").read_text())
    # one command takes ten, another the next
    for _ in range(12):
        sqs.send_message(
            QueueUrl=queues[0], MessageBody=json.dumps(event),
            MessageAttributes=dict.fromkeys(("changeId", "status", "reasons"), why),
        )  # fmt: skip
    bus = aws("events").create_event_bus(Name="attachment-policy")["EventBusArn"]
    role = aws("iam").create_role(RoleName="worker", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    outputs = {
        "ParkedQueueUrl": queues[0], "DeadLetterQueueUrl": queues[1], "BusName": "attachment-policy",
        "WorkerLogGroup": "/worker", "ApiLogGroup": "/api", "WorkerRoleArn": role, "BusArn": bus,
        "TryHttp": "curl", "TryEvent": "aws",
    }  # fmt: skip
    template = {
        "Resources": {"Any": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    aws("cloudformation").create_stack(StackName="attachment-policy", TemplateBody=json.dumps(template))
    return {"BUS": "attachment-policy", "BUS_ARN": bus, "SCHEDULER_ROLE_ARN": role}


@runnable("aws cloudformation", "aws events", "aws scheduler", "aws sqs", "aws iam")
def test_a_command_for_aws_is_answered(moto: dict[str, str], tmp_path: Path, block: Block) -> None:
    # The runbook says once how its variables are set.
    [setting] = [other.text for other in COMMANDS if "output() {" in other.text]
    from_runbook = block.page.name == "runbook.md"
    prelude = setting if from_runbook and block.text != setting else ""
    variables = {name: value for name, value in moto.items() if name.startswith("AWS_") or not from_runbook}
    shutil.copytree(ROOT / "docs/schema", tmp_path / "docs/schema")
    printed = shell("\n".join((TO_MOTO, prelude, block.text)), tmp_path, **variables)
    for failed in re.findall(r'"FailedEntryCount": (\d+)', printed):
        assert failed == "0", printed
    if "entries.json" in block.text:
        [entry] = json.loads((tmp_path / "entries.json").read_text())
        assert (entry["EventBusName"], entry["Source"]) == ("attachment-policy", "com.example.policy")
        assert json.loads(entry["Detail"])["ifUnmodifiedSince"] == "2026-11-23T09:00:00Z"


# Version 1 of the CLI knows an old name of SQS, which it takes before the endpoint of its environment.
TO_MOTO = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'

RUN = (
    "make demo", "make serve", "cargo metadata", "cargo tree",
    "127.0.0.1:9300", '"$API', "$API_URL",
    "aws cloudformation", "aws events", "aws scheduler", "aws sqs", "aws iam",
)  # fmt: skip
