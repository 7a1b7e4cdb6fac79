"""cargo-lambda's emulator and its `invoke` against the function.

`cargo lambda watch` builds with `cargo run` in this package alone, which selects other features of tokio and hyper
than the workspace's build does, so that it would compile the AWS SDK a second time (two to four minutes). Here it
serves its Runtime API only (`--only-lambda-apis`), and the workspace's own binary connects to it. So only cargo's part
is not tested, not Lambda's.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import events
import pytest
import requests
from aws import REGION, instance_id
from child_process import free_port, running
from conftest import ROOT, serving

CARGO_LAMBDA = Path(sys.executable).with_name("cargo-lambda")
FUNCTION = ROOT / "target" / "debug" / "connect-attachment-policy"
# The name that `watch` gives the only function of a package.
NAME = "_"
SECONDS = 30


@dataclass(frozen=True)
class Watch:
    """The emulator's address, and the Amazon Connect that the function calls."""

    port: int
    connect: str

    @property
    def function_url(self) -> str:
        """cargo-lambda's route for HTTP. It turns requests into events of payload format 2.0, as a function URL does."""
        return f"http://127.0.0.1:{self.port}/lambda-url/{NAME}"


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """An emulator, a function and an Amazon Connect for this test alone."""
    with ExitStack() as stack:
        connect = stack.enter_context(serving(tmp_path / "connect", "--rate=0", command="connect")).connect
        port = free_port()
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NO_COLOR": "1"}
        address = ["--invoke-address", "127.0.0.1", "--invoke-port", str(port)]
        emulator = [CARGO_LAMBDA, "lambda", "watch", "--only-lambda-apis", *address]
        stack.enter_context(running(emulator, tmp_path / "watch", environment, ROOT))
        wait_for(port, tmp_path / "watch")
        # the variables that `watch` itself prints and sets, and the endpoint
        variables = {
            "AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt",
            "AWS_LAMBDA_FUNCTION_NAME": NAME,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "4096",
            "AWS_ENDPOINT_URL_CONNECT": connect,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "CONNECT_REQUESTS_PER_SECOND": "1000",
            "CONNECT_BURST": "1000",
        }
        stack.enter_context(running([FUNCTION], tmp_path / "function", variables, ROOT))
        yield Watch(port, connect)


def wait_for(port: int, log: Path) -> None:
    """Waits until the port accepts connections."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"cargo lambda watch did not start; it said:\n{log.read_text()}")


def invoke(watch: Watch, event: Path) -> subprocess.CompletedProcess[str]:
    """`cargo lambda invoke` with a file."""
    address = ["--invoke-address", "127.0.0.1", "--invoke-port", str(watch.port)]
    command = [CARGO_LAMBDA, "lambda", "invoke", NAME, *address, "--data-file", event, "--output-format", "json"]
    # without a frame and line breaks around an error
    environment = {**os.environ, "NO_GRAPHICS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, cwd=ROOT)


@pytest.mark.parametrize("event", events.INVOKED, ids=lambda event: event.name)
def test_every_event_ends_as_its_name_says(watch: Watch, event: Path) -> None:
    answer = answered(watch, event)
    if ".succeeded.organisation." in event.name:
        names_no_account(answer)
    else:
        events.check(event, answer)


def answered(watch: Watch, event: Path) -> Any:
    """The function's answer, or its error as Lambda's `Invoke` has it."""
    result = invoke(watch, event)
    if result.returncode == 0:
        return json.loads(result.stdout)
    matched = re.match(r"Error: (.+?)\n.*^diagnostic code: (\w+)$", result.stderr, re.DOTALL | re.MULTILINE)
    assert matched, result.stderr
    return {"errorMessage": matched[1], "errorType": matched[2]}


@pytest.mark.parametrize("event", events.OF_STACKS, ids=lambda event: event.name)
def test_a_request_of_a_stack_is_for_another_function(watch: Watch, event: Path) -> None:
    """It needs a ledger, which the emulator does not have, and a function of its own."""
    assert answered(watch, event) == {
        "errorType": "TriggerNotAccepted",
        "errorMessage": "this function's ACCEPTED_TRIGGERS does not include cloudformation",
    }


def names_no_account(answer: dict[str, str]) -> None:
    """The ARN of this emulator's function is `function-arn`, so the function can't know which account is its own."""
    assert answer["errorType"] == "PolicyChangeRejected"
    [violation] = json.loads(answer["errorMessage"])["violations"]
    assert violation["code"] == "InvalidInstance"
    assert "this function does not know its own" in violation["message"]


def test_http_through_its_function_url(watch: Watch) -> None:
    change = {"instanceId": instance_id(1), "attachmentScope": "CHAT", "maximumSize": "10 MB"}
    answer = requests.post(f"{watch.function_url}/policy-changes", json=change, timeout=SECONDS)
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert answer.json()["results"][0]["after"]["maximumSizeLimitInBytes"] == 10_485_760

    policy = f"{watch.function_url}/instances/{instance_id(1)}/attachment-policies/CHAT"
    read = requests.get(policy, timeout=SECONDS)
    assert (read.status_code, read.json()["maximumSizeLimitInBytes"]) == (200, 10_485_760)
    changed = requests.patch(
        policy, json={"maximumSize": "1 MB"}, headers={"If-Match": read.headers["ETag"]}, timeout=SECONDS
    )
    assert (changed.status_code, changed.json()["status"]) == (200, "succeeded")
    stale = requests.patch(
        policy, json={"maximumSize": "2 MB"}, headers={"If-Match": read.headers["ETag"]}, timeout=SECONDS
    )
    assert stale.status_code == 412


def test_what_http_refuses_is_a_problem_document(watch: Watch) -> None:
    change = {"instanceId": instance_id(1), "attachmentScope": "EMAIL", "maximumSize": "50 MB"}
    answer = requests.post(f"{watch.function_url}/policy-changes", json=change, timeout=SECONDS)
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert answer.json()["violations"][0]["pointer"] == "/maximumSize"
