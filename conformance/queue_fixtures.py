"""Shared by the tests of queues: documents, a function with an SQS, and rounds of Lambda's poller."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Sandbox
from lambda_service import Function, Polled, Poller
from recorded_aws import RecordedAws

PACED = ("--env=CONNECT_REQUESTS_PER_SECOND=1000", "--env=CONNECT_BURST=100")
SIZE = {"maximumSizeLimitInBytes": 4_194_304}
MORE_ROUNDS_THAN_IT_TAKES = 60

Serve = Callable[..., Sandbox]
Start = Callable[..., Function]


def instance(number: int) -> str:
    """A numbered instance of the sandbox."""
    return f"{number:08x}-0000-4000-8000-{number:012x}"


LARGE = {
    "instanceIds": [instance(number) for number in (1, 2, 3)],
    "attachmentScope": "*",
    "changeId": "CHG-1",
    **SIZE,
}
SMALL = {"instanceId": instance(1), "attachmentScope": "CHAT", "changeId": "CHG-2", **SIZE}


def event(detail: Any) -> dict[str, Any]:
    """A change as an EventBridge rule delivers it."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Attachment Policy Change Requested",
        "source": "com.example.policy",
        "account": "111122223333",
        "time": "2026-11-23T10:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
    }


@pytest.fixture
def start(serve: Serve, aws: RecordedAws, tmp_path: Path) -> Start:
    """Starts a function whose SQS is moto's."""

    def started(*flags: str) -> Function:
        journal = tmp_path / "journal.jsonl"
        sandbox = serve("--rate=0", f"--journal={journal}", f"--env=AWS_ENDPOINT_URL_SQS={aws.url}", *flags)
        return Function(sandbox, journal)

    return started


def send(aws: RecordedAws, queue: str, body: str, deduplication: str = "once") -> None:
    """Puts a message into a queue, as a sender other than the function."""
    fifo = {"MessageGroupId": "attachment-policy", "MessageDeduplicationId": deduplication}
    aws.sqs.send_message(QueueUrl=queue, MessageBody=body, **(fifo if queue.endswith(".fifo") else {}))


def work(poller: Poller) -> list[Polled]:
    """Polls until nothing is visible."""
    rounds = []
    for _ in range(MORE_ROUNDS_THAN_IT_TAKES):
        polled = poller.poll()
        if polled is None:
            return rounds
        rounds.append(polled)
    raise AssertionError(f"not done after {len(rounds)} invocations")
