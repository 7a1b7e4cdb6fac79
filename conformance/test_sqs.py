"""The sandbox's queues, judged by boto3, and compared with moto's: the same test for both.

boto3 checks every digest by itself. Where moto differs from AWS's documentation, a test says so and is for the sandbox
only. test_sqs_refusals.py has what they refuse.
"""

import threading
import time

from recorded_aws import aws
from sqs_fixtures import DEAD, FIFO, MOST_RECEIVES, STANDARD, Queues, own, queues

__all__ = ["aws", "own", "queues"]  # fixtures, which pytest finds by name


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
