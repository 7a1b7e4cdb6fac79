"""The AWS CLI against the sandbox: what a user at a terminal sees."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import events
import pytest
from aws import REGION, SCOPES, instance_arn, instance_id
from conftest import ROOT, UNPACED, Sandbox, serving
from declaring import answers, awaited
from journal import answered as received

AWS = Path(sys.executable).with_name("aws")
INSTANCE = instance_id(1)
FUNCTION = "connect-attachment-policy"

# The exit code of version 1 for every service error; that of version 2 is 254 ("Return codes", user guide).
SERVICE_ERROR = 255

Connect = Callable[..., str]


def run(service: str, url: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`aws SERVICE ...`, without this machine's configuration."""
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
        **variables,
    }
    command = [str(AWS), service, *arguments, "--endpoint-url", url, "--output", "json"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, cwd=ROOT)


def answered(service: str, url: str, *arguments: str, **variables: str) -> Any:
    """What it prints on success."""
    result = run(service, url, *arguments, **variables)
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


@pytest.mark.parametrize("scope", SCOPES)
def test_an_update_with_every_parameter_is_described_as_it_was_sent(connect: Connect, scope: str) -> None:
    url = connect("--rate=0")
    named = ["--instance-id", instance_arn(1), "--attachment-scope", scope]
    updated = answered(
        "connect", url, "update-attached-files-configuration", *named,
        "--maximum-size-limit-in-bytes", "5242880",
        "--extension-configuration", "AllowedExtensions=[{Extension=pdf},{Extension=png}]",
    )  # fmt: skip
    assert list(updated) == [
        "InstanceId", "AttachmentScope", "MaximumSizeLimitInBytes", "ExtensionConfiguration", "LastModifiedTime",
    ]  # fmt: skip
    assert updated["InstanceId"] == INSTANCE
    described = answered("connect", url, "describe-attached-files-configuration", *named)
    assert described == {"AttachedFilesConfiguration": updated}


def test_an_update_from_a_file_of_json(connect: Connect, tmp_path: Path) -> None:
    url = connect("--rate=0")
    request = {
        "InstanceId": INSTANCE,
        "AttachmentScope": "CASE",
        "ExtensionConfiguration": {"AllowedExtensions": [{"Extension": "pdf"}]},
    }
    (tmp_path / "request.json").write_text(json.dumps(request))
    file = f"file://{tmp_path / 'request.json'}"
    updated = answered("connect", url, "update-attached-files-configuration", "--cli-input-json", file)
    assert {**updated, **request} == updated
    assert updated["MaximumSizeLimitInBytes"] == 20_971_520


def test_lists_are_paged_and_put_together(connect: Connect) -> None:
    url = connect("--rate=0", "--instances=12")
    named = ["--instance-id", INSTANCE]
    whole = answered("connect", url, "list-attached-files-configurations", *named, "--page-size", "1")
    scopes = [entry["AttachmentScope"] for entry in whole["AttachedFilesConfigurations"]]
    assert scopes == list(SCOPES)
    page = answered("connect", url, "list-attached-files-configurations", *named, "--max-items", "3")
    rest = answered(
        "connect", url, "list-attached-files-configurations", *named, "--starting-token", page["NextToken"]
    )
    assert page["AttachedFilesConfigurations"] + rest["AttachedFilesConfigurations"] == whole["AttachedFilesConfigurations"]
    instances = answered("connect", url, "list-instances", "--query", "InstanceSummaryList[].Id")
    assert instances == [instance_id(number) for number in range(1, 13)]
    described = answered("connect", url, "describe-instance", "--instance-id", instance_id(1))["Instance"]
    assert (described["Arn"], described["Tags"]) == (instance_arn(1), {})


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("throttle", "ThrottlingException"),
        ("500", "InternalServiceException"),
        ("access-denied", "AccessDeniedException"),
        ("not-found", "ResourceNotFoundException"),
        ("expired-token", "ExpiredTokenException"),
    ],
)
def test_an_error_is_named_with_its_operation(connect: Connect, fault: str, name: str) -> None:
    url = connect("--rate=0", f"--fault={fault}=1")
    result = run("connect", url, "list-attached-files-configurations", "--instance-id", INSTANCE)
    assert result.returncode == SERVICE_ERROR
    assert f"An error occurred ({name}) when calling the ListAttachedFilesConfigurations operation" in result.stderr


def test_a_value_that_the_service_refuses_is_reported_in_its_words(connect: Connect) -> None:
    url = connect("--rate=0")
    named = ["--instance-id", INSTANCE, "--attachment-scope", "CHAT"]
    result = run(
        "connect", url, "update-attached-files-configuration", *named, "--maximum-size-limit-in-bytes", "104857601"
    )
    assert result.returncode == SERVICE_ERROR
    assert "(InvalidParameterException)" in result.stderr
    assert "an integer from 1 to 104857600, not `104857601`" in result.stderr


def test_it_asks_again_when_it_is_throttled(connect: Connect, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    url = connect("--rate=0", "--fault=throttle=1", f"--journal={journal}")
    result = run("connect", url, "list-instances", AWS_MAX_ATTEMPTS="3", AWS_RETRY_MODE="standard")
    assert result.returncode == SERVICE_ERROR
    assert "(reached max retries: 2)" in result.stderr
    assert [call["attempt"] for call in received(url, journal)] == [1, 2, 3]


# ---- aws lambda invoke ----


def invoke(
    sandbox: Sandbox, answer: Path, payload: str, *arguments: str, function: str = FUNCTION
) -> tuple[dict[str, Any], Any]:
    """What the CLI prints of an invocation, and the answer it wrote into a file."""
    printed = answered(
        "lambda", sandbox.invoke, "invoke", "--function-name", function, "--payload", payload, *arguments, str(answer)
    )  # fmt: skip
    return printed, json.loads(answer.read_text())


# The CLI passes a payload on as it is: one of each trigger and ending. test_cargo_lambda.py sends every one.
OF_EACH_KIND = {tuple(event.name.split(".")[:2]): event for event in events.INVOKED}.values()


@pytest.mark.parametrize("event", OF_EACH_KIND, ids=lambda event: event.name)
def test_an_event_of_each_kind_is_invoked_and_ends_as_its_name_says(serve: Callable[..., Sandbox], tmp_path: Path, event: Path) -> None:
    sandbox = serve("--rate=0")
    printed, answer = invoke(sandbox, tmp_path / "answer.json", f"fileb://{event}")
    assert printed["StatusCode"] == 200
    events.check(event, answer)
    assert ("FunctionError" in printed) == ("errorType" in answer)


@pytest.mark.parametrize("event", events.OF_STACKS, ids=lambda event: event.name)
def test_every_request_of_a_stack_is_answered_as_its_name_says(tmp_path: Path, event: Path) -> None:
    """A resource that is not there is declared by an Update, and a Delete of it succeeds."""
    request, sent = json.loads(event.read_text()), tmp_path / "request.json"
    with serving(tmp_path / "log", *UNPACED, command="govern") as sandbox, answers() as (url, arrived):
        sent.write_text(json.dumps(request | {"ResponseURL": url()}))
        printed, _ = invoke(sandbox, tmp_path / "answer.json", f"fileb://{sent}", function=f"{FUNCTION}-declare")
        assert "FunctionError" not in printed
        answer = awaited(arrived, 1).body
    events.check(event, answer)
    same = ("StackId", "RequestId", "LogicalResourceId")
    assert {name: answer[name] for name in same} == {name: request[name] for name in same}
    assert answer["PhysicalResourceId"] == request.get("PhysicalResourceId", answer["PhysicalResourceId"])


def test_the_log_comes_with_the_answer(sandbox: Sandbox, tmp_path: Path) -> None:
    printed, _ = invoke(sandbox, tmp_path / "answer.json", f"fileb://{ROOT}/events/bare.planned.json", "--log-type", "Tail")
    assert printed["LogResult"]
