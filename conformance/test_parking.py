"""Events and messages that failed for good are parked for an operator: real SQS calls."""

import json
from typing import Any

import pytest
from lambda_service import Poller
from queue_fixtures import LARGE, PACED, SMALL, Start, event, instance, send, start, work
from recorded_aws import RecordedAws, aws

__all__ = ["aws", "start"]  # fixtures, which pytest finds by name

NOWHERE = "99999999-0000-4000-8000-999999999999"
# changes that fail for good, by their final status, and the start of the reported reason
FOR_GOOD: dict[str, tuple[dict[str, Any], str]] = {
    "rejected": (
        {**SMALL, "attachmentScope": "EMAIL", "maximumSizeLimitInBytes": 52_428_800},
        "SizeTooLargeForEmail at `/maximumSizeLimitInBytes`: must be at most 20971520 bytes",
    ),
    "failed": ({**SMALL, "instanceId": NOWHERE}, f"{NOWHERE} CHAT: ResourceNotFoundException "),
    "partial": (
        {**LARGE, "changeId": "CHG-2", "instanceIds": [instance(1), NOWHERE]},
        f"{NOWHERE} EMAIL: ResourceNotFoundException ",
    ),
}


def label(message: dict[str, Any]) -> dict[str, str]:
    """A message's attributes."""
    return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}


@pytest.mark.parametrize("status", FOR_GOOD)
def test_an_event_that_is_over_is_parked_whole_with_its_id_status_and_reasons(
    start: Start, aws: RecordedAws, status: str
) -> None:
    change, reason = FOR_GOOD[status]
    parked = aws.queue("parked")
    function = start(*PACED, f"--env=PARKED_QUEUE_URL={parked}")
    original = json.dumps(event(change), indent=1)
    answered = function.invoke(original)
    assert (answered.error, answered.payload["status"]) == (None, status)
    [message] = aws.receive(parked)
    assert message["Body"] == original
    assert (label(message)["changeId"], label(message)["status"]) == ("CHG-2", status)
    assert label(message)["reasons"].startswith(reason)


def test_a_fifo_queue_takes_what_is_parked_and_the_same_event_once(start: Start, aws: RecordedAws) -> None:
    parked = aws.queue("parked.fifo")
    function = start(*PACED, f"--env=PARKED_QUEUE_URL={parked}")
    change, _ = FOR_GOOD["rejected"]
    for _ in range(2):
        assert function.invoke(event(change)).error is None
    [message] = aws.receive(parked)
    assert json.loads(message["Body"]) == event(change)


@pytest.mark.parametrize("status", FOR_GOOD)
def test_a_message_that_is_over_is_parked_whole_and_done(
    start: Start, aws: RecordedAws, status: str
) -> None:
    change, reason = FOR_GOOD[status]
    changes, parked = aws.queue("changes.fifo"), aws.queue("parked")
    function = start(*PACED, f"--env=PARKED_QUEUE_URL={parked}")
    original = json.dumps(change, indent=1)
    send(aws, changes, original)
    assert [polled.deleted for polled in work(Poller(aws, changes, function))] == [1]
    [message] = aws.receive(parked)
    assert message["Body"] == original
    assert (label(message)["changeId"], label(message)["status"]) == ("CHG-2", status)
    assert label(message)["reasons"].startswith(reason)
    assert aws.by_function("ChangeMessageVisibility") == []


def test_what_cannot_be_parked_is_incomplete_and_comes_again(start: Start, aws: RecordedAws) -> None:
    changes = aws.queue("changes.fifo")
    gone = aws.queue("parked")
    aws.sqs.delete_queue(QueueUrl=gone)
    function = start(*PACED, f"--env=PARKED_QUEUE_URL={gone}")
    change, _ = FOR_GOOD["rejected"]
    answered = function.invoke(event(change))
    assert answered.error == "PolicyChangeIncomplete"
    assert answered.payload["violations"][0]["pointer"] == "/maximumSizeLimitInBytes"
    send(aws, changes, json.dumps(change))
    polled = Poller(aws, changes, function).poll()
    assert polled is not None
    assert polled.invoked.payload == {
        "batchItemFailures": [{"itemIdentifier": polled.messages[0]["MessageId"]}]
    }
    [shown] = aws.by_function("ChangeMessageVisibility")
    assert shown["VisibilityTimeout"] == 15
