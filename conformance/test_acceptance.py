"""The acceptance script as far as it goes without an account: moto, the production binary, the sandbox.

What AWS does around the functions is in lived_account.py; the sandbox has the ledger and the sweep's schedule.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from acceptance.stack import FUNCTIONS
from aws import client
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
ONLY_AN_ACCOUNT = {f"permissions of {name}RoleArn" for name in FUNCTIONS}
# at the share of the API a dry run of 60 reads is too long for a request, at that of the worker it takes 11 seconds
PACE = "--rate=6"


@pytest.fixture
def account(aws: RecordedAws, tmp_path: Path) -> Iterator[Account]:
    flags = (PACE, "--sweep=1", f"--journal={tmp_path / 'journal.jsonl'}")
    with serving(tmp_path / "sandbox.log", *flags, command="govern") as sandbox:
        living = Account(aws, sandbox, tmp_path)
        try:
            yield living
        finally:
            living.close()


def started(account: Account, *more: str, patience: float = 90) -> subprocess.Popen[str]:
    variables = {"AWS_ENDPOINT_URL": account.stack.url, "AWS_ENDPOINT_URL_CONNECT": account.sandbox.connect}
    own = environment(**variables)
    # the runbook asks for AWS_REGION alone
    del own["AWS_DEFAULT_REGION"]
    command = [sys.executable, "-m", "acceptance", f"--stack={NAME}", f"--instance={INSTANCE}", "--stand-in"]
    return subprocess.Popen(
        [*command, "--interval=0.1", f"--patience={patience}", *more],
        env=own, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
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
    # of another stack, whose queue is gone
    account.stack.alarm(f"{NAME}-dev-ParkedAlarm-1", "gone")
    before = {instance: account.policies(instance) for instance in (INSTANCE, *OTHERS)}
    code, marks, said = ended(started(account))
    assert (code, steps(marks, "failed")) == (0, set()), said
    queries = {name for name in marks if name.startswith("query ")}
    assert steps(marks, "needs an account") == ONLY_AN_ACCOUNT | queries
    of_the_ledger = {"its record", "its undo by id", "a restore and a check for drift", "a dry run that is queued", "cancel while frozen"}
    assert of_the_ledger | {"a change by event", "freeze", "resume", "alarms"} <= steps(marks, "ok")
    assert {instance: account.policies(instance) for instance in before} == before
    assert set(account.updates()) == {(INSTANCE, "TASK")}, "only the named instance, and one scope of it"
    assert not account.is_frozen()


def test_every_query_of_the_pages_is_asked(account: Account) -> None:
    _, marks, _ = ended(started(account, "--no-freeze", patience=5))
    documented = {
        f"query {block.page.name}:{block.line + 1}"
        for page in PAGES
        for block in blocks(page)
        if not block.language and block.text.startswith("filter ")
    }
    assert len(documented) >= 8
    assert {name for name in marks if name.startswith("query ")} == documented


def test_a_step_that_fails_is_said_and_everything_is_put_back(account: Account) -> None:
    """A change is carried out although the stack is frozen."""
    account.gateway.disobeys = True
    before = account.policies(INSTANCE)
    code, marks, said = ended(started(account))
    assert (code, steps(marks, "failed")) == (1, {"a change while frozen"}), said
    assert marks["put back: the freeze"] == "ok"
    assert not account.is_frozen()
    assert account.policies(INSTANCE) == before


def test_a_stack_that_somebody_has_frozen_stays_frozen(account: Account) -> None:
    requests.put(f"{account.sandbox.function}/freeze", json={"reason": "INC-7"}, timeout=30).raise_for_status()
    _, marks, said = ended(started(account, patience=1))
    assert marks["freeze and resume"] == "not asked for", said
    assert "INC-7" in said
    assert account.is_frozen()


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
    until(account.is_frozen)
    process.send_signal(signal.SIGTERM)
    account.gateway.answers.set()
    code, marks, said = ended(process)
    assert (code, marks["put back: the freeze"]) == (1, "ok"), said
    assert not account.is_frozen()


def test_a_change_that_waits_while_the_policy_is_put_back_comes_too_late(account: Account) -> None:
    """The run ends before the event of the change is delivered."""
    before = account.policies(INSTANCE)
    account.delivers = 1
    process = started(account, patience=60)
    until(lambda: account.delivered == 1 and account.waiting() == 1)
    process.send_signal(signal.SIGTERM)
    ended(process)
    account.delivers = 2
    until(lambda: account.delivered == 2 and account.has_ended("-change"))
    assert account.policies(INSTANCE) == before


def allow_elsewhere(account: Account, extension: str) -> None:
    """Somebody sets the list of the scope around the function."""
    client("connect", account.sandbox.connect).update_attached_files_configuration(
        InstanceId=INSTANCE, AttachmentScope="TASK",
        ExtensionConfiguration={"AllowedExtensions": [{"Extension": extension}]},
    )  # fmt: skip


@pytest.mark.parametrize("is_down", [False, True], ids=["over the API", "directly where the API does not answer"])
def test_size_and_list_are_put_back(account: Account, is_down: bool) -> None:
    before = account.policies(INSTANCE)
    account.logs = 1
    process = started(account, "--no-freeze", patience=60)
    until(lambda: account.policies(INSTANCE) != before)
    allow_elsewhere(account, "pdf")
    account.gateway.is_down = is_down
    process.send_signal(signal.SIGTERM)
    code, marks, said = ended(process)
    assert (code, marks["put back: the instance's policy"]) == (1, "ok"), said
    assert ("directly" in said) is is_down
    assert account.policies(INSTANCE) == before


def test_a_drift_that_was_there_before_is_told_and_not_put_back(account: Account) -> None:
    change = {"instanceId": INSTANCE, "attachmentScope": "TASK", "allowedExtensions": ["pdf", "png"]}
    requests.post(f"{account.sandbox.function}/policy-changes", json=change, timeout=30).raise_for_status()
    allow_elsewhere(account, "pdf")
    before = account.policies(INSTANCE)
    code, marks, said = ended(started(account, "--no-freeze"))
    assert (code, steps(marks, "failed")) == (1, {"a restore and a check for drift"}), said
    assert account.policies(INSTANCE) == before
