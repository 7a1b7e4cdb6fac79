"""Lambda around the function: invocations, SQS's event source mapping, and the calls that Amazon Connect received."""

import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from conftest import Sandbox
from journal import answered
from recorded_aws import ANYBODY, REGION, RecordedAws

NAME = "connect-attachment-policy"


@dataclass(frozen=True)
class Invoked:
    """Lambda's answer. `error` is the error type of a function error."""

    error: str | None
    payload: Any


class Function:
    """The function behind Lambda's Invoke, called by boto3."""

    def __init__(self, sandbox: Sandbox, journal: Path) -> None:
        self.sandbox = sandbox
        self._journal = journal
        once = Config(retries={"total_max_attempts": 1}, read_timeout=120)
        self._lambda = boto3.client("lambda", endpoint_url=sandbox.invoke, config=once, **ANYBODY)

    def invoke(self, event: Any) -> Invoked:
        """One synchronous invocation. A string is sent unchanged."""
        text = event if isinstance(event, str) else json.dumps(event)
        answer = self._lambda.invoke(FunctionName=NAME, Payload=text)
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" not in answer:
            return Invoked(None, payload)
        message = payload["errorMessage"]
        return Invoked(payload["errorType"], json.loads(message) if message.startswith("{") else message)

    def processes(self) -> list[int]:
        """The function's processes: the children of all of the sandbox's threads."""
        found = []
        for task in Path(f"/proc/{self.sandbox.pid}/task").iterdir():
            # a thread may end while the others are read
            with suppress(FileNotFoundError):
                found += (task / "children").read_text().split()
        return [int(pid) for pid in found]

    def kill(self) -> None:
        """Kills it with SIGKILL, at whatever point it is."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def journal(self) -> list[dict[str, Any]]:
        """Every call that Amazon Connect has answered."""
        return answered(self.sandbox.connect, self._journal)

    def updates(self) -> list[dict[str, Any]]:
        """The updates that took effect, in the order in which they arrived."""
        made = [entry for entry in self.journal() if entry["effect"]]
        return sorted(made, key=lambda entry: entry["sequence"])


def targets(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The instance and scope of each entry."""
    return [(entry["instance_id"], entry["scope"]) for entry in entries]


@dataclass(frozen=True)
class Polled:
    """One round of the poller."""

    messages: list[dict[str, Any]]
    invoked: Invoked
    deleted: int


class Poller:
    """Lambda's event source mapping of a queue, with `ReportBatchItemFailures`.

    Written from the pages "Using Lambda with Amazon SQS" and "Handling errors for an SQS event source in Lambda":
    messages that a batch's answer does not name are deleted. After a function error, or an answer that names a message
    that was not in the batch, none are deleted. It never makes messages visible again: that is done by the queue's
    timeout or by the function.
    """

    def __init__(self, aws: RecordedAws, queue: str, function: Function, batch_size: int = 1) -> None:
        self._aws = aws
        self.queue = queue
        self._arn = aws.arn(queue)
        self._function = function
        self._batch_size = batch_size

    def poll(self) -> Polled | None:
        """Receives, invokes and deletes. `None` if nothing is visible."""
        messages = self._aws.receive(self.queue, self._batch_size)
        if not messages:
            return None
        invoked = self._function.invoke({"Records": [self.record(message) for message in messages]})
        if invoked.error:
            return Polled(messages, invoked, 0)
        failed = {failure["itemIdentifier"] for failure in invoked.payload["batchItemFailures"]}
        if not failed <= {message["MessageId"] for message in messages}:
            return Polled(messages, invoked, 0)
        done = [message for message in messages if message["MessageId"] not in failed]
        for message in done:
            self._aws.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return Polled(messages, invoked, len(done))

    def record(self, message: dict[str, Any]) -> dict[str, Any]:
        """A message as Lambda delivers it."""
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {
                name: {
                    "stringValue": value["StringValue"],
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": value["DataType"],
                }
                for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": REGION,
        }
