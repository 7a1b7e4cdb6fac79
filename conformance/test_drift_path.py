"""What CloudTrail says, from the bus to the queue of the function that looks: the template's rules, decided by moto."""

import json
from typing import Any

import boto3
import pytest
from event_path import EventPath, moto, path
from jsonschema import Draft4Validator
from pages import ROOT, blocks
from plain_template import Made

__all__ = ["moto", "path"]  # fixtures, which pytest finds by name

SEEN = "SeenQueue"
SHAPES = ("iam-user", "assumed-role", "sso", "service", "root")
VALIDATOR = Draft4Validator(
    json.loads((ROOT / "docs/schema/drift-detected.schema.json").read_text()),
    format_checker=Draft4Validator.FORMAT_CHECKER,
)


def detail(shape: str) -> dict[str, Any]:
    return json.loads((ROOT / f"events/event-bridge.rejected.cloudtrail-{shape}.json").read_text())["detail"]


def said(path: EventPath, detail_: dict[str, Any], bus: str) -> list[dict[str, Any]]:
    """What reaches the queue of an event of CloudTrail on a bus."""
    for rule in ("SeenRule", "SeenElsewhereRule"):
        path.stack.make(rule)
    entry = {
        "EventBusName": bus, "Source": "aws.connect", "DetailType": "AWS API Call via CloudTrail",
        "Detail": json.dumps(detail_),
    }  # fmt: skip
    assert path.stack.events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    return [json.loads(message["Body"])["detail"] for message in path.receive(SEEN)]


@pytest.mark.parametrize("shape", SHAPES)
def test_whoever_changes_a_policy_is_seen_here_and_where_it_is_forwarded(path: EventPath, shape: str) -> None:
    assert said(path, detail(shape), "default") == [detail(shape)]
    assert said(path, detail(shape), path.stack.references["Bus"]) == [detail(shape)]
    assert path.receive("IntakeQueue") == []


@pytest.mark.parametrize("role", ["ApiRole", "WorkerRole"])
def test_what_the_stack_does_itself_is_not_looked_at(path: EventPath, role: str) -> None:
    own = detail("assumed-role")
    path.stack.make(role)
    own["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = path.stack.arns[role]
    assert said(path, own, "default") == []


@pytest.mark.parametrize(
    "more", [{"errorCode": "AccessDenied"}, {"eventName": "DeleteInstance"}, {"eventSource": "s3.amazonaws.com"}]
)
def test_a_call_that_failed_or_is_another_is_not_looked_at(path: EventPath, more: dict[str, str]) -> None:
    assert said(path, detail("iam-user") | more, "default") == []


ELSEWHERE = "eu-central-1"


def forwarded(path: EventPath, detail_: dict[str, Any]) -> list[dict[str, Any]]:
    """What reaches the queue of an event that CloudTrail puts in another Region, where packaging/ has its rule."""
    path.stack.make("SeenElsewhereRule")
    roles = ",".join(f"arn:aws:iam::{path.stack.account}:role/{role}" for role in ("ApiRole", "WorkerRole"))
    template = Made(ROOT / "packaging/drift-forwarding.yaml", BusArn=path.stack.arns["Bus"], HubRoleArns=roles)
    rule = template.one("AWS::Events::Rule")
    events = boto3.client(
        "events", region_name=ELSEWHERE, endpoint_url=path.stack.url, aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip
    events.put_rule(Name="seen", EventPattern=json.dumps(rule["EventPattern"]))
    assert events.put_targets(Rule="seen", Targets=rule["Targets"])["FailedEntryCount"] == 0
    entry = {"Source": "aws.connect", "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(detail_)}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    return [json.loads(message["Body"])["detail"] for message in path.receive(SEEN)]


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_seen_in_another_region_is_forwarded_to_the_stack_s_bus(path: EventPath, shape: str) -> None:
    assert forwarded(path, detail(shape)) == [detail(shape)]


@pytest.mark.parametrize(
    "issuer", ["arn:aws:iam::222233334444:role/attachment-policy-spoke", "arn:aws:iam::123456789012:role/ApiRole"]
)
def test_what_the_functions_do_elsewhere_is_not_forwarded(path: EventPath, issuer: str) -> None:
    own = detail("assumed-role")
    own["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = issuer
    assert forwarded(path, own) == []
    assert forwarded(path, detail("iam-user") | {"errorCode": "AccessDenied"}) == []


def test_a_change_from_elsewhere_becomes_an_event_on_the_stack_s_bus(path: EventPath) -> None:
    stack, bus = path.stack, path.stack.references["Bus"]
    url = stack.sqs.create_queue(QueueName="listener")["QueueUrl"]
    arn = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["connect-attachment-policy"], "detail-type": ["Attachment Policy Drift Detected"]}
    stack.events.put_rule(Name="listener", EventBusName=bus, EventPattern=json.dumps(pattern))
    stack.events.put_targets(Rule="listener", EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])
    [_] = said(path, detail("iam-user"), "default")
    for message in path.stack.sqs.receive_message(QueueUrl=stack.references[SEEN]).get("Messages", []):
        path.let_time_pass(SEEN, message)
    stack.sqs.purge_queue(QueueUrl=stack.references[SEEN])
    stack.events.put_events(
        Entries=[{
            "Source": "aws.connect", "DetailType": "AWS API Call via CloudTrail",
            "Detail": json.dumps(detail("iam-user")),
        }]
    )  # fmt: skip
    polled = path.poll(SEEN)
    assert polled["answer"]["document"] == {"batchItemFailures": []}
    [call] = polled["calls"]
    assert call["operation"] == "DescribeAttachedFilesConfiguration"
    [audit] = polled["audit"]
    assert audit["event"]["class_uid"] == 2003
    [heard] = stack.sqs.receive_message(QueueUrl=url)["Messages"]
    event = json.loads(heard["Body"])
    assert list(VALIDATOR.iter_errors(event["detail"])) == []
    assert (event["detail"]["governed"], event["detail"]["cause"]["type"]) == (False, "IAMUser")


def test_the_event_of_the_page_is_as_the_schema_says() -> None:
    documents = [json.loads(block.text) for block in blocks(ROOT / "docs/drift.md") if block.language == "json"]
    [shown] = [document for document in documents if "detail" in document]
    assert list(VALIDATOR.iter_errors(shown["detail"])) == []
    assert list(VALIDATOR.iter_errors(shown["detail"] | {"governed": "no"})) != []
