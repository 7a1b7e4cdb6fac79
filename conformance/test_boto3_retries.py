"""botocore's retries against the sandbox's quota and its temporary faults."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from aws import client, instance_id
from botocore.exceptions import ClientError
from journal import answered

ONE = {"InstanceId": instance_id(1), "AttachmentScope": "CHAT"}
Connect = Callable[..., str]


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The delays that botocore would have slept between attempts, without sleeping."""
    seconds: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=seconds.append))
    yield seconds


PASSING = ["throttle", "too-many-requests", "500", "503"]


@pytest.mark.parametrize(
    ("mode", "fault"),
    [
        *(("legacy", fault) for fault in [*PASSING, "untyped-throttle"]),
        *(("standard", fault) for fault in PASSING),
        # it has its own rate limiter, which takes real time
        ("adaptive", "throttle"),
    ],
)
def test_botocore_asks_again_after_a_passing_fault(
    connect: Connect, slept: list[float], tmp_path: Path, mode: str, fault: str
) -> None:
    journal = tmp_path / "journal"
    url = connect("--rate=0", f"--fault={fault}=1", f"--journal={journal}")
    boto = client("connect", url, retries={"mode": mode, "total_max_attempts": 3})
    with pytest.raises(ClientError) as caught:
        boto.update_attached_files_configuration(**ONE)
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 2
    assert len(slept) == 2
    assert [call["attempt"] for call in answered(url, journal)] == [1, 2, 3]


def test_botocores_standard_mode_gives_up_at_a_429_without_a_name(connect: Connect, slept: list[float]) -> None:
    """The Rust SDK behaves the same way, so the function has its own classifier."""
    url = connect("--rate=0", "--fault=untyped-throttle=1")
    boto = client("connect", url, retries={"mode": "standard", "total_max_attempts": 3})
    with pytest.raises(ClientError) as caught:
        boto.update_attached_files_configuration(**ONE)
    assert caught.value.response["Error"]["Code"] == "429"
    assert slept == []


def test_botocore_gets_every_call_through_a_quota_that_throttles_half_of_them(
    connect: Connect, slept: list[float], tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    url = connect("--rate=0", "--fault=throttle=0.5", "--seed=7", f"--journal={journal}")
    boto = client("connect", url, retries={"mode": "standard", "total_max_attempts": 20})
    answers = [boto.describe_attached_files_configuration(**ONE) for _ in range(12)]
    retries = sum(answer["ResponseMetadata"]["RetryAttempts"] for answer in answers)
    statuses = [call["status"] for call in answered(url, journal)]
    assert (statuses.count(200), statuses.count(429)) == (12, retries)
    assert retries == len(slept) > 0


def test_a_quota_of_its_own_for_each_operation_throttles_the_sixth_call(connect: Connect) -> None:
    boto = client("connect", connect("--rate=0.001", "--burst=5"))
    for _ in range(5):
        boto.describe_attached_files_configuration(**ONE)
    with pytest.raises(boto.exceptions.ThrottlingException):
        boto.describe_attached_files_configuration(**ONE)
    assert boto.list_instances()["ResponseMetadata"]["RetryAttempts"] == 0
