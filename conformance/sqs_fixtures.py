"""Queues to compare: the sandbox's and moto's, each through boto3."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from aws import client
from conftest import Sandbox
from recorded_aws import RecordedAws

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
