"""What each role may do, and what it may not: by IAM's own simulator, which needs iam:SimulatePrincipalPolicy."""

from dataclasses import dataclass
from typing import Any

from .report import Failed, Report
from .stack import FUNCTIONS, Stack

NOBODYS_INSTANCE = "arn:aws:connect:us-east-1:000000000000:instance/00000000-0000-4000-8000-000000000000"
UPDATE = "connect:UpdateAttachedFilesConfiguration"
READ = "connect:DescribeAttachedFilesConfiguration"
# the partitions of the ledger, and who writes there (docs/ledger.md, "Least privilege")
WRITERS = {
    "change#1": {"Api", "Intake", "Worker", "Sweep"},
    "target#0": {"Api", "Worker", "Sweep"},
    "freeze": {"Api"},
}


@dataclass(frozen=True)
class Request:
    """An action on a resource; of a write to the ledger, the partition that it names."""

    action: str
    on: str
    partition: str | None = None

    def __str__(self) -> str:
        return f"{self.action} on {self.on}" + (f" ({self.partition})" if self.partition else "")


class Permissions:
    """Asks for each role what its function does, and what another's does."""

    def __init__(self, stack: Stack, report: Report) -> None:
        self._stack = stack
        self._report = report

    def run(self) -> None:
        for name in FUNCTIONS:
            self._report.step(f"permissions of {name}RoleArn", lambda name=name: self._held(name))

    @property
    def _instance(self) -> str:
        instance = self._stack.options.instance
        if instance.startswith("arn:"):
            return instance
        return f"arn:{self._partition}:connect:{self._region}:{self._account}:instance/{instance}"

    @property
    def _table(self) -> str:
        name = self._stack.outputs["TableName"]
        return f"arn:{self._partition}:dynamodb:{self._region}:{self._account}:table/{name}"

    @property
    def _partition(self) -> str:
        return self._stack.outputs["ChangeQueueArn"].split(":")[1]

    @property
    def _region(self) -> str:
        return self._stack.outputs["ChangeQueueArn"].split(":")[3]

    @property
    def _account(self) -> str:
        return self._stack.outputs["ChangeQueueArn"].split(":")[4]

    def asked(self, name: str) -> dict[Request, bool]:
        """Each request, and whether this function's role may make it."""
        intake, changes = (self._stack.outputs[f"{queue}QueueArn"] for queue in ("Intake", "Change"))
        requests = {
            Request(UPDATE, self._instance): name in ("Api", "Worker"),
            Request(READ, self._instance): name != "Intake",
            Request("sqs:ReceiveMessage", intake): name == "Intake",
            Request("sqs:ReceiveMessage", changes): name == "Worker",
            Request("sqs:SendMessage", changes): name != "Worker",
            Request("sqs:SendMessage", intake): False,
            Request("dynamodb:Query", self._table): True,
            Request("dynamodb:Query", f"{self._table}/index/listed"): name == "Api",
            Request("dynamodb:Query", f"{self._table}/index/owed"): name == "Sweep",
            Request("dynamodb:Scan", self._table): False,
            Request("dynamodb:DeleteTable", self._table): False,
            Request(UPDATE, NOBODYS_INSTANCE): False,
            **{
                Request(action, on): False
                for action, on in (
                    ("connect:DeleteInstance", self._instance), ("logs:DeleteLogGroup", "*"),
                    ("lambda:InvokeFunction", "*"), ("iam:PutRolePolicy", "*"),
                )  # fmt: skip
            },
        }
        for partition, writers in WRITERS.items():
            requests[Request("dynamodb:PutItem", self._table, partition)] = name in writers
        return requests

    def _held(self, name: str) -> str:
        self._stack.needs_account("IAM's simulator decides it")
        asked = self.asked(name)
        wrong = [
            f"{request} is {'denied' if expected else 'allowed'}"
            for request, expected in asked.items()
            if self._may(f"{name}RoleArn", request) is not expected
        ]
        if wrong:
            raise Failed("; ".join(wrong))
        allowed = sum(asked.values())
        return f"{allowed} allowed, {len(asked) - allowed} denied"

    def _may(self, role: str, request: Request) -> bool:
        # the simulator reads no tags; the named instance is taken to have the one that `InstanceTagValue` asks for
        tag = self._stack.parameters.get("InstanceTagValue")
        context: list[dict[str, Any]] = []
        if request.partition:
            context.append(
                {
                    "ContextKeyName": "dynamodb:LeadingKeys", "ContextKeyType": "stringList",
                    "ContextKeyValues": [request.partition],
                }  # fmt: skip
            )
        if tag:
            context.append(
                {
                    "ContextKeyName": "aws:ResourceTag/attachment-policy", "ContextKeyType": "string",
                    "ContextKeyValues": [tag],
                }  # fmt: skip
            )
        answer = self._stack.client("iam").simulate_principal_policy(
            PolicySourceArn=self._stack.outputs[role], ActionNames=[request.action], ResourceArns=[request.on],
            ContextEntries=context,
        )  # fmt: skip
        return answer["EvaluationResults"][0]["EvalDecision"] == "allowed"
