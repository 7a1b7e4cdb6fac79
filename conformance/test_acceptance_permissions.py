"""What the acceptance script asks IAM's simulator: the template's own policies must be what it expects.

moto has no simulator, so iam.py decides; an account's IAM has the last word.
"""

from collections.abc import Callable
from typing import Any

import pytest
from iam import may
from stand_in import NAME

from acceptance.permissions import Permissions
from acceptance.report import Report
from acceptance.stack import FUNCTIONS, Options, Stack

INSTANCE = "00000002-0000-4000-8000-000000000002"
ACCOUNT = "111122223333"
ARN = f"arn:aws:%s:us-east-1:{ACCOUNT}:"
OUTPUTS = {
    "ChangeQueueArn": ARN % "sqs" + "changes.fifo", "IntakeQueueArn": ARN % "sqs" + "intake.fifo", "TableName": "ledger",
    **{f"{name}RoleArn": f"{name}Role" for name in FUNCTIONS},
}  # fmt: skip


def of_the_template(arn: str) -> str:
    """A resource of the stack as the template's policies name it."""
    known = {
        ARN % "dynamodb" + "table/ledger": "<LedgerTable.Arn>",
        ARN % "sqs" + "changes.fifo": "<ChangeQueue.Arn>",
        ARN % "sqs" + "intake.fifo": "<IntakeQueue.Arn>",
        f"arn:aws:connect:us-east-1:{ACCOUNT}": "arn:<AWS::Partition>:connect:us-east-1:<AWS::AccountId>",
    }
    for one, name in known.items():
        arn = arn.replace(one, name)
    return arn


Decide = Callable[[str, str, bool], bool]


class Simulator:
    """IAM's, for roles whose policies are the template's, and whatever was added to or taken from them."""

    def __init__(self, decide: Decide, parameters: dict[str, str]) -> None:
        self._decide = decide
        self._parameters = parameters

    def simulate_principal_policy(
        self, *, PolicySourceArn: str, ActionNames: list[str], ResourceArns: list[str], ContextEntries: list[Any]
    ) -> dict[str, Any]:
        [action], [on] = ActionNames, ResourceArns
        context = {entry["ContextKeyName"].replace(":", "__"): entry["ContextKeyValues"] for entry in ContextEntries}
        allowed = may(PolicySourceArn, action, of_the_template(on), self._parameters, **context)
        allowed = self._decide(PolicySourceArn, action, allowed)
        return {"EvaluationResults": [{"EvalDecision": "allowed" if allowed else "implicitDeny"}]}


def failed(monkeypatch: pytest.MonkeyPatch, decide: Decide, **parameters: str) -> set[str]:
    """The functions whose step fails."""
    stack = Stack(Options(stack=NAME, instance=INSTANCE, region="us-east-1"))
    stack.outputs, stack.parameters = OUTPUTS, parameters
    monkeypatch.setattr(stack, "client", lambda _: Simulator(decide, parameters))
    report = Report()
    Permissions(stack, report).run()
    return {name for name, mark in zip(FUNCTIONS, report.marks, strict=True) if mark == "failed"}


@pytest.mark.parametrize("parameters", [{}, {"InstanceTagValue": "governed"}], ids=str)
def test_the_template_s_roles_may_do_what_is_expected_of_them(
    monkeypatch: pytest.MonkeyPatch, parameters: dict[str, str]
) -> None:
    assert failed(monkeypatch, lambda role, action, allowed: allowed, **parameters) == set()


@pytest.mark.parametrize(
    ("role", "action", "decision"),
    [
        ("SweepRole", "connect:UpdateAttachedFilesConfiguration", True),
        ("IntakeRole", "connect:DescribeAttachedFilesConfiguration", True),
        ("WorkerRole", "dynamodb:Scan", True),
        ("WorkerRole", "dynamodb:PutItem", True),
        ("ApiRole", "iam:PutRolePolicy", True),
        ("ApiRole", "dynamodb:PutItem", False),
        ("SweepRole", "dynamodb:Query", False),
        ("WorkerRole", "sqs:ReceiveMessage", False),
    ],
)
def test_a_role_that_may_do_more_or_less_than_it_should_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, role: str, action: str, decision: bool
) -> None:
    def decide(of: str, asked: str, allowed: bool) -> bool:
        return decision if (of, asked) == (role, action) else allowed

    assert failed(monkeypatch, decide) == {role.removesuffix("Role")}
