"""A whole stack on this machine, used as people and producers use one: boto3 and HTTP."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from aws import client, instance_id
from conftest import UNPACED, Sandbox, serving

PATIENCE = 60
NAME = "connect-attachment-policy"


@pytest.fixture
def govern(tmp_path: Path) -> Iterator[Sandbox]:
    with serving(tmp_path / "log", *UNPACED, "--instances=5", command="govern") as started:
        yield started


def awaited(what: Callable[[], Any]) -> Any:
    """What it is when it is something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError("nothing came")


def final(sandbox: Sandbox, change: str) -> dict[str, Any] | None:
    """A change's record, once it is final."""
    answer = requests.get(f"{sandbox.function}/policy-changes/{change}", timeout=60)
    record = answer.json()
    return record if answer.status_code == 200 and record["status"] not in ("accepted", "running") else None


def test_a_document_in_the_intake_queue_is_recorded_carried_out_and_gone(govern: Sandbox) -> None:
    sqs = client("sqs", govern.queues)
    queue = sqs.get_queue_url(QueueName="intake.fifo")["QueueUrl"]
    document = {"instanceId": "*", "attachmentScope": "*", "maximumSize": "7 MB", "changeId": "CHG-7"}
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(document), MessageGroupId="documents")
    record = awaited(lambda: final(govern, "CHG-7"))
    assert (record["status"], record["summary"]) == ("succeeded", {"applied": 20})
    held = client("connect", govern.connect).describe_attached_files_configuration(
        InstanceId=instance_id(5), AttachmentScope="TASK"
    )["AttachedFilesConfiguration"]
    assert held["MaximumSizeLimitInBytes"] == 7 * 1024 * 1024
    for name in ("intake.fifo", "changes.fifo", "parked"):
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

        def is_empty(url: str = url, counts: list[str] = counts) -> bool:
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"]
            return set(attributes.values()) == {"0"}

        # the message is deleted after the answer that made the record final
        awaited(is_empty)


def test_each_function_is_invoked_by_its_name_and_takes_its_own_triggers_only(govern: Sandbox) -> None:
    boto = client("lambda", govern.invoke, read_timeout=120)
    bare = {"instanceId": instance_id(1), "attachmentScope": "CHAT", "maximumSize": "6 MB"}

    def invoke(name: str, payload: Any) -> tuple[str | None, Any]:
        answer = boto.invoke(FunctionName=name, Payload=json.dumps(payload))
        return answer.get("FunctionError"), json.loads(answer["Payload"].read())

    for name in (NAME, f"{NAME}-api"):
        error, report = invoke(name, bare)
        assert (error, report["status"]) == (None, "succeeded")
    assert invoke(f"{NAME}-sweep", {"sweep": True})[0] is None
    for name in ("intake", "worker", "sweep"):
        assert invoke(f"{NAME}-{name}", bare)[0] == "Unhandled", name
    with pytest.raises(boto.exceptions.ResourceNotFoundException):
        boto.invoke(FunctionName=f"{NAME}-other", Payload="{}")
