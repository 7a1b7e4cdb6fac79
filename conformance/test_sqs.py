"""The sandbox's queues, judged by boto3, and compared with moto's: the same test for both.

boto3 checks every digest by itself. Where moto differs from AWS's documentation, a test says so and is for the sandbox
only.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from aws import client
from botocore.exceptions import ClientError
from conftest import Sandbox
from recorded_aws import RecordedAws, aws

__all__ = ["aws"]  # a fixture, which pytest finds by name

FIFO = "intake.fifo"
DEAD = "intake-failed.fifo"
STANDARD = "parked"
NAMES = (FIFO, DEAD, STANDARD)
MOST_RECEIVES = 100


@dataclass(frozen=True)
class Queues:
    """A client, and the queues' URLs."""

    sqs: Any
    url: dict[str, str]

    def send(self, queue: str, body: str, group: str = "group", **more: Any) -> dict[str, Any]:
        fifo = {"MessageGroupId": group} if queue.endswith(".fifo") else {}
        return self.sqs.send_message(QueueUrl=self.url[queue], MessageBody=body, **fifo, **more)

    def receive(self, queue: str, at_most: int = 10, **more: Any) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=self.url[queue],
            MaxNumberOfMessages=at_most,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            **more,
        )
        return answer.get("Messages", [])

    def bodies(self, queue: str, **more: Any) -> list[str]:
        return [message["Body"] for message in self.receive(queue, **more)]

    def delete(self, queue: str, message: dict[str, Any]) -> None:
        self.sqs.delete_message(QueueUrl=self.url[queue], ReceiptHandle=message["ReceiptHandle"])

    def show_after(self, queue: str, message: dict[str, Any], seconds: int) -> None:
        self.sqs.change_message_visibility(
            QueueUrl=self.url[queue], ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )


def served(sandbox: Sandbox) -> Queues:
    sqs = client("sqs", sandbox.queues)
    return Queues(sqs, {name: sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in NAMES})


def motos(aws: RecordedAws) -> Queues:
    def made(name: str, **attributes: str) -> str:
        fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        return aws.sqs.create_queue(QueueName=name, Attributes={**fifo, **attributes})["QueueUrl"]

    dead = made(DEAD)
    arn = aws.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": {MOST_RECEIVES}}}'
    first = made(FIFO, VisibilityTimeout="360", ContentBasedDeduplication="true", RedrivePolicy=policy)
    return Queues(aws.sqs, {FIFO: first, DEAD: dead, STANDARD: made(STANDARD)})


@pytest.fixture(params=["sandbox", "moto"])
def queues(request: pytest.FixtureRequest) -> Iterator[Queues]:
    """Empty queues of the sandbox, then of moto."""
    if request.param == "sandbox":
        yield served(request.getfixturevalue("services"))
    else:
        yield motos(request.getfixturevalue("aws"))


@pytest.fixture
def own(services: Sandbox) -> Queues:
    """Empty queues of the sandbox."""
    return served(services)


def test_a_message_comes_as_it_was_sent_and_is_gone_when_it_is_deleted(queues: Queues) -> None:
    attributes = {
        "status": {"DataType": "String", "StringValue": "rejected"},
        "count": {"DataType": "Number", "StringValue": "3"},
        "digest": {"DataType": "Binary", "BinaryValue": b"\x01\x02"},
    }
    before = int(time.time() * 1000)
    sent = queues.send(FIFO, '{"ä": "€"}', "111122223333/us-east-1", MessageAttributes=attributes)
    [message] = queues.receive(FIFO)
    assert message["Body"] == '{"ä": "€"}'
    assert message["MessageId"] == sent["MessageId"]
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"]
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["MessageAttributes"] == attributes
    known = message["Attributes"]
    assert known["MessageGroupId"] == "111122223333/us-east-1"
    assert known["ApproximateReceiveCount"] == "1"
    # the SHA-256 of the body
    assert len(known["MessageDeduplicationId"]) == 64
    assert before <= int(known["SentTimestamp"]) <= int(known["ApproximateFirstReceiveTimestamp"])
    queues.delete(FIFO, message)
    assert queues.receive(FIFO, VisibilityTimeout=0) == []


def test_sequence_numbers_rise_and_come_with_the_message(own: Queues) -> None:
    """moto has none in its answers ("SendMessage" in the API reference has)."""
    numbers = [own.send(FIFO, body)["SequenceNumber"] for body in "abc"]
    assert numbers == sorted(set(numbers))
    assert [message["Attributes"]["SequenceNumber"] for message in own.receive(FIFO)] == numbers


def test_a_group_keeps_its_order_and_waits_while_one_of_its_messages_is_in_flight(queues: Queues) -> None:
    for body in ("a1", "a2", "b1"):
        queues.send(FIFO, body, body[0])
    [first] = queues.receive(FIFO, 1)
    assert first["Body"] == "a1"
    assert queues.bodies(FIFO) == ["b1"]
    queues.delete(FIFO, first)
    assert queues.bodies(FIFO) == ["a2"]


def test_one_receive_gives_as_many_of_one_group_as_it_can(queues: Queues) -> None:
    for body in ("a1", "a2", "a3"):
        queues.send(FIFO, body, "a")
    assert queues.bodies(FIFO) == ["a1", "a2", "a3"]


def test_part_of_a_batch_keeps_its_group_waiting(own: Queues) -> None:
    """moto gives a1 again at once, although a2 of its group is in flight (developer guide, "FIFO delivery logic")."""
    for body in ("a1", "a2"):
        own.send(FIFO, body, "a")
    first, second = own.receive(FIFO)
    own.show_after(FIFO, first, 0)
    assert own.bodies(FIFO) == []
    own.show_after(FIFO, second, 0)
    assert own.bodies(FIFO) == ["a1", "a2"]


def test_a_repeated_message_is_taken_and_not_delivered(queues: Queues) -> None:
    for _ in range(2):
        queues.send(FIFO, "same")
    queues.send(FIFO, "one", MessageDeduplicationId="id")
    queues.send(FIFO, "other", "b", MessageDeduplicationId="id")
    assert queues.bodies(FIFO) == ["same", "one"]


def test_what_was_deleted_is_still_a_repetition(own: Queues) -> None:
    """moto forgets it, and answers a repetition with an id of its own ("SendMessage", `MessageDeduplicationId`)."""
    sent = own.send(FIFO, "same")
    [message] = own.receive(FIFO)
    own.delete(FIFO, message)
    assert own.send(FIFO, "same")["MessageId"] == sent["MessageId"]
    assert own.receive(FIFO) == []


def test_a_message_shown_again_is_counted_and_has_a_new_handle(queues: Queues) -> None:
    queues.send(FIFO, "x")
    [first] = queues.receive(FIFO)
    queues.show_after(FIFO, first, 0)
    [second] = queues.receive(FIFO)
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    times = [message["Attributes"]["ApproximateFirstReceiveTimestamp"] for message in (first, second)]
    assert times[0] == times[1]
    assert first["ReceiptHandle"] != second["ReceiptHandle"]


def test_a_message_returns_by_itself_when_its_visibility_ends(queues: Queues) -> None:
    queues.send(STANDARD, "x")
    assert queues.bodies(STANDARD, VisibilityTimeout=1) == ["x"]
    assert queues.bodies(STANDARD) == []
    assert queues.bodies(STANDARD, WaitTimeSeconds=5) == ["x"]


def test_a_receive_waits_for_a_message(queues: Queues) -> None:
    later = threading.Timer(0.5, queues.send, (FIFO, "x"))
    later.start()
    asked = time.monotonic()
    assert queues.bodies(FIFO, WaitTimeSeconds=10) == ["x"]
    assert time.monotonic() - asked < 5
    later.join()


def test_a_message_received_too_often_is_in_the_dead_letter_queue(queues: Queues) -> None:
    queues.send(FIFO, "x", "lane")
    for _ in range(MOST_RECEIVES):
        assert queues.bodies(FIFO, VisibilityTimeout=0) == ["x"]
    assert queues.bodies(FIFO, VisibilityTimeout=0) == []
    [dead] = queues.receive(DEAD)
    assert dead["Body"] == "x"
    assert dead["Attributes"]["MessageGroupId"] == "lane"


def test_a_batch_has_an_outcome_for_each_entry(queues: Queues) -> None:
    entries = [
        {"Id": "a", "MessageBody": "1", "MessageGroupId": "g"},
        {"Id": "b", "MessageBody": "2", "MessageGroupId": "g"},
    ]
    sent = queues.sqs.send_message_batch(QueueUrl=queues.url[FIFO], Entries=entries)
    assert [entry["Id"] for entry in sent["Successful"]] == ["a", "b"]
    assert sent.get("Failed", []) == []
    handles = {message["Body"]: message["ReceiptHandle"] for message in queues.receive(FIFO)}
    shown = queues.sqs.change_message_visibility_batch(
        QueueUrl=queues.url[FIFO],
        Entries=[{"Id": "x", "ReceiptHandle": handles["1"], "VisibilityTimeout": 60}],
    )
    assert shown["Successful"] == [{"Id": "x"}]
    deleted = queues.sqs.delete_message_batch(
        QueueUrl=queues.url[FIFO],
        Entries=[{"Id": body, "ReceiptHandle": handle} for body, handle in handles.items()],
    )
    assert [entry["Id"] for entry in deleted["Successful"]] == ["1", "2"]
    assert queues.receive(FIFO, VisibilityTimeout=0) == []


def test_an_entry_that_is_wrong_fails_alone(own: Queues) -> None:
    """moto refuses the whole batch."""
    entries = [
        {"Id": "a", "MessageBody": "1", "MessageGroupId": "g"},
        {"Id": "b", "MessageBody": "2"},
        {"Id": "c", "MessageBody": "3", "MessageGroupId": "g"},
    ]
    sent = own.sqs.send_message_batch(QueueUrl=own.url[FIFO], Entries=entries)
    assert [entry["Id"] for entry in sent["Successful"]] == ["a", "c"]
    [failed] = sent["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("b", "MissingParameter", True)
    assert own.bodies(FIFO) == ["1", "3"]


def test_the_attributes_of_a_queue_say_how_full_it_is(queues: Queues) -> None:
    for body in "abc":
        queues.send(FIFO, body, body)
    queues.receive(FIFO, 1)
    answer = queues.sqs.get_queue_attributes(QueueUrl=queues.url[FIFO], AttributeNames=["All"])
    attributes = answer["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "2"
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "1"
    assert attributes["QueueArn"].endswith(f":{FIFO}")
    assert attributes["VisibilityTimeout"] == "360"
    assert (attributes["FifoQueue"], attributes["ContentBasedDeduplication"]) == ("true", "true")
    assert str(MOST_RECEIVES) in attributes["RedrivePolicy"]


def test_a_purged_queue_is_empty(queues: Queues) -> None:
    queues.send(STANDARD, "x")
    queues.sqs.purge_queue(QueueUrl=queues.url[STANDARD])
    assert queues.receive(STANDARD) == []
    listed = queues.sqs.list_queues(QueueNamePrefix="intake")["QueueUrls"]
    assert sorted(url.rsplit("/", 1)[1] for url in listed) == [DEAD, FIFO]


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
