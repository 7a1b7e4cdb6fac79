"""Outcome events: from the functions over moto's bus, by rules that moto decides, to whoever listens."""

import json
from typing import Any

import pytest
from event_path import DETAIL_TYPE, EventPath, moto, path
from jsonschema import Draft4Validator
from pages import ROOT, blocks

__all__ = ["moto", "path"]  # fixtures, which pytest finds by name

SOURCE, COMPLETED = "connect-attachment-policy", "Attachment Policy Change Completed"
VALIDATOR = Draft4Validator(
    json.loads((ROOT / "docs/schema/change-completed.schema.json").read_text()),
    format_checker=Draft4Validator.FORMAT_CHECKER,
)
SHOWN = [
    json.loads(block.text)
    for block in blocks(ROOT / "docs/events.md")
    if block.language == "json" and block.heading == "Outcome events"
]
EXAMPLE, PATTERN = SHOWN
INSTANCE = "00000001-0000-4000-8000-000000000001"
CHANGE = {"instanceId": INSTANCE, "attachmentScope": "CHAT", "maximumSize": "8 MB", "changeId": "CHG-7", "reason": "why"}
REFUSED = {"instanceId": INSTANCE, "attachmentScope": "EMAIL", "maximumSize": "50 MB", "changeId": "CHG-8"}
NOWHERE = {**CHANGE, "instanceId": "99999999-0000-4000-8000-000000000009", "changeId": "CHG-9"}
INTAKE, CHANGES = "IntakeQueue", "ChangeQueue"


class Listener:
    """A queue of somebody's own, behind a rule of theirs on the stack's bus."""

    def __init__(self, path: EventPath, name: str, pattern: dict[str, Any]) -> None:
        stack, bus = path.stack, path.stack.references["Bus"]
        self._sqs = stack.sqs
        self._url = stack.sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = stack.sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        stack.events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
        targets = [{"Id": "1", "Arn": attributes["QueueArn"]}]
        assert stack.events.put_targets(Rule=name, EventBusName=bus, Targets=targets)["FailedEntryCount"] == 0

    def heard(self) -> list[dict[str, Any]]:
        found = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in found]


def carried_out(path: EventPath, *changes: dict[str, Any]) -> None:
    for change in changes:
        path.put(change)
        path.poll(INTAKE)
        for message in path.receive(CHANGES):
            path.let_time_pass(CHANGES, message)
            path.poll(CHANGES)


def test_what_becomes_of_a_change_reaches_whoever_asks_for_it_and_no_function(path: EventPath) -> None:
    every = Listener(path, "every", {"source": [SOURCE]})
    of_page = Listener(path, "of-page", PATTERN | {"detail": {"status": PATTERN["detail"]["status"]}})
    carried_out(path, CHANGE, REFUSED, NOWHERE)
    events = every.heard()
    found = {(event["detail"]["changeId"], event["detail"]["run"], event["detail"]["status"]) for event in events}
    assert found == {("CHG-7", 1, "succeeded"), ("CHG-8", 1, "rejected"), ("CHG-9", 1, "failed")}
    for event in events:
        assert (event["source"], event["detail-type"]) == (SOURCE, COMPLETED)
        assert list(VALIDATOR.iter_errors(event["detail"])) == []
        assert event["detail"]["origin"]["source"] == "com.example.policy"
    assert {event["detail"]["changeId"] for event in of_page.heard()} == {"CHG-8", "CHG-9"}
    # the template's rule is on the same bus
    assert path.receive(INTAKE) == path.receive(CHANGES) == []


def test_a_rule_that_names_a_producer_hears_of_its_changes_only(path: EventPath) -> None:
    mine = Listener(path, "mine", PATTERN)
    path.put(REFUSED, source="com.example.security")
    path.poll(INTAKE)
    carried_out(path, REFUSED | {"changeId": "CHG-10"})
    assert [event["detail"]["changeId"] for event in mine.heard()] == ["CHG-8"]


@pytest.mark.parametrize(
    ("source", "detail_type", "is_queued"),
    [
        ("com.example.policy", DETAIL_TYPE, True),
        # whatever the function would say, under whichever name
        (SOURCE, DETAIL_TYPE, False),
        (SOURCE, COMPLETED, False),
        ("com.example.policy", COMPLETED, False),
    ],
)
def test_the_rule_that_feeds_changes_takes_no_event_of_the_function(
    path: EventPath, source: str, detail_type: str, is_queued: bool
) -> None:
    path.put(CHANGE, detail_type=detail_type, source=source)
    assert bool(path.receive(INTAKE)) is is_queued


def test_the_function_refuses_its_own_events_where_somebody_feeds_them_to_it_and_says_nothing(path: EventPath) -> None:
    every = Listener(path, "every", {"source": [SOURCE]})
    carried_out(path, REFUSED)
    [said] = every.heard()
    for number, body in enumerate((said, said["detail"], {**said, "source": "com.example.other"})):
        path.stack.sqs.send_message(
            QueueUrl=path.stack.references[INTAKE], MessageBody=json.dumps(body),
            MessageGroupId="attachment-policy", MessageDeduplicationId=f"loop-{number}",
        )  # fmt: skip
        polled = path.poll(INTAKE)
        assert [line["event"]["metadata"]["event_code"] for line in polled["audit"]] == ["refusal"]
    assert every.heard() == []


def test_the_event_of_the_page_is_as_the_schema_says() -> None:
    assert list(VALIDATOR.iter_errors(EXAMPLE["detail"])) == []


@pytest.mark.parametrize(
    "wrong",
    [{"status": "running"}, {"run": 0}, {"more": 1}, {"reasons": []}, {"reasons": [{"code": "LaneParked"}]}, {"summary": {"applied": 0}}],
    ids=lambda wrong: next(iter(wrong)),
)  # fmt: skip
def test_what_no_event_has_is_no_event_by_the_schema(wrong: dict[str, Any]) -> None:
    assert list(VALIDATOR.iter_errors(EXAMPLE["detail"] | wrong)) != []
