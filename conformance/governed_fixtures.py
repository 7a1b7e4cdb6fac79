"""Governed mode with a DynamoDB and an SQS that nobody here wrote: moto's, with the production binary's own calls."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import Sandbox
from lambda_service import Function, Polled, Poller
from queue_fixtures import send, work
from recorded_aws import RecordedAws

Serve = Callable[..., Sandbox]
LEASE = 61_000


class Governed:
    """A table and its queues, for functions of one stack. Each of them accepts every trigger."""

    def __init__(self, aws: RecordedAws, serve: Serve, directory: Path) -> None:
        self.aws = aws
        self._serve = serve
        self._directory = directory
        self.table = aws.table("ledger")
        # moto lets time pass as AWS does: what is hidden stays so for the test, until somebody shows it
        self.changes = aws.queue("changes.fifo", VisibilityTimeout="1800")
        self.intake = aws.queue("intake.fifo", VisibilityTimeout="1800")
        self.parked = aws.queue("parked")

    def start(self, *flags: str) -> Function:
        """A process with an Amazon Connect of its own."""
        journal = self._directory / f"journal{len(list(self._directory.iterdir()))}.jsonl"
        variables = {
            "LEDGER_TABLE": self.table,
            "CHANGE_QUEUE_URL": self.changes,
            "INTAKE_QUEUE_URL": self.intake,
            "PARKED_QUEUE_URL": self.parked,
            "AWS_ENDPOINT_URL_SQS": self.aws.url,
            "AWS_ENDPOINT_URL_DYNAMODB": self.aws.url,
            "ACCEPTED_TRIGGERS": "http,bare,eventbridge,sqs,lane,sweep",
        }
        environment = [f"--env={name}={value}" for name, value in variables.items()]
        sandbox = self._serve("--rate=0", f"--journal={journal}", *environment, *flags)
        return Function(sandbox, journal)

    def beside(self, function: Function, *flags: str) -> Function:
        """Another process of the same stack, with the same Amazon Connect."""
        return self.start(f"--env=AWS_ENDPOINT_URL_CONNECT={function.sandbox.connect}", *flags)

    def poller(self, function: Function) -> Poller:
        """Lambda's poller of the lanes' queue."""
        return Poller(self.aws, self.changes, function)

    def take_in(self, function: Function, document: Any, deduplication: str = "once") -> None:
        """A document that somebody sends to the intake queue, and that the function records."""
        send(self.aws, self.intake, json.dumps(document), deduplication)
        [polled] = work(Poller(self.aws, self.intake, function))
        assert (polled.invoked.error, polled.deleted) == (None, 1)

    def work(self, function: Function) -> list[Polled]:
        """Lanes' messages, until nothing is visible."""
        return work(self.poller(function))

    def work_until(self, done: int, function: Function) -> list[Polled]:
        """The same, until so many messages are done: on a busy machine a target may fail for now, and its lane waits."""
        rounds = self.work(function)
        for _ in range(30):
            if sum(polled.deleted for polled in rounds) == done:
                break
            self.aws.show(self.changes, rounds[-1].messages[0])
            rounds += self.work(function)
        return rounds

    def lanes(self) -> list[dict[str, Any]]:
        """The messages that the functions have sent to the lanes' queue."""
        batches = self.aws.by_function("SendMessageBatch")
        assert {batch["QueueUrl"] for batch in batches} <= {self.changes}
        return [entry for batch in batches for entry in batch["Entries"]]

    def items(self, prefix: str) -> list[dict[str, Any]]:
        """The items whose partition key begins so."""
        pages = self.aws.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"] if item["pk"]["S"].startswith(prefix)]

    def let_leases_lapse(self) -> None:
        """What a minute makes of the intents of a process that was killed: their leases are over."""
        for item in self.items("target#"):
            if intent := item.get("intent"):
                for name in ("begun", "until"):
                    intent["M"][name]["N"] = str(int(intent["M"][name]["N"]) - LEASE)
                self.aws.dynamodb.put_item(TableName=self.table, Item=item)

    def let_a_minute_pass(self, change_id: str) -> None:
        """Of a run whose planner did not get to its end: somebody else may look after it."""
        [item] = [item for item in self.items(f"change#{change_id}") if item["sk"]["S"] == "change"]
        for name in ("due", "submitted"):
            item[name]["N"] = str(int(item[name]["N"]) - LEASE)
        self.aws.dynamodb.put_item(TableName=self.table, Item=item)

    def open_items(self) -> list[dict[str, Any]]:
        """Whatever somebody would have to come back to."""
        unfinished = ("accepted", "running", "open")
        return [
            item
            for item in self.items("")
            if item.keys() & {"owed", "intent"}
            or item["sk"]["S"].startswith("work#")
            or item.get("status", item.get("state", {})).get("S") in unfinished
        ]


def post(function: Function, document: Any, **query: str) -> requests.Response:
    """A change over HTTP."""
    return requests.post(f"{function.sandbox.function}/policy-changes", json=document, params=query, timeout=60)


def record(function: Function, change_id: str, **query: Any) -> dict[str, Any]:
    """A recorded change."""
    url = f"{function.sandbox.function}/policy-changes/{change_id}"
    answer = requests.get(url, params=query, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def governed(serve: Serve, aws: RecordedAws, tmp_path: Path) -> Governed:
    """A table and queues for this test alone."""
    return Governed(aws, serve, tmp_path)
