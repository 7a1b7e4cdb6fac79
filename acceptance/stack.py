"""The stack under test: its outputs, its API, its records, its bus and its audit."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from .interruption import look
from .report import Failed, NeedsAccount

Found = TypeVar("Found")
DETAIL_TYPE = "Attachment Policy Change Requested"
FUNCTIONS = ("Api", "Intake", "Worker", "Sweep")
LOG_GROUPS = tuple(f"{name}LogGroup" for name in FUNCTIONS)
NEEDED = (
    "ApiUrl", "BusName", "TableName", "IntakeQueueUrl", "IntakeQueueArn", "ChangeQueueUrl", "ChangeQueueArn",
    "ParkedQueueUrl", "IntakeDeadLetterQueueUrl", "DeadLetterQueueUrl", *(f"{name}RoleArn" for name in FUNCTIONS),
    *LOG_GROUPS,
)  # fmt: skip
UNFINISHED = ("accepted", "running")


@dataclass
class Options:
    """What the operator chose."""

    stack: str
    instance: str
    scope: str = "TASK"
    region: str | None = None
    freeze: bool = True
    ring: bool = False
    # a stand-in answers instead of AWS: the project's own tests
    stand_in: bool = False
    patience: float = 240.0
    interval: float = 2.0


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP; a body that is not JSON is its text."""

    status: int
    headers: Mapping[str, str]
    document: Any

    def failed(self) -> Failed:
        return Failed(f"HTTP {self.status}: {json.dumps(self.document)[:500]}")


class Stack:
    """One run against one stack. Its own changes are found by `run`, which begins each of their ids."""

    def __init__(self, options: Options) -> None:
        self.options = options
        # boto3 itself reads AWS_DEFAULT_REGION only; the runbook's other commands need AWS_REGION
        self.session = boto3.Session(region_name=options.region or os.environ.get("AWS_REGION"))
        self.began = time.time()
        self.run = f"acceptance-{int(self.began)}"
        self.outputs: dict[str, str] = {}
        self.parameters: dict[str, str] = {}
        self._http = URLLib3Session(timeout=40)
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.session.client(service)
        return self._clients[service]

    def needs_account(self, reason: str) -> None:
        """Ends a step that a stand-in cannot answer."""
        if self.options.stand_in:
            raise NeedsAccount(reason)

    def read_outputs(self) -> str:
        [found] = self.client("cloudformation").describe_stacks(StackName=self.options.stack)["Stacks"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
        self.parameters = {given["ParameterKey"]: given["ParameterValue"] for given in found.get("Parameters", [])}
        missing = [name for name in NEEDED if name not in self.outputs]
        if missing:
            raise Failed(f"the stack has no outputs {', '.join(missing)}")
        if not found["StackStatus"].endswith("_COMPLETE") or "ROLLBACK" in found["StackStatus"]:
            raise Failed(f"the stack is {found['StackStatus']}")
        return f"{found['StackStatus']}, {len(self.outputs)} outputs"

    # ---- The API ----

    def request(self, method: str, path: str, document: Any = None, signed: bool = True) -> Answer:
        look()
        body = None if document is None else json.dumps(document).encode()
        headers = {"Host": urlsplit(self.outputs["ApiUrl"]).netloc}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = AWSRequest(method, self.outputs["ApiUrl"].rstrip("/") + path, headers=headers, data=body)
        if signed:
            SigV4Auth(self.session.get_credentials(), "execute-api", self.session.region_name).add_auth(request)
        answer = self._http.send(request.prepare())
        try:
            return Answer(answer.status_code, answer.headers, json.loads(answer.content))
        except ValueError:
            return Answer(answer.status_code, answer.headers, answer.text)

    @property
    def policies_path(self) -> str:
        return f"/instances/{self.options.instance.rpartition('/')[2]}/attachment-policies"

    def submit(self, document: dict[str, Any], query: str = "") -> dict[str, Any]:
        """The report of a change: the answer's own, or of one that is queued, the record at its end."""
        return self.outcome_of(self.request("POST", f"/policy-changes{query}", document))

    def outcome_of(self, answer: Answer) -> dict[str, Any]:
        if answer.status == 200:
            return answer.document
        if answer.status != 202:
            raise answer.failed()
        return self.ended(answer.headers["Location"].removeprefix("/policy-changes/"))

    def record(self, change_id: str) -> dict[str, Any] | None:
        """A change's record, if there is one."""
        answer = self.request("GET", f"/policy-changes/{change_id}")
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise answer.failed()
        return answer.document

    def ended(self, change_id: str) -> dict[str, Any]:
        """Waits for a record that is final."""

        def final() -> dict[str, Any] | None:
            record = self.record(change_id)
            return record if record and record["status"] not in UNFINISHED else None

        return self.wait(f"{change_id} has not ended", final)

    def policy(self) -> dict[str, Any]:
        """What the instance allows, without when it was set."""
        answer = self.request("GET", f"{self.policies_path}/{self.options.scope}")
        if answer.status != 200:
            raise answer.failed()
        return {name: answer.document[name] for name in ("maximumSizeLimitInBytes", "allowedExtensions")}

    # ---- The bus, and the audit ----

    def put_event(self, detail: dict[str, Any]) -> None:
        entry = {
            "EventBusName": self.outputs["BusName"],
            "Source": "example.acceptance",
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(detail),
        }
        answer = self.client("events").put_events(Entries=[entry])
        # the call succeeds even if the bus took nothing
        if answer["FailedEntryCount"]:
            raise Failed(f"the bus did not take the event: {answer['Entries']}")

    def outcome(self, change_id: str) -> dict[str, Any]:
        """Waits for the worker's audit line of what became of a change's target."""

        def written() -> dict[str, Any] | None:
            return next(self._outcomes(change_id), None)

        return self.wait(f"no outcome of {change_id} in {self.outputs['WorkerLogGroup']}", written)

    def _outcomes(self, change_id: str) -> Iterator[dict[str, Any]]:
        pattern = f'{{ $.logger = "audit" && $.event.metadata.correlation_uid = "{change_id}" }}'
        pages = self.client("logs").get_paginator("filter_log_events").paginate(
            logGroupName=self.outputs["WorkerLogGroup"],
            filterPattern=pattern,
            startTime=int(self.began * 1000) - 60_000,
        )
        for page in pages:
            for found in page["events"]:
                event = json.loads(found["message"]).get("event", {})
                of = event.get("metadata", {})
                if (of.get("correlation_uid"), of.get("event_code")) == (change_id, "outcome"):
                    yield event["unmapped"]

    def wait(self, otherwise: str, check: Callable[[], Found | None]) -> Found:
        """Until a check yields something, for as long as the operator has patience."""
        deadline = time.monotonic() + self.options.patience
        while True:
            if found := check():
                return found
            if time.monotonic() > deadline:
                raise Failed(f"{otherwise} within {self.options.patience:.0f} s")
            self.pause()

    def pause(self) -> None:
        """Until the next look."""
        look()
        time.sleep(self.options.interval)
        look()
