"""What becomes of an event on its way from the bus to Amazon Connect; event_path.py says who plays what."""

import json
from typing import Any

import pytest
from event_path import DETAIL_TYPE, EventPath, moto, path
from expansion import resources
from stack import REGION

__all__ = ["moto", "path"]  # fixtures, which pytest finds by name

INSTANCE = "00000001-0000-4000-8000-000000000001"
CHANGE = {"instanceId": INSTANCE, "attachmentScope": "CHAT", "maximumSize": "8 MB", "changeId": "CHG-7"}
REFUSED = {"instanceId": INSTANCE, "attachmentScope": "EMAIL", "maximumSize": "50 MB", "changeId": "CHG-8"}
# Amazon Connect is unreachable: a temporary failure
UNREACHABLE = {"AWS_ENDPOINT_URL_CONNECT": "http://127.0.0.1:9", "CONNECT_MAX_ATTEMPTS": "1"}
LOST = {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9"}
INTAKE, CHANGES, PARKED = "IntakeQueue", "ChangeQueue", "ParkedQueue"


def codes(polled: dict[str, Any]) -> list[str]:
    """The kinds of the audit's lines, in order."""
    return [line["event"]["metadata"]["event_code"] for line in polled["audit"]]


# ---- As far as the template alone goes ----


def test_an_event_waits_whole_to_be_recorded(path: EventPath) -> None:
    path.put(CHANGE)
    [message] = path.receive(INTAKE)
    event = json.loads(message["Body"])
    assert (event["detail"], event["detail-type"], event["source"]) == (CHANGE, DETAIL_TYPE, "com.example.policy")
    assert path.receive(CHANGES) == path.receive(PARKED) == []


def test_events_come_one_after_the_other_in_the_order_of_the_queue(path: EventPath) -> None:
    path.put(CHANGE)
    path.put({**CHANGE, "changeId": "CHG-9"})
    first = path.receive(INTAKE)
    assert {message["Attributes"]["MessageGroupId"] for message in first} == {"attachment-policy"}
    ids = [json.loads(message["Body"])["detail"]["changeId"] for message in first]
    assert ids == ["CHG-7", "CHG-9"][: len(ids)]
    assert path.receive(INTAKE) == [], "the group is taken while its first message is"


def test_another_kind_of_event_is_not_queued(path: EventPath) -> None:
    path.put(CHANGE, detail_type="Contact Flow Published")
    # the outcomes that the function itself announces
    path.put(CHANGE, detail_type="Attachment Policy Change Completed")
    assert path.receive(INTAKE) == []


def test_an_event_that_is_never_recorded_ends_in_the_dead_letter_queue(path: EventPath) -> None:
    receives = resources("AWS::SQS::Queue")[INTAKE]["RedrivePolicy"]["maxReceiveCount"]
    path.put(CHANGE)
    for _ in range(receives):
        [message] = path.receive(INTAKE)
        path.let_time_pass(INTAKE, message)
    assert path.receive(INTAKE) == []
    [letter] = path.receive("IntakeDeadLetterQueue")
    assert json.loads(letter["Body"])["detail"] == CHANGE
    assert path.receive(PARKED) == []


# ---- Through the functions ----


def test_an_event_is_recorded_and_reaches_amazon_connect_and_the_audit(path: EventPath) -> None:
    path.put(CHANGE)
    recorded = path.poll(INTAKE)
    assert recorded["answer"]["document"] == {"batchItemFailures": []}
    assert recorded["calls"] == [], "the intake calls Amazon Connect never"
    polled = path.poll(CHANGES)
    assert polled["answer"]["document"] == {"batchItemFailures": []}
    [change] = polled["changes"]
    assert (change["instanceId"], change["attachmentScope"]) == (INSTANCE, "CHAT")
    assert change["after"]["maximumSizeLimitInBytes"] == 8_388_608
    assert codes(polled) == ["intent", "outcome"]
    for line in polled["audit"]:
        assert line["event"]["metadata"]["correlation_uid"] == "CHG-7"
        # who sent the event, though the lane's message came from the intake
        assert line["event"]["actor"]["idp"] == {"name": "sqs-sender"}
        assert line["event"]["src_endpoint"]["svc_name"] == "com.example.policy"
    assert path.receive(INTAKE) == path.receive(CHANGES) == path.receive(PARKED) == []


def test_a_lane_s_message_has_the_lane_as_its_group_and_no_document(path: EventPath) -> None:
    path.put(CHANGE)
    path.poll(INTAKE)
    [message] = path.receive(CHANGES)
    account, _, region = message["Attributes"]["MessageGroupId"].partition("/")
    assert (len(account), region) == (12, REGION)
    assert "maximumSize" not in message["Body"]


def test_a_change_without_an_id_is_found_by_its_event_s(path: EventPath) -> None:
    path.put({key: value for key, value in CHANGE.items() if key != "changeId"})
    event = json.loads(path.poll(INTAKE)["message"]["Body"])
    polled = path.poll(CHANGES)
    assert {line["event"]["metadata"]["correlation_uid"] for line in polled["audit"]} == {event["id"]}


def test_a_refused_event_is_parked_whole_with_its_reasons(path: EventPath) -> None:
    path.put(REFUSED)
    polled = path.poll(INTAKE)
    assert polled["answer"]["document"] == {"batchItemFailures": []}
    assert (codes(polled), polled["calls"]) == (["refusal"], [])
    [parked] = path.receive(PARKED)
    assert parked["Body"] == polled["message"]["Body"]
    label = {name: value["StringValue"] for name, value in parked["MessageAttributes"].items()}
    assert (label["changeId"], label["status"]) == ("CHG-8", "rejected")
    assert "20971520" in label["reasons"]
    assert path.receive(CHANGES) == []


def test_an_event_waits_while_the_ledger_does_not_answer(path: EventPath) -> None:
    path.put(CHANGE)
    failed = path.poll(INTAKE, **LOST)
    assert failed["answer"]["document"] == {"batchItemFailures": [{"itemIdentifier": failed["message"]["MessageId"]}]}
    assert path.receive(CHANGES) == path.receive(PARKED) == []
    path.let_time_pass(INTAKE, failed["message"])
    path.poll(INTAKE)
    assert len(path.poll(CHANGES)["changes"]) == 1


def test_what_failed_for_a_while_is_applied_when_it_comes_again(path: EventPath) -> None:
    path.put(CHANGE)
    path.poll(INTAKE)
    failed = path.poll(CHANGES, **UNREACHABLE)
    assert failed["answer"]["document"] == {"batchItemFailures": [{"itemIdentifier": failed["message"]["MessageId"]}]}
    assert path.receive(CHANGES) == [], "hidden by the function, for a while"
    path.let_time_pass(CHANGES, failed["message"])
    polled = path.poll(CHANGES)
    assert polled["message"]["MessageId"] == failed["message"]["MessageId"]
    assert (len(polled["changes"]), codes(polled)) == (1, ["intent", "outcome"])


def test_a_lane_that_gets_nowhere_is_parked_after_its_deliveries_without_progress(path: EventPath) -> None:
    """Each delay is longer; in this test, time passes at once."""
    path.put(CHANGE)
    path.poll(INTAKE)
    for _ in range(15):
        message = path.poll(CHANGES, **UNREACHABLE)["message"]
        path.let_time_pass(CHANGES, message)
    last = path.poll(CHANGES, **UNREACHABLE)
    assert last["answer"]["document"] == {"batchItemFailures": []}
    assert last["calls"] == [], "the sixteenth begin parks it"
    [parked] = path.receive(PARKED)
    label = {name: value["StringValue"] for name, value in parked["MessageAttributes"].items()}
    assert (label["changeId"], label["status"]) == ("CHG-7", "incomplete")
    assert path.receive(CHANGES) == path.receive("DeadLetterQueue") == []


@pytest.mark.parametrize(
    "body",
    [CHANGE, {"changeId": "CHG-404", "key": "1764000000000", "lane": f"111122223333/{REGION}"}, "no lane"],
    ids=["a policy change", "an unknown change", "no document"],
)
def test_what_nobody_planned_is_refused_in_a_lane_s_group(path: EventPath, body: Any) -> None:
    path.stack.sqs.send_message(
        QueueUrl=path.stack.references[CHANGES], MessageBody=json.dumps(body),
        MessageGroupId=f"111122223333/{REGION}", MessageDeduplicationId="forged",
    )  # fmt: skip
    polled = path.poll(CHANGES)
    assert polled["answer"]["document"] == {"batchItemFailures": []}
    assert (polled["changes"], polled["calls"]) == ([], [])
    [parked] = path.receive(PARKED)
    assert parked["MessageAttributes"]["status"]["StringValue"] == "rejected"
