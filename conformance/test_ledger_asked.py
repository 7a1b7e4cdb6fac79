"""What the functions really ask of the ledger, and whether their roles may: the policies must be enough, and not only tight.

Each function runs with its own variables against moto; a proxy keeps what it asks of DynamoDB, and iam.py decides.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from declaring import answers, declared
from event_path import EventPath, moto, path
from expansion import ROOT
from iam import may
from recorder import Recorder, recording

__all__ = ["moto", "path"]  # fixtures, which pytest finds by name

INSTANCE = "00000001-0000-4000-8000-000000000001"
CHANGE = {"instanceId": INSTANCE, "attachmentScope": "CHAT", "maximumSize": "8 MB", "changeId": "CHG-7"}
UNREACHABLE = {"AWS_ENDPOINT_URL_CONNECT": "http://127.0.0.1:9", "CONNECT_MAX_ATTEMPTS": "1"}
HTTP = json.loads((ROOT / "events/http.succeeded.json").read_text())
TABLE = "<LedgerTable.Arn>"
Request = tuple[str, str, str | None]


def requests_of(operation: str, body: dict[str, Any]) -> Iterator[Request]:
    """The action, the resource and the partition of each request that IAM decides."""
    keyed = {"Put": "Item", "Update": "Key", "Delete": "Key"}
    match operation:
        case "TransactWriteItems":
            for item in body["TransactItems"]:
                [(kind, request)] = item.items()
                yield f"dynamodb:{kind}Item", TABLE, request[keyed[kind]]["pk"]["S"]
        case "PutItem" | "UpdateItem" | "DeleteItem":
            key = body.get("Item") or body["Key"]
            yield f"dynamodb:{operation}", TABLE, key["pk"]["S"]
        case "Query":
            index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
            yield "dynamodb:Query", TABLE + index, None
        case _:
            yield f"dynamodb:{operation}", TABLE, None


FUNCTIONS = ("Api", "Intake", "Worker", "Sweep", "Widget", "Declare")


class Asked:
    """The event path with a proxy before its table."""

    def __init__(self, path: EventPath, recorder: Recorder) -> None:
        self.path = path
        self.recorder = recorder
        # of each function: what it asked of the ledger
        self.requests: dict[str, set[Request]] = {name: set() for name in FUNCTIONS}

    def _kept(self, name: str) -> None:
        for exchange in self.recorder.taken():
            assert exchange.status == 200 or b"ConditionalCheckFailed" in exchange.answer, exchange
            operation = exchange.headers["x-amz-target"].rpartition(".")[2]
            self.requests[name] |= set(requests_of(operation, json.loads(exchange.body)))

    def poll(self, name: str, queue: str, **environment: str) -> dict[str, Any]:
        told = self.path.poll(queue, AWS_ENDPOINT_URL_DYNAMODB=self.recorder.url, **environment)
        self._kept(name)
        return told

    def invoke(self, name: str, payload: Any, **environment: str) -> Any:
        variables = self.path.variables(f"{name}Function") | {"AWS_ENDPOINT_URL_DYNAMODB": self.recorder.url}
        told = self.path.invoke(payload, variables | environment)
        self._kept(name)
        return told["answer"]

    def api(self, method: str, target: str, document: Any = None, **environment: str) -> tuple[int, Any]:
        """A request over HTTP: the status and the answer's document."""
        path, _, query = target.partition("?")
        request = json.loads(json.dumps(HTTP))
        request["rawPath"] = path
        request["rawQueryString"] = query
        request["requestContext"]["http"] |= {"method": method, "path": path}
        # the order of changes is that of their requests
        request["requestContext"]["timeEpoch"] = int(time.time() * 1000)
        request |= {"body": None if document is None else json.dumps(document), "isBase64Encoded": False}
        request.pop("pathParameters", None)
        request["queryStringParameters"] = dict(pair.split("=") for pair in query.split("&")) if query else {}
        answer = self.invoke("Api", request, **environment)["document"]
        return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture
def asked(path: EventPath) -> Iterator[Asked]:
    with recording(path.stack.url) as recorder:
        yield Asked(path, recorder)


def test_every_role_may_make_the_requests_that_its_function_makes(asked: Asked) -> None:
    # an event, recorded and carried out; the same id again, which is a next run; one that is rejected
    for _ in range(2):
        asked.path.put(CHANGE)
        asked.poll("Intake", "IntakeQueue")
        asked.poll("Worker", "ChangeQueue")
    asked.path.put(CHANGE | {"changeId": "CHG-8", "attachmentScope": "EMAIL", "maximumSize": "50 MB"})
    asked.poll("Intake", "IntakeQueue")
    # over HTTP: at once, relative, read, listed, undone
    assert asked.api("POST", "/policy-changes", CHANGE | {"changeId": "CHG-9", "maximumSize": "6 MB"})[0] == 200
    relative = {"instanceId": INSTANCE, "attachmentScope": "TASK", "removeExtensions": ["pdf"], "changeId": "CHG-10"}
    assert asked.api("POST", "/policy-changes", relative)[0] == 200
    policies = f"/instances/{INSTANCE}/attachment-policies/CHAT"
    for target in ("/policy-changes", "/policy-changes/CHG-7", f"/policy-changes?instanceId={INSTANCE}", f"{policies}/history"):
        assert asked.api("GET", target)[0] == 200, target
    assert asked.api("POST", "/policy-changes/CHG-9/undo")[0] == 202
    asked.poll("Worker", "ChangeQueue")
    # put back, and everything checked for drift
    assert asked.api("POST", f"{policies}/restore", {"changeId": "CHG-13"})[0] == 200
    asked.path.put({"checkDrift": True, "changeId": "CHG-14"})
    asked.poll("Intake", "IntakeQueue")
    asked.poll("Worker", "ChangeQueue")
    assert asked.api("GET", "/policy-changes/CHG-14")[1]["status"] == "planned"
    # a declared resource: created by the worker, deleted by its own function, since its values stay
    with answers() as (url, arrived):
        asked.invoke("Declare", declared("Create", url(), INSTANCE), ANSWER_LOOPBACK="true")
        asked.poll("Worker", "ChangeQueue")
        asked.invoke("Declare", declared("Delete", url(), INSTANCE), ANSWER_LOOPBACK="true")
        assert [answer.body["Status"] for answer in arrived] == ["SUCCESS", "SUCCESS"], arrived
    # frozen; an event meanwhile, cancelled, and ended by the sweep after the freeze
    assert asked.api("PUT", "/freeze", {"reason": "a test"})[0] == 200
    assert asked.api("POST", "/policy-changes", CHANGE | {"changeId": "CHG-11"})[0] == 503
    asked.path.put(CHANGE | {"changeId": "CHG-12"})
    asked.poll("Intake", "IntakeQueue")
    asked.poll("Worker", "ChangeQueue")
    assert asked.api("POST", "/policy-changes/CHG-12/cancel")[0] == 202
    assert asked.api("DELETE", "/freeze")[0] == 200
    asked.invoke("Sweep", {"sweep": True})
    assert asked.api("GET", "/policy-changes/CHG-12")[1]["status"] == "cancelled"
    # each page
    for view in ({}, {"view": "changes"}, {"view": "change", "change": "CHG-9"}, {"view": "target", "instance": INSTANCE, "scope": "CHAT"}):
        page = asked.invoke("Widget", view | {"widgetContext": {}})["document"]
        assert "could not be read" not in page, view
        assert INSTANCE[8:] in page or "CHG-9" in page, view

    denied = {
        (name, *request)
        for name, requests in asked.requests.items()
        for request in requests
        if not may(f"{name}Role", request[0], request[1], {}, **context(request[2]))
    }
    assert denied == set()
    # so that the above has looked at something: every action of each role, and every partition that it writes to
    for name, actions in ACTIONS.items():
        assert {action.removeprefix("dynamodb:") for action, _, _ in asked.requests[name]} == actions, name
    written = {(name, of.partition("#")[0]) for name, found in asked.requests.items() for _, _, of in found if of}
    assert written == {(name, of) for name, partitions in WRITTEN.items() for of in partitions}


def context(partition: str | None) -> dict[str, list[str]]:
    return {} if partition is None else {"dynamodb__LeadingKeys": [partition]}


ACTIONS = {
    "Api": {"GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"},
    # it asks where there is something to check
    "Intake": {"GetItem", "Query", "PutItem", "UpdateItem"},
    "Worker": {"GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"},
    "Sweep": {"GetItem", "Query", "UpdateItem", "DeleteItem"},
    "Widget": {"GetItem", "BatchGetItem", "Query"},
    "Declare": {"GetItem", "Query", "PutItem", "UpdateItem"},
}
WRITTEN = {
    "Api": {"change", "lane", "run", "target", "freeze"},
    "Intake": {"change", "lane"},
    "Worker": {"change", "lane", "run", "target", "declaration"},
    "Sweep": {"change", "lane"},
    "Widget": set(),
    "Declare": {"change", "lane", "target", "declaration"},
}
