"""An event from the bus to Amazon Connect, through the resources that template.yaml defines.

EventBridge, SQS and DynamoDB are moto's, made from the template's expansion. The sandbox runs each function with its own
environment and stands in for Amazon Connect. The test itself only plays Lambda's pollers: receive, invoke, delete what did
not fail.
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

from expansion import ROOT, named
from functions import mappings
from stack import REGION, Stack

PROGRAM = ROOT / "target" / "debug" / "sandbox"
DETAIL_TYPE = "Attachment Policy Change Requested"


class EventPath:
    """A producer at one end, Lambda's pollers at the other."""

    def __init__(self, stack: Stack, directory: Path) -> None:
        self.stack = stack
        self.directory = directory
        # of each queue: the variables of the function that takes its messages
        self.environments = {
            named(mapping["EventSourceArn"]): self.variables(function) for function, mapping in mappings().items()
        }

    def variables(self, function: str) -> dict[str, str]:
        filled = self.stack.filled(self.stack.resources[function]["Properties"]["Environment"]["Variables"])
        here = {f"AWS_ENDPOINT_URL_{service}": self.stack.url for service in ("SQS", "DYNAMODB", "EVENTBRIDGE")}
        return {name: str(value) for name, value in filled.items()} | here

    def put(self, detail: Any, detail_type: str = DETAIL_TYPE, source: str = "com.example.policy") -> None:
        entry = {
            "EventBusName": self.stack.references["Bus"],
            "Source": source,
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

    def poll(self, queue: str, **environment: str) -> dict[str, Any]:
        """One round of a queue's poller. Returns the message, and what the sandbox reports about the invocation."""
        [message] = self.receive(queue)
        polled = self.invoke({"Records": [self.record(queue, message)]}, self.environments[queue] | environment)
        polled["message"] = message
        if polled["answer"]["document"] == {"batchItemFailures": []}:
            url = self.stack.references[queue]
            self.stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return polled

    def record(self, queue: str, message: dict[str, Any]) -> dict[str, Any]:
        """A message as Lambda delivers it: "Using Lambda with Amazon SQS", the FIFO example."""
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self.stack.arns[queue],
            "awsRegion": REGION,
        }

    def invoke(self, payload: Any, variables: dict[str, str]) -> dict[str, Any]:
        """Runs a function once, through the sandbox's Runtime API."""
        (self.directory / "sqs.succeeded.json").write_text(json.dumps(payload))
        command = [str(PROGRAM), "demo", "--json", f"--events={self.directory}"]
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

    def let_time_pass(self, queue: str, message: dict[str, Any]) -> None:
        """Until a hidden message is visible again."""
        self.stack.sqs.change_message_visibility(
            QueueUrl=self.stack.references[queue],
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
