"""packaging/standalone.yaml: the smallest stack, held as template.yaml is, and its function run with its variables."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from conftest import Sandbox
from expansion import (
    EVERY,
    ROOT,
    STANDALONE,
    TEMPLATE,
    as_list,
    expanded,
    filled,
    is_allowed,
    named,
    resources,
    statements,
)
from iam import granted, on
from linters import beside_python, run
from queue_fixtures import event, instance
from recorded_aws import ANYBODY, RecordedAws, aws
from test_grants import LOGS, TRACES, asked_of_connect
from test_routes import METHODS, REST

__all__ = ["aws"]  # a fixture, which pytest finds by name

NAME = "connect-attachment-policy"
OPTIONAL = {
    "InstanceArns": EVERY["InstanceArns"], "AllowedInstances": EVERY["AllowedInstances"], "BlockedExtensions": "exe",
    "MaxSizeBytes": "20971520", "EventBusName": "policies", "Frozen": "true", "AlarmTopicArn": EVERY["AlarmTopicArn"],
}  # fmt: skip
FILLED = pytest.mark.parametrize("values", [{}, OPTIONAL], ids=["none", "every"])


def of(kind: str) -> dict[str, Any]:
    """The only resource of a type."""
    [found] = resources(kind, STANDALONE).values()
    return found


# ---- What the tools say ----


def test_sam_validates_and_lints_it(tmp_path: Path) -> None:
    result = run(beside_python("sam"), "validate", "--lint", "-t", STANDALONE, home=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_cfn_lint_finds_nothing_in_it_nor_in_what_is_deployed(tmp_path: Path) -> None:
    deployed = {"none": {}, "every": OPTIONAL}
    for given, values in deployed.items():
        (tmp_path / f"{given}.json").write_text(json.dumps(filled(values, STANDALONE)))
    paths = [tmp_path / f"{given}.json" for given in deployed]
    result = run(beside_python("cfn-lint"), STANDALONE, *paths, home=tmp_path)
    assert (result.returncode, result.stdout) == (0, "")


# ---- What it is ----


def test_it_is_one_function_with_its_api_a_rule_a_dead_letter_queue_and_a_log() -> None:
    kinds = sorted(resource["Type"] for resource in expanded(STANDALONE)["Resources"].values())
    assert kinds == sorted([
        "AWS::Lambda::Function", "AWS::Lambda::EventInvokeConfig", "AWS::IAM::Role", "AWS::Logs::LogGroup",
        "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage", *3 * ["AWS::Lambda::Permission"],
        "AWS::Events::Rule", "AWS::Lambda::Permission", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy",
        "AWS::CloudWatch::Alarm",
    ])  # fmt: skip


def test_it_has_nothing_of_the_ledger() -> None:
    variables = of("AWS::Lambda::Function")["Environment"]["Variables"]
    assert not {"LEDGER_TABLE", "INTAKE_QUEUE_URL", "CHANGE_QUEUE_URL", "OUTCOME_BUS"} & variables.keys()
    assert variables["ACCEPTED_TRIGGERS"] == "http,eventbridge"
    assert "dynamodb" not in STANDALONE.read_text()


def test_what_it_shares_with_the_other_template_is_the_same() -> None:
    mine, other = expanded(STANDALONE)["Parameters"], expanded(TEMPLATE)["Parameters"]
    shared = {"InstanceArns", "AllowedInstances", "BlockedExtensions", "MaxSizeBytes", "Architecture", "AlarmTopicArn"}
    # their texts and defaults are about another number of functions and a ledger
    assert mine.keys() & other.keys() == shared | {"LogRetentionDays", "ReserveConcurrency"}
    for name in shared:
        parts = ("Type", "Default", "AllowedPattern", "AllowedValues")
        assert {part: mine[name].get(part) for part in parts} == {part: other[name].get(part) for part in parts}, name
    assert [name for name, value in OPTIONAL.items() if not is_allowed(name, value, STANDALONE)] == []


def test_its_routes_are_those_that_need_no_ledger() -> None:
    paths = of("AWS::ApiGatewayV2::Api")["Body"]["paths"]
    routes = {(method, path) for path, item in paths.items() for method in item if method in METHODS}
    instance = f"/instances/{REST}"
    assert routes == {("post", "/policy-changes"), ("get", instance), ("patch", instance)}
    for method, path in routes:
        assert paths[path][method]["security"] == [{"AWS_IAM": []}]


def test_its_processes_together_keep_to_the_quota() -> None:
    parameter = {name: definition["Default"] for name, definition in expanded(STANDALONE)["Parameters"].items()}
    assert parameter["Concurrency"] * parameter["RequestsPerSecond"] == 2
    assert parameter["Concurrency"] * parameter["Burst"] <= 5
    assert of("AWS::Lambda::Function")["Timeout"] == 28, "API Gateway waits 30 s, a cold start included"


# ---- What it may do, and who may reach it ----


@FILLED
def test_the_function_may_do_what_it_calls_and_nothing_else(values: dict[str, str]) -> None:
    assert set(granted("Role", values, STANDALONE)) == asked_of_connect() | LOGS | TRACES | {"sqs:SendMessage"}
    instances = OPTIONAL["InstanceArns"].split(",") if values else [
        {"Fn::Sub": "arn:${AWS::Partition}:connect:*:${AWS::AccountId}:instance/*"}
    ]
    found = on("Role", values, STANDALONE)
    assert found["connect:UpdateAttachedFilesConfiguration"] == instances
    assert [action for action, where in found.items() if where == ["*"]] == ["connect:ListInstances", *sorted(TRACES)[::-1]]
    assert named(found["sqs:SendMessage"][0]) == "DeadLetterQueue"


def test_an_event_is_kept_whether_it_is_not_delivered_or_fails() -> None:
    function, rule = of("AWS::Lambda::Function"), of("AWS::Events::Rule")
    [target] = rule["Targets"]
    letters = [target["DeadLetterConfig"]["Arn"], function["DeadLetterConfig"]["TargetArn"]]
    assert [named(arn) for arn in letters] == ["DeadLetterQueue", "DeadLetterQueue"]
    assert function["Environment"]["Variables"]["PARKED_QUEUE_URL"] == {"Ref": "DeadLetterQueue"}
    assert "FifoQueue" not in of("AWS::SQS::Queue")
    assert of("AWS::Lambda::EventInvokeConfig")["MaximumRetryAttempts"] == 2


def test_only_the_rule_sends_to_the_queue_as_a_service_and_only_over_tls() -> None:
    allow, deny = statements(of("AWS::SQS::QueuePolicy")["PolicyDocument"])
    assert (allow["Effect"], allow["Principal"]) == ("Allow", {"Service": "events.amazonaws.com"})
    assert [named(arn) for arn in as_list(allow["Condition"]["ArnEquals"]["aws:SourceArn"])] == ["FunctionRequested"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


@pytest.mark.parametrize(("values", "reserved"), [({}, 2), ({"Concurrency": "1"}, "1"), (OPTIONAL, 0), ({"ReserveConcurrency": "false", "Frozen": "true"}, 0)])
def test_a_freeze_leaves_it_no_concurrency(values: dict[str, str], reserved: Any) -> None:
    function = filled(values, STANDALONE)["Resources"]["Function"]["Properties"]
    assert function["ReservedConcurrentExecutions"] == reserved


def test_freezing_by_command_is_what_the_parameter_does() -> None:
    outputs = {name: filled({}, STANDALONE)["Outputs"][name]["Value"]["Fn::Sub"] for name in ("Freeze", "Resume")}
    reserved = {name: re.findall(r"--reserved-concurrent-executions (\d+)$", text) for name, text in outputs.items()}
    assert reserved == {"Freeze": ["0"], "Resume": ["2"]}
    for text in outputs.values():
        assert "put-function-concurrency" in text
        assert "--function-name ${Function}" in text


def test_where_nothing_can_be_reserved_nothing_is_and_a_freeze_ends_by_taking_its_reservation_away() -> None:
    stack = filled({"ReserveConcurrency": "false"}, STANDALONE)
    assert "ReservedConcurrentExecutions" not in stack["Resources"]["Function"]["Properties"]
    assert "delete-function-concurrency" in stack["Outputs"]["Resume"]["Value"]["Fn::Sub"]


# ---- What it does ----


@pytest.fixture
def function(serve: Callable[..., Sandbox], aws: RecordedAws) -> tuple[Sandbox, str]:
    """The production binary with the template's variables, and its dead-letter queue."""
    queue = aws.queue("failed")
    variables = filled({}, STANDALONE)["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    known = {name: queue if isinstance(value, dict) else str(value) for name, value in variables.items()}
    known["AWS_ENDPOINT_URL_SQS"] = aws.url
    return serve("--rate=0", *(f"--env={name}={value}" for name, value in known.items())), queue


def change(**more: Any) -> dict[str, Any]:
    return {"instanceId": instance(1), "attachmentScope": "CHAT", "maximumSize": "8 MB", "changeId": "CHG-7", **more}


def test_a_change_over_http_is_carried_out_at_once(function: tuple[Sandbox, str]) -> None:
    sandbox, _ = function
    answer = requests.post(f"{sandbox.function}/policy-changes", json=change(), timeout=30)
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")


def invoked(sandbox: Sandbox, payload: Any) -> tuple[bool, Any]:
    """Whether it was a function error, and the answer."""
    client = boto3.client("lambda", endpoint_url=sandbox.invoke, **ANYBODY)
    answer = client.invoke(FunctionName=NAME, Payload=json.dumps(payload))
    return "FunctionError" in answer, json.loads(answer["Payload"].read())


def test_a_change_by_event_is_carried_out_and_a_rejected_one_is_kept(
    function: tuple[Sandbox, str], aws: RecordedAws
) -> None:
    sandbox, queue = function
    assert invoked(sandbox, event(change()))[1]["status"] == "succeeded"
    assert aws.receive(queue) == []
    rejected = event(change(attachmentScope="EMAIL", maximumSize="50 MB"))
    assert invoked(sandbox, rejected)[1]["status"] == "rejected"
    [kept] = aws.receive(queue)
    assert json.loads(kept["Body"]) == rejected
    assert kept["MessageAttributes"]["status"]["StringValue"] == "rejected"


def test_what_is_no_source_of_its_own_is_refused(function: tuple[Sandbox, str]) -> None:
    for payload in (change(), {"Records": [{"eventSource": "aws:sqs", "messageId": "1", "body": "{}"}]}):
        is_error, answer = invoked(function[0], payload)
        assert (is_error, answer["errorType"]) == (True, "TriggerNotAccepted")
