"""Readers who ask for what is not theirs to ask: ids, tokens, filters and bodies that nobody sends by mistake.

Each is refused as what it is. Nothing fails, nothing is carried out, and the table is what it was.
"""

import base64
import http.client
import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from aws import client
from conftest import Sandbox
from recorded_changes import APPLIED, THIRD, change, wait_until_idle

URN = "urn:problem-type:connect-attachment-policy:"
ID = next(iter(APPLIED))
TABLE = "attachment-policy-ledger"
HISTORY = f"/instances/{THIRD['instanceId']}/attachment-policies/CHAT/history"


@pytest.fixture(scope="module")
def api(recording: Sandbox) -> Sandbox:
    wait_until_idle(recording.function)
    scope, size = APPLIED[ID]
    change(recording.function, {"attachmentScope": scope, "maximumSize": size, "changeId": ID})
    return recording


def items(api: Sandbox) -> list[str]:
    """Everything that the table holds."""
    pages = client("dynamodb", api.table).get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True)
    return sorted(json.dumps(item, sort_keys=True) for page in pages for item in page["Items"])


def send(api: Sandbox, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
    """A request whose path is sent as it is: a client library would tidy it."""
    connection = http.client.HTTPConnection(urlsplit(api.function).netloc, timeout=60)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)


def refused(api: Sandbox, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
    """The status and the kind of problem; the table is as it was."""
    before = items(api)
    status, told = send(api, method, path, body)
    assert told["type"].startswith(URN), told
    assert items(api) == before
    return status, told["type"].removeprefix(URN)


IDS = [
    "..", ".", "%2e%2e", "a//b", "a/./b", "a/%2e%2e/b", "..%2f..%2ffreeze", "%00", "%ff%fe", "%F0%9F%92%A9", "a%20b",
    "change%23" + ID, ID + "%23" + "1764115200000", "run%23" + ID, "freeze%23", "%7B%22%24ne%22:1%7D", "'%20OR%201=1",
    "%3Cscript%3E", "${jndi:ldap}", "{{7*7}}", "x" * 129, "x" * 7_000, "a" + "/b" * 64 + "c",
]  # fmt: skip


@pytest.mark.parametrize("id_", IDS, ids=lambda id_: id_[:24])
@pytest.mark.parametrize("act", ["", "/undo", "/apply", "/cancel"])
def test_an_id_that_no_record_has_is_not_found(api: Sandbox, id_: str, act: str) -> None:
    body = b'{"plan": "x"}' if act == "/apply" else None
    status, kind = refused(api, "POST" if act else "GET", f"/policy-changes/{id_}{act}", body)
    assert (status, kind) in {(404, "not-found"), (404, "change-not-found")}


def test_an_id_with_slashes_is_one_id_however_it_is_encoded(api: Sandbox) -> None:
    change(api.function, {"attachmentScope": "TASK", "maximumSize": "5 MB", "changeId": "team/a.b/CHG:1"})
    for path in ("team/a.b/CHG:1", "team%2Fa.b%2fCHG%3A1", "team/a.b%2FCHG:1/"):
        status, record = send(api, "GET", f"/policy-changes/{path}")
        assert (status, record["changeId"]) == (200, "team/a.b/CHG:1")
    # the changes of a document are in its record, and are none themselves
    assert refused(api, "GET", "/policy-changes/team/a.b/CHG:1/0") == (404, "change-not-found")
    # encoded twice it is another one
    assert refused(api, "GET", "/policy-changes/team%252Fa.b%252FCHG:1") == (404, "not-found")


def token(text: str | bytes, padded: bool = False) -> str:
    encoded = base64.urlsafe_b64encode(text.encode() if isinstance(text, str) else text).decode()
    return encoded if padded else encoded.rstrip("=")


TARGET = f"111122223333/us-east-1#{THIRD['instanceId']}#CHAT"
TOKENS = {
    "no base64": "a b", "nothing": "", "other alphabet": "a+/=", "padded": token("1" + TARGET, padded=True),
    "no version": token(TARGET), "other version": token("2" + TARGET), "not text": token(b"1\xff\xfe"),
    "a key of the table": token(json.dumps({"pk": {"S": "freeze"}, "sk": {"S": "freeze"}})), "too long": "A" * 401,
    "much too long": "A" * 7_000, "another scope": token(f"1{TARGET}S"), "upper case": token(f"1{TARGET.upper()}"),
    "more": token(f"1{TARGET}#x"), "no time": token("1x#CHG-1"), "early": token("1123#CHG-1"),
    "no id": token("11764115200000#"), "an impossible id": token("11764115200000#a b"),
    "a partition": token("1freeze#freeze"), "a range": token("11764115200000#~"),
}  # fmt: skip


@pytest.mark.parametrize("name", TOKENS)
@pytest.mark.parametrize(
    "path", [f"/policy-changes/{ID}", f"/policy-changes/{ID}?outcome=pending", "/policy-changes", HISTORY]
)
def test_a_token_that_is_no_position_is_refused(api: Sandbox, path: str, name: str) -> None:
    sign = "&" if "?" in path else "?"
    path = f"{path}{sign}nextToken={quote(TOKENS[name])}"
    assert refused(api, "GET", path) == (400, "invalid-token")


def test_a_made_up_position_leads_to_another_place_of_the_same_list_and_a_foreign_one_nowhere(api: Sandbox) -> None:
    result, listed = token("1" + TARGET), token("19999999999999#z")
    past = token(f"19999999999999#{ID}#9999999999999")
    allowed = {
        f"/policy-changes/{ID}?": result,
        "/policy-changes?": listed,
        f"/policy-changes?instanceId={THIRD['instanceId']}&": past,
        f"{HISTORY}?": past,
    }
    for path, own in allowed.items():
        whole = send(api, "GET", path[:-1])[1]
        for made_up in (result, listed, past):
            if made_up == own:
                status, page = send(api, "GET", f"{path}nextToken={made_up}")
                assert status == 200
                [member] = {"results", "policyChanges", "history"} & page.keys()
                assert all(entry in whole[member] for entry in page[member]), "only what the list has anyway"
            else:
                assert refused(api, "GET", f"{path}nextToken={made_up}") == (400, "invalid-token")


FILTERS = [
    "/policy-changes?status=", "/policy-changes?status=Running", "/policy-changes?status=running,failed",
    "/policy-changes?status=running&status=failed", "/policy-changes?status[]=running", "/policy-changes?limit=1000",
    "/policy-changes?from=yesterday", "/policy-changes?to=2026-11-23", "/policy-changes?from=2026-13-01T00:00:00Z",
    "/policy-changes?from=-0001-01-01T00:00:00Z", "/policy-changes?instanceId=*", "/policy-changes?instanceId=a%23b",
    "/policy-changes?outcome=failed", f"/policy-changes/{ID}?run=0", f"/policy-changes/{ID}?run=-1",
    f"/policy-changes/{ID}?run=4294967296", f"/policy-changes/{ID}?run=1e3", f"/policy-changes/{ID}?run=1%23",
    f"/policy-changes/{ID}?outcome=", f"/policy-changes/{ID}?outcome=all", f"/policy-changes/{ID}?status=failed",
    f"{HISTORY}?from=2026-11-23T09:00:00Z", "/freeze?force=true",
]  # fmt: skip


@pytest.mark.parametrize("path", FILTERS)
def test_a_filter_that_the_list_does_not_have_is_refused(api: Sandbox, path: str) -> None:
    assert refused(api, "GET", path) == (400, "invalid-query")


BODIES = {
    "an array": (b'["why", "X", true]', 422, "rejected"),
    "null": (b"null", 422, "rejected"),
    "a number": (b"1e999", 400, "not-json"),
    "deep": (b'{"reason": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", 400, "not-json"),
    "not text": (b'{"reason": "\xff\xfe"}', 400, "invalid-body"),
    "twice": (b'{"reason": "a", "reason": "b"}', 422, "rejected"),
    "an identity": (b'{"principal": "arn:aws:iam::111122223333:root"}', 422, "rejected"),
    "many members": (json.dumps({f"m{n}": n for n in range(20_000)}).encode(), 422, "rejected"),
    "a long reason": (json.dumps({"reason": "x" * 1_025}).encode(), 422, "rejected"),
    "a megabyte": (json.dumps({"reason": "x" * 1_048_576}).encode(), 413, "too-large"),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize(("method", "path"), [
    ("POST", f"/policy-changes/{ID}/undo"), ("POST", f"/policy-changes/{ID}/undo?dryRun=true"),
    ("POST", f"/policy-changes/{ID}/apply"), ("POST", f"/policy-changes/{ID}/cancel"), ("PUT", "/freeze"),
])  # fmt: skip
def test_a_body_that_cannot_be_used_does_nothing(api: Sandbox, method: str, path: str, name: str) -> None:
    body, status, kind = BODIES[name]
    assert refused(api, method, path, body) == (status, kind)


def test_reading_everything_changes_nothing(api: Sandbox) -> None:
    before = items(api)
    reads = [f"/policy-changes/{ID}", "/policy-changes", HISTORY, "/freeze"]
    reads += [f"/policy-changes/{ID}?outcome={outcome}" for outcome in ("applied", "pending", "skipped", "superseded")]
    for path in reads:
        answer = requests.get(api.function + path, timeout=30)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert items(api) == before
