"""The acceptance script as far as it goes without an account: moto, the production binary, Amazon Connect's sandbox.

What AWS does around the functions is in lived_account.py.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from acceptance.report import Report
from acceptance.stack import Options, Stack
from acceptance.wiring import Permissions
from conftest import serving
from lived_account import Account
from pages import PAGES, ROOT, blocks
from recorded_aws import RecordedAws
from runbook import aws
from shell import environment
from stand_in import NAME

__all__ = ["aws"]  # a fixture, which pytest finds by name

INSTANCE = "00000002-0000-4000-8000-000000000002"
OTHERS = ("00000001-0000-4000-8000-000000000001", "00000003-0000-4000-8000-000000000003")
ONLY_AN_ACCOUNT = {"permissions of ApiRoleArn", "permissions of WorkerRoleArn"}


@pytest.fixture
def account(aws: RecordedAws, tmp_path: Path) -> Iterator[Account]:
    flags = ("--rate=0", f"--journal={tmp_path / 'journal.jsonl'}", f"--env=AWS_ENDPOINT_URL_SQS={aws.url}")
    unpaced = ("--env=CONNECT_REQUESTS_PER_SECOND=1000", "--env=CONNECT_BURST=1000")
    with serving(tmp_path / "sandbox.log", *flags, *unpaced) as sandbox:
        living = Account(aws, sandbox, tmp_path)
        try:
            yield living
        finally:
            living.close()


def started(account: Account, *more: str, patience: float = 20) -> subprocess.Popen[str]:
    variables = {"AWS_ENDPOINT_URL": account.stack.url, "AWS_ENDPOINT_URL_CONNECT": account.sandbox.connect}
    command = [sys.executable, "-m", "acceptance", f"--stack={NAME}", f"--instance={INSTANCE}", "--stand-in"]
    return subprocess.Popen(
        [*command, "--interval=0.1", f"--patience={patience}", *more],
        env=environment(**variables), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, str], str]:
    """The exit code, each step's mark, and all that was said."""
    said, _ = process.communicate(timeout=300)
    lines = [line.split("  ") for line in said.splitlines() if "  " in line]
    parts = [[part.strip() for part in line if part.strip()] for line in lines]
    return process.returncode, {part[1]: part[0] for part in parts if len(part) > 1}, said


def steps(marks: dict[str, str], mark: str) -> set[str]:
    return {name for name, found in marks.items() if found == mark}


def test_a_stack_that_works_is_accepted_and_left_as_it_was(account: Account) -> None:
    before = {instance: account.policies(instance) for instance in (INSTANCE, *OTHERS)}
    code, marks, said = ended(started(account))
    assert (code, steps(marks, "failed")) == (0, set()), said
    queries = {name for name in marks if name.startswith("query ")}
    assert steps(marks, "needs an account") == ONLY_AN_ACCOUNT | queries
    assert {"a change by event", "its undo over HTTP", "freeze", "resume", "alarms"} <= steps(marks, "ok")
    assert {instance: account.policies(instance) for instance in before} == before
    assert set(account.updates()) == {(INSTANCE, "TASK")}, "only the named instance, and one scope of it"
    assert (account.enabled(), account.concurrency()) == (True, 2)


def test_every_query_of_the_pages_is_asked(account: Account) -> None:
    _, marks, _ = ended(started(account, "--no-freeze"))
    documented = {
        f"query {block.page.name}:{block.line + 1}"
        for page in PAGES
        for block in blocks(page)
        if not block.language and block.text.startswith("filter ")
    }
    assert len(documented) >= 8
    assert {name for name in marks if name.startswith("query ")} == documented


def test_a_step_that_fails_is_said_and_everything_is_put_back(account: Account) -> None:
    """The API answers although it was stopped, and somebody had reserved another number than the template."""
    account.stack.client("lambda").put_function_concurrency(
        FunctionName=f"{NAME}-api", ReservedConcurrentExecutions=7
    )
    account.gateway.heeds_freeze = False
    before = account.policies(INSTANCE)
    code, marks, said = ended(started(account))
    assert (code, steps(marks, "failed")) == (1, {"a request while frozen"}), said
    assert marks["put back: what freeze changed"] == "ok"
    assert (account.enabled(), account.concurrency()) == (True, 7)
    assert account.policies(INSTANCE) == before


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_run_that_is_interrupted_after_its_change_puts_the_policy_back(
    account: Account, number: signal.Signals
) -> None:
    before = account.policies(INSTANCE)
    # of the dry run; what became of the change, the run waits for in vain
    account.logs = 1
    process = started(account, patience=60)
    until(lambda: account.policies(INSTANCE) != before)
    process.send_signal(number)
    code, marks, said = ended(process)
    assert (code, marks["put back: the instance's policy"]) == (1, "ok"), said
    assert f"interrupted by {number.name}" in said
    assert account.policies(INSTANCE) == before


def test_a_run_that_is_interrupted_while_frozen_resumes(account: Account) -> None:
    account.gateway.answers.clear()
    process = started(account, patience=60)
    until(lambda: account.concurrency() == 0 and not account.enabled())
    process.send_signal(signal.SIGTERM)
    code, marks, said = ended(process)
    assert (code, marks["put back: what freeze changed"]) == (1, "ok"), said
    assert (account.enabled(), account.concurrency()) == (True, 2)


def test_a_change_that_waits_while_the_policy_is_put_back_comes_too_late(account: Account) -> None:
    """The run ends before the worker takes the change up."""
    before = account.policies(INSTANCE)
    account.takes = 1
    process = started(account, patience=60)
    until(lambda: account.taken == 1 and waiting(account) == 1)
    process.send_signal(signal.SIGTERM)
    ended(process)
    account.takes = 2
    until(lambda: account.taken == 2)
    assert account.policies(INSTANCE) == before


def waiting(account: Account) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    queue = account.stack.names["ChangeQueue"]
    attributes = account.stack.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def test_a_policy_is_put_back_directly_where_the_api_does_not_answer(account: Account) -> None:
    before = account.policies(INSTANCE)
    account.logs = 1
    process = started(account, "--no-freeze", patience=60)
    until(lambda: account.policies(INSTANCE) != before)
    account.gateway.is_down = True
    process.send_signal(signal.SIGTERM)
    code, marks, said = ended(process)
    assert (code, marks["put back: the instance's policy"]) == (1, "ok"), said
    assert "directly" in said
    assert account.policies(INSTANCE) == before


# ---- What moto does not answer ----


class FakeIam:
    """IAM's simulator, for a role whose policies are these."""

    def __init__(self, allowed: set[str]) -> None:
        self._allowed = allowed

    def simulate_principal_policy(self, *, ActionNames: list[str], ResourceArns: list[str], **_: Any) -> Any:
        of_nobody = "000000000000" in ResourceArns[0]
        may = ActionNames[0] in self._allowed and not of_nobody
        return {"EvaluationResults": [{"EvalDecision": "allowed" if may else "implicitDeny"}]}


OURS = {"connect:UpdateAttachedFilesConfiguration", "connect:DescribeAttachedFilesConfiguration"}


@pytest.mark.parametrize(
    ("allowed", "failed"),
    [
        (OURS | {"sqs:SendMessage"}, {"WorkerRoleArn"}),
        (OURS | {"sqs:ReceiveMessage"}, {"ApiRoleArn"}),
        (OURS | {"sqs:SendMessage", "iam:PutRolePolicy"}, {"ApiRoleArn", "WorkerRoleArn"}),
        (OURS, {"ApiRoleArn", "WorkerRoleArn"}),
    ],
    ids=["the API's own", "the worker's own", "too much", "too little"],
)
def test_a_role_that_may_do_more_or_less_than_it_should_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, allowed: set[str], failed: set[str]
) -> None:
    stack = Stack(Options(stack=NAME, instance=INSTANCE, region="us-east-1"))
    queue = "arn:aws:sqs:us-east-1:111122223333:changes.fifo"
    stack.outputs = {"ApiRoleArn": "api", "WorkerRoleArn": "worker", "ChangeQueueArn": queue}
    monkeypatch.setattr(stack, "client", lambda _: FakeIam(allowed))
    report = Report()
    Permissions(stack, report).run()
    marks = dict(zip(("ApiRoleArn", "WorkerRoleArn"), report.marks, strict=True))
    assert steps(marks, "failed") == failed
