"""Recorded changes over HTTP: followed, undone, applied, cancelled, listed. Every answer is as openapi.yaml says."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import UNPACED, Sandbox, serving
from contract import Contract

CONTRACT = Contract()
URN = "urn:problem-type:connect-attachment-policy:"
ONE = "00000001-0000-4000-8000-000000000001"
PATIENCE = 90
RECORD = "/policy-changes/{changeId}"
# 40 instances with 4 scopes, at a pace at which that is too long for one request of 5 seconds
SLOW = (
    "--rate=0", "--instances=40", "--timeout=5",
    "--env=CONNECT_REQUESTS_PER_SECOND=35", "--env=CONNECT_BURST=1",
)  # fmt: skip
TARGETS = 160


class Api:
    """Calls that are checked against the contract."""

    def __init__(self, base: str) -> None:
        self.base = base

    def call(self, method: str, path: str, status: int, document: Any = None, /, **given: Any) -> requests.Response:
        """`given`: the parameters of the path; what is left is the query."""
        concrete = path
        for name in [name for name in given if f"{{{name}}}" in path]:
            concrete = concrete.replace(f"{{{name}}}", given.pop(name))
        answer = requests.request(method, self.base + concrete, json=document, params=given, timeout=60)
        CONTRACT.check(path, method.lower(), answer)
        assert answer.status_code == status, answer.text
        return answer

    def record(self, id_: str, **query: Any) -> dict[str, Any]:
        return self.call("GET", RECORD, 200, changeId=id_, **query).json()

    def ended(self, id_: str) -> dict[str, Any]:
        """A record at its end, asked for as often as its answers say."""
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.call("GET", RECORD, 200, changeId=id_)
            record = answer.json()
            if record["status"] not in ("accepted", "running"):
                assert "Retry-After" not in answer.headers
                return record
            assert time.monotonic() < deadline, record
            time.sleep(int(answer.headers["Retry-After"]) / 4)

    def pages(self, path: str, member: str, **given: Any) -> list[list[Any]]:
        """Every page of a list."""
        pages, token = [], {}
        while True:
            page = self.call("GET", path, 200, **given, **token).json()
            pages.append(page[member])
            if "nextToken" not in page:
                return pages
            token = {"nextToken": page["nextToken"]}


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path / "log", *SLOW, "--sweep=1", command="govern") as started:
        yield Api(started.function)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    log = tmp_path_factory.mktemp("records") / "log"
    with serving(log, *UNPACED, command="govern") as started:
        yield Api(started.function)


def everything(id_: str) -> dict[str, Any]:
    return {"instanceId": "*", "attachmentScope": "*", "maximumSize": "10 MB", "changeId": id_, "reason": "SEC-118"}


def test_a_long_change_is_followed_to_its_end_and_undone(slow: Api) -> None:
    answer = slow.call("POST", "/policy-changes", 202, everything("CHG-1"))
    assert answer.headers["Location"] == "/policy-changes/CHG-1"
    again = slow.call("POST", "/policy-changes", 202, everything("CHG-1"))
    assert again.headers["Location"] == "/policy-changes/CHG-1"
    slow.call("POST", "/policy-changes/{changeId}/undo", 409, changeId="CHG-1")
    other = everything("CHG-1") | {"maximumSize": "9 MB"}
    assert slow.call("POST", "/policy-changes", 409, other).json()["type"] == f"{URN}change-id-reused"
    dry_run = slow.call("POST", "/policy-changes", 409, everything("CHG-1") | {"dryRun": True})
    assert dry_run.json()["type"] == f"{URN}change-running"
    record = slow.ended("CHG-1")
    assert (record["status"], record["summary"]) == ("succeeded", {"applied": TARGETS})
    assert record["progress"] == {"targets": TARGETS, "done": TARGETS}
    [lane] = record["lanes"]
    assert (lane["state"], lane["done"]) == ("done", TARGETS) and lane["deliveries"] > 1
    results = slow.pages(RECORD, "results", changeId="CHG-1")
    assert [len(page) for page in results] == [100, 60]
    undo = slow.call("POST", "/policy-changes/{changeId}/undo", 202, {"reason": "INC-7"}, changeId="CHG-1")
    undone = slow.ended(undo.json()["changeId"])
    assert (undone["status"], undone["undoes"], undone["reason"]) == ("succeeded", "CHG-1", "INC-7")
    assert slow.record("CHG-1")["undoneBy"] == undone["changeId"]
    policy = "/instances/{instanceId}/attachment-policies/{scope}"
    held = slow.call("GET", policy, 200, instanceId=ONE, scope="CHAT").json()
    assert held["maximumSizeLimitInBytes"] == 20_971_520


def test_a_cancelled_change_tells_what_it_did_not_begin(slow: Api) -> None:
    slow.call("POST", "/policy-changes", 202, everything("CHG-1"))
    deadline = time.monotonic() + PATIENCE
    while slow.record("CHG-1")["progress"]["done"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    answer = slow.call("POST", "/policy-changes/{changeId}/cancel", 202, {"reason": "wrong"}, changeId="CHG-1")
    assert (answer.json()["status"], answer.headers["Location"]) == ("running", "/policy-changes/CHG-1")
    record = slow.ended("CHG-1")
    assert (record["status"], record["cancelled"]["reason"]) == ("cancelled", "wrong")
    applied = slow.pages(RECORD, "results", changeId="CHG-1", outcome="applied")
    skipped = slow.pages(RECORD, "results", changeId="CHG-1", outcome="skipped")
    names = [
        (result["instanceId"], result["attachmentScope"]) for page in applied + skipped for result in page
    ]
    assert len(names) == len(set(names)) == TARGETS
    assert record["summary"] == {"applied": sum(map(len, applied)), "skipped": sum(map(len, skipped))}
    assert {result["error"]["code"] for page in skipped for result in page} == {"Cancelled"}
    assert "at" not in skipped[0][0] and "at" in applied[0][0]


def test_a_dry_run_is_applied_by_its_plan(api: Api) -> None:
    document = {"instanceId": ONE, "attachmentScope": "TASK", "maximumSize": "3 MB", "changeId": "DRY"}
    planned = api.call("POST", "/policy-changes", 200, document, dryRun="true").json()
    apply = "/policy-changes/{changeId}/apply"
    answer = api.call("POST", apply, 202, {"plan": planned["plan"]}, changeId="DRY")
    applied = api.ended(answer.json()["changeId"])
    assert (applied["summary"], applied["applies"]) == ({"applied": 1}, "DRY")
    assert api.record("DRY")["appliedBy"] == applied["changeId"]


def test_every_change_is_listed_once_whatever_the_page(api: Api) -> None:
    ids = [f"list/{number:02}" for number in range(60)]
    for id_ in ids:
        document = {"instanceId": ONE, "attachmentScope": "CASE", "maximumSize": f"{2_000 + int(id_[5:])} KB"}
        api.call("POST", "/policy-changes", 200, document | {"changeId": id_})
    start = api.record(ids[0])["submittedAt"]
    end = api.record(ids[-1])["submittedAt"]
    between = {"from": start, "to": end}
    for filters in ({}, {"status": "succeeded"}, {"instanceId": ONE}):
        pages = api.pages("/policy-changes", "policyChanges", **between, **filters)
        assert all(len(page) <= 50 for page in pages)
        listed = [change["changeId"] for page in pages for change in page]
        assert listed == ids[::-1], filters
    assert sum(map(len, api.pages("/policy-changes", "policyChanges", **between, status="failed"))) == 0
    history = "/instances/{instanceId}/attachment-policies/{scope}/history"
    pages = api.pages(history, "history", instanceId=ONE, scope="CASE")
    assert [len(page) for page in pages] == [50, 10]
    assert [entry["record"] for page in pages for entry in page] == ids[::-1]
    assert pages[0][0]["identity"]["vouchedBy"] == "api-gateway-iam"


def test_what_is_frozen_is_read_and_cancelled_and_nothing_else(api: Api) -> None:
    document = {"instanceId": ONE, "attachmentScope": "EMAIL", "maximumSize": "3 MB", "changeId": "FROZEN"}
    api.call("POST", "/policy-changes", 200, document)
    assert api.call("PUT", "/freeze", 200, {"reason": "INC-7"}).json()["frozen"] is True
    try:
        for method, path, body in (
            ("POST", "/policy-changes", document),
            ("PATCH", "/instances/{instanceId}/attachment-policies/{scope}", {"maximumSize": "4 MB"}),
            ("POST", "/policy-changes/{changeId}/undo", None),
        ):
            given = {"instanceId": ONE, "scope": "EMAIL", "changeId": "FROZEN"}
            named = {name: value for name, value in given.items() if f"{{{name}}}" in path}
            answer = api.call(method, path, 503, body, **named)
            assert (answer.json()["type"], answer.headers["Retry-After"]) == (f"{URN}frozen", "60")
        assert api.record("FROZEN")["status"] == "succeeded"
        api.call("POST", "/policy-changes/{changeId}/cancel", 409, changeId="FROZEN")
        told = api.call("GET", "/freeze", 200).json()
        assert (told["reason"], told["drain"]) == ("INC-7", False)
    finally:
        assert api.call("DELETE", "/freeze", 200).json() == {"frozen": False}
    api.call("POST", "/policy-changes", 200, document)
