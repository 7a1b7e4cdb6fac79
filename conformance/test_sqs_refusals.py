"""What the sandbox's queues refuse, and by which name, compared with moto's as in test_sqs.py."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from recorded_aws import aws
from sqs_fixtures import DEAD, FIFO, STANDARD, Queues, own, queues

__all__ = ["aws", "own", "queues"]  # fixtures, which pytest finds by name

Wrong = Callable[[Queues], Any]
WRONG: dict[str, tuple[str, Wrong]] = {
    "no such queue": (
        "AWS.SimpleQueueService.NonExistentQueue",
        lambda queues: queues.sqs.get_queue_url(QueueName="nowhere"),
    ),
    "no group": (
        "MissingParameter",
        lambda queues: queues.sqs.send_message(QueueUrl=queues.url[FIFO], MessageBody="x"),
    ),
    "nothing to recognise a repetition by": ("InvalidParameterValue", lambda queues: queues.send(DEAD, "x")),
    "too long": ("InvalidParameterValue", lambda queues: queues.send(STANDARD, "x" * 1_048_577)),
    "too many at once": ("InvalidParameterValue", lambda queues: queues.receive(STANDARD, 11)),
    "too long a wait": ("InvalidParameterValue", lambda queues: queues.receive(STANDARD, WaitTimeSeconds=21)),
    "a handle that is none": (
        "ReceiptHandleIsInvalid",
        lambda queues: queues.show_after(FIFO, {"ReceiptHandle": "none"}, 0),
    ),
    "an empty batch": (
        "AWS.SimpleQueueService.EmptyBatchRequest",
        lambda queues: queues.sqs.send_message_batch(QueueUrl=queues.url[STANDARD], Entries=[]),
    ),
    "two entries of one id": (
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        lambda queues: queues.sqs.send_message_batch(
            QueueUrl=queues.url[STANDARD], Entries=[{"Id": "a", "MessageBody": "x"}] * 2
        ),
    ),
    "eleven entries": (
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        lambda queues: queues.sqs.send_message_batch(
            QueueUrl=queues.url[STANDARD],
            Entries=[{"Id": str(number), "MessageBody": "x"} for number in range(11)],
        ),
    ),
    "an unknown attribute": (
        "InvalidAttributeName",
        lambda queues: queues.sqs.get_queue_attributes(QueueUrl=queues.url[STANDARD], AttributeNames=["Colour"]),
    ),
}


TAKEN_BY_MOTO: dict[str, tuple[str, Wrong]] = {
    "a repetition's id in a standard queue": (
        "InvalidParameterValue",
        lambda queues: queues.send(STANDARD, "x", MessageDeduplicationId="id"),
    ),
    "a character that is not allowed": ("InvalidMessageContents", lambda queues: queues.send(STANDARD, "\x01")),
}


@pytest.mark.parametrize(("code", "call"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_as_amazon_sqs_names_it(queues: Queues, code: str, call: Wrong) -> None:
    refused_as(code, queues, call)


@pytest.mark.parametrize(("code", "call"), TAKEN_BY_MOTO.values(), ids=TAKEN_BY_MOTO)
def test_what_moto_takes_is_refused_too(own: Queues, code: str, call: Wrong) -> None:
    refused_as(code, own, call)


def refused_as(code: str, queues: Queues, call: Wrong) -> None:
    with pytest.raises(ClientError) as refused:
        call(queues)
    assert refused.value.response["Error"]["Code"] == code
    assert 400 <= refused.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500


def test_a_handle_of_the_past_is_refused_by_a_fifo_queue(own: Queues) -> None:
    """moto forgets the message instead (developer guide, "Exactly-once processing")."""
    own.send(FIFO, "x")
    [old] = own.receive(FIFO, VisibilityTimeout=0)
    [new] = own.receive(FIFO)
    with pytest.raises(ClientError) as refused:
        own.delete(FIFO, old)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"
    own.delete(FIFO, new)
    assert own.receive(FIFO, VisibilityTimeout=0) == []


def test_exceptions_have_their_python_class(own: Queues) -> None:
    with pytest.raises(own.sqs.exceptions.QueueDoesNotExist):
        own.sqs.get_queue_url(QueueName="nowhere")
    with pytest.raises(own.sqs.exceptions.ReceiptHandleIsInvalid):
        own.delete(FIFO, {"ReceiptHandle": "none"})
    own.send(STANDARD, "x")
    [shown] = own.receive(STANDARD, VisibilityTimeout=0)
    with pytest.raises(own.sqs.exceptions.MessageNotInflight):
        own.show_after(STANDARD, shown, 1)
    own.sqs.purge_queue(QueueUrl=own.url[STANDARD])
    with pytest.raises(own.sqs.exceptions.PurgeQueueInProgress):
        own.sqs.purge_queue(QueueUrl=own.url[STANDARD])
