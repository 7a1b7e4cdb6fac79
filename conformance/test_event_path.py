"""An event from the bus to Amazon Connect, through the resources that template.yaml defines.

EventBridge and SQS are moto's, made from the template's expansion. The sandbox runs the function with the worker's
own environment and stands in for Amazon Connect. The test itself only plays Lambda's poller: receive, invoke, delete
what did not fail.
"""

import itertools
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from expansion import ROOT, default, named, resources
from stack import REGION, Stack

PROGRAM = ROOT / "target" / "debug" / "sandbox"
DETAIL_TYPE = "Attachment Policy Change Requested"
INSTANCE = "00000001-0000-4000-8000-000000000001"
CHANGE = {"instanceId": INSTANCE, "attachmentScope": "CHAT", "maximumSize": "8 MB", "changeId": "CHG-7"}
REFUSED = {"instanceId": INSTANCE, "attachmentScope": "EMAIL", "maximumSize": "50 MB", "changeId": "CHG-8"}
# Amazon Connect is unreachable: a temporary failure
UNREACHABLE = {"AWS_ENDPOINT_URL_CONNECT": "http://127.0.0.1:9", "CONNECT_MAX_ATTEMPTS": "1"}


class EventPath:
    """A producer at one end, Lambda's poller at the other."""

    def __init__(self, stack: Stack, directory: Path) -> None:
        self.stack = stack
        self.directory = directory
        [mapping] = resources("AWS::Lambda::EventSourceMapping").values()
        self.queue = named(mapping["EventSourceArn"])
        worker = stack.resources[named(mapping["FunctionName"])]["Properties"]
        variables = stack.filled(worker["Environment"]["Variables"])
        self.environment = {name: str(value) for name, value in variables.items()}
        self.environment["AWS_ENDPOINT_URL_SQS"] = stack.url

    def put(self, detail: Any, detail_type: str = DETAIL_TYPE) -> None:
        entry = {
            "EventBusName": self.stack.references["Bus"],
            "Source": "com.example.policy",
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
        }
        assert self.stack.events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    def receive(self, queue: str) -> list[dict[str, Any]]:
        """Receives the visible messages of a queue."""
        answer = self.stack.sqs.receive_message(
            QueueUrl=self.stack.references[queue],
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,
        )
        return answer.get("Messages", [])

    def poll(self, **environment: str) -> dict[str, Any]:
        """One round of the poller. Returns the message, and what the sandbox reports about the invocation."""
        [message] = self.receive(self.queue)
        told = self.invoke({"Records": [self.record(message)]}, environment)
        told["message"] = message
        if told["answer"]["document"] == {"batchItemFailures": []}:
            url = self.stack.references[self.queue]
            self.stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return told

    def record(self, message: dict[str, Any]) -> dict[str, Any]:
        """A message as Lambda delivers it: "Using Lambda with Amazon SQS", the FIFO example."""
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self.stack.arns[self.queue],
            "awsRegion": REGION,
        }

    def invoke(self, payload: Any, environment: dict[str, str]) -> dict[str, Any]:
        """Runs the function once, through the sandbox's Runtime API."""
        (self.directory / "sqs.succeeded.json").write_text(json.dumps(payload))
        command = [str(PROGRAM), "demo", "--json", f"--events={self.directory}"]
        variables = {**self.environment, **environment}
        command += [f"--env={name}={value}" for name, value in variables.items()]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            return json.loads(line)
        finally:
            # otherwise it would continue with its own demonstration
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=10)

    def let_time_pass(self, message: dict[str, Any]) -> None:
        """Until a hidden message is visible again."""
        self.stack.sqs.change_message_visibility(
            QueueUrl=self.stack.references[self.queue],
            ReceiptHandle=message["ReceiptHandle"],
            VisibilityTimeout=0,
        )


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """A moto in its own process, because its state belongs to the process."""
    command = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        said = itertools.takewhile(bool, iter(process.stderr.readline, None))
        found = (re.search(r"Running on (http://127\.0\.0\.1:\d+)", line) for line in said)
        url = next((match[1] for match in found if match), None)
        assert url, "moto did not start"
        # so that its pipe does not fill up
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture
def path(moto: str, tmp_path: Path) -> EventPath:
    """A separate stack for every test."""
    assert PROGRAM.is_file(), "no sandbox: build it with `cargo build --workspace`"
    requests.post(f"{moto}/moto-api/reset", timeout=10).raise_for_status()
    return EventPath(Stack(moto), tmp_path)


def codes(told: dict[str, Any]) -> list[str]:
    """The kinds of the audit's lines, in order."""
    return [line["event"]["metadata"]["event_code"] for line in told["audit"]]


def test_an_event_reaches_amazon_connect_and_the_audit(path: EventPath) -> None:
    path.put(CHANGE)
    told = path.poll()
    assert told["answer"]["document"] == {"batchItemFailures": []}
    [change] = told["changes"]
    assert (change["instanceId"], change["attachmentScope"]) == (INSTANCE, "CHAT")
    assert change["after"]["maximumSizeLimitInBytes"] == 8_388_608
    assert codes(told) == ["intent", "outcome"]
    for line in told["audit"]:
        assert line["event"]["metadata"]["correlation_uid"] == "CHG-7"
        assert line["event"]["actor"]["idp"] == {"name": "sqs-sender"}
        assert line["event"]["src_endpoint"]["svc_name"] == "com.example.policy"
    assert path.receive(path.queue) == path.receive("ParkedQueue") == []


def test_a_change_without_an_id_is_found_by_its_event_s(path: EventPath) -> None:
    path.put({key: value for key, value in CHANGE.items() if key != "changeId"})
    told = path.poll()
    event = json.loads(told["message"]["Body"])
    assert {line["event"]["metadata"]["correlation_uid"] for line in told["audit"]} == {event["id"]}
    assert event["detail-type"] == DETAIL_TYPE


def test_changes_come_one_after_the_other_in_the_order_of_the_queue(path: EventPath) -> None:
    path.put(CHANGE)
    path.put({**CHANGE, "changeId": "CHG-9"})
    first = path.receive(path.queue)
    assert {message["Attributes"]["MessageGroupId"] for message in first} == {"attachment-policy"}
    ids = [json.loads(message["Body"])["detail"]["changeId"] for message in first]
    assert ids == ["CHG-7", "CHG-9"][: len(ids)]
    assert path.receive(path.queue) == [], "the group is taken while its first message is"


def test_another_kind_of_event_is_not_queued(path: EventPath) -> None:
    path.put(CHANGE, detail_type="Contact Flow Published")
    assert path.receive(path.queue) == []


def test_a_refused_event_is_parked_whole_with_its_reasons(path: EventPath) -> None:
    path.put(REFUSED)
    told = path.poll()
    assert told["answer"]["document"] == {"batchItemFailures": []}
    assert (codes(told), told["calls"]) == (["refusal"], [])
    [parked] = path.receive("ParkedQueue")
    assert parked["Body"] == told["message"]["Body"]
    label = {name: value["StringValue"] for name, value in parked["MessageAttributes"].items()}
    assert (label["changeId"], label["status"]) == ("CHG-8", "rejected")
    assert "20971520" in label["reasons"]
    assert path.receive(path.queue) == []


def test_an_event_that_fails_every_time_ends_in_the_dead_letter_queue(path: EventPath) -> None:
    """Each delay is longer; in this test, time passes at once."""
    receives = default(resources("AWS::SQS::Queue")[path.queue]["RedrivePolicy"]["maxReceiveCount"])
    path.put(CHANGE)
    for count in range(1, receives + 1):
        told = path.poll(**UNREACHABLE)
        message = told["message"]
        assert message["Attributes"]["ApproximateReceiveCount"] == str(count)
        assert told["answer"]["document"] == {"batchItemFailures": [{"itemIdentifier": message["MessageId"]}]}
        assert path.receive(path.queue) == [], "hidden by the function, for a while"
        path.let_time_pass(message)
    assert path.receive(path.queue) == []
    [letter] = path.receive("DeadLetterQueue")
    assert json.loads(letter["Body"])["detail"] == CHANGE
    assert path.receive("ParkedQueue") == []


def test_what_failed_for_a_while_is_applied_when_it_comes_again(path: EventPath) -> None:
    path.put(CHANGE)
    failed = path.poll(**UNREACHABLE)
    path.let_time_pass(failed["message"])
    told = path.poll()
    assert told["message"]["MessageId"] == failed["message"]["MessageId"]
    assert (len(told["changes"]), codes(told)) == (1, ["intent", "outcome"])
