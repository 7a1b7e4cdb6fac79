"""Answers that need a failing Amazon Connect, a guardrail, or a request that no example can show."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from conftest import UNPACED, Sandbox
from contract import Contract
from governed_fixtures import Governed, governed
from recorded_aws import aws

__all__ = ["aws", "governed"]  # fixtures, which pytest finds by name

CONTRACT = Contract()
INSTANCE = "00000001-0000-4000-8000-000000000001"
OTHER = "00000002-0000-4000-8000-000000000002"
SUBMIT = "/policy-changes"
ALL = "/instances/{instanceId}/attachment-policies"
ONE = "/instances/{instanceId}/attachment-policies/{scope}"
SIZE = {"maximumSize": "4 MB"}
CHANGE = {"instanceId": INSTANCE, "attachmentScope": "CHAT", **SIZE}

Serve = Callable[..., Sandbox]


def ask(sandbox: Sandbox, method: str, path: str, **how: Any) -> tuple[requests.Response, Any]:
    """An answer and its body, checked against openapi.yaml."""
    url = sandbox.function + path.replace("{instanceId}", INSTANCE).replace("{scope}", "CHAT")
    answer = requests.request(method, url, timeout=60, **how)
    return answer, CONTRACT.check(path, method, answer)


def summary(answer: requests.Response, body: Any) -> tuple[int, str, str | None]:
    """Status, the problem's name, and `Retry-After`."""
    return answer.status_code, body["type"].rpartition(":")[2], answer.headers.get("Retry-After")


EVERY_OPERATION = [
    pytest.param("post", SUBMIT, {"json": CHANGE}, id="submitPolicyChange"),
    pytest.param("patch", ONE, {"json": SIZE}, id="patchAttachmentPolicy"),
    pytest.param("get", ALL, {}, id="listAttachmentPolicies"),
    pytest.param("get", ONE, {}, id="getAttachmentPolicy"),
]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("throttle", (429, "throttled", "1")),
        ("500", (502, "upstream-failed", "1")),
        ("reset-before", (502, "upstream-failed", "1")),
        ("expired-token", (502, "upstream-failed", "1")),
        ("access-denied", (502, "upstream-failed", None)),
        ("not-found", (404, "instance-not-found", None)),
    ],
)
def test_every_operation_reports_why_connect_failed(
    serve: Serve, fault: str, expected: tuple[int, str, str | None]
) -> None:
    sandbox = serve(*UNPACED, f"--fault={fault}=1", "--env=CONNECT_MAX_ATTEMPTS=1")
    for method, path, how in (operation.values for operation in EVERY_OPERATION):
        assert summary(*ask(sandbox, method, path, **how)) == expected, (method, path)


@pytest.mark.parametrize(("method", "path", "how"), EVERY_OPERATION)
def test_an_instance_that_is_not_allowed_is_a_403(
    serve: Serve, method: str, path: str, how: dict[str, Any]
) -> None:
    sandbox = serve(*UNPACED, f"--env=POLICY_ALLOWED_INSTANCES={OTHER}")
    assert summary(*ask(sandbox, method, path, **how)) == (403, "blocked", None)


def test_targets_blocked_and_applied_are_a_207(serve: Serve) -> None:
    sandbox = serve(*UNPACED, f"--env=POLICY_ALLOWED_INSTANCES={OTHER}")
    answer, body = ask(
        sandbox, "post", SUBMIT, json={"instanceIds": [INSTANCE, OTHER], "attachmentScope": "CHAT", **SIZE}
    )
    assert (answer.status_code, body["status"], body["summary"]) == (
        207,
        "partial",
        {"applied": 1, "blocked": 1},
    )
    assert "Retry-After" not in answer.headers


def test_a_target_blocked_by_what_it_holds_is_a_403_that_shows_it(serve: Serve) -> None:
    sandbox = serve(*UNPACED, "--env=POLICY_BLOCKED_EXTENSIONS=heic")
    answer, body = ask(sandbox, "patch", ONE, json={"removeExtensions": ["mov"]})
    assert summary(answer, body) == (403, "blocked", None)
    [result] = body["report"]["results"]
    assert (result["error"]["code"], result["error"]["retryable"]) == ("ExtensionBlocked", False)
    assert {"heic", "mov"} <= set(result["before"]["allowedExtensions"])


def test_enforced_guardrails_and_relative_values_are_a_200_whose_repetition_is_unchanged(serve: Serve) -> None:
    sandbox = serve(*UNPACED, "--env=POLICY_BLOCKED_EXTENSIONS=heic", "--env=POLICY_MAX_SIZE_BYTES=5242880")
    change = {
        "instanceId": INSTANCE,
        "attachmentScope": "CHAT",
        "addExtensions": ["webp"],
        "removeExtensions": ["mov"],
        "maximumSizeAtMost": "10 MB",
        "enforceGuardrails": True,
    }
    _, first = ask(sandbox, "post", SUBMIT, json=change)
    [result] = first["results"]
    before = set(result["before"]["allowedExtensions"])
    assert set(result["after"]["allowedExtensions"]) == before - {"heic", "mov"} | {"webp"}
    assert result["after"]["maximumSizeLimitInBytes"] == 5_242_880
    again, second = ask(sandbox, "post", SUBMIT, json=change)
    assert (again.status_code, second["summary"]) == (200, {"unchanged": 1})


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"removeExtensions": ["pdf"]}, "WouldBeEmpty"),
        ({"addExtensions": [f"x{n}" for n in range(256)]}, "WouldBeTooLong"),
    ],
)
def test_a_computed_list_beyond_its_limits_is_a_403(serve: Serve, values: dict[str, Any], code: str) -> None:
    sandbox = serve(*UNPACED)
    ask(sandbox, "patch", ONE, json={"allowedExtensions": ["pdf"]})
    answer, body = ask(sandbox, "patch", ONE, json=values)
    assert summary(answer, body) == (403, "blocked", None)
    [result] = body["report"]["results"]
    assert (result["error"]["code"], result["before"]["allowedExtensions"]) == (code, ["pdf"])


def test_nothing_begun_is_a_503_that_says_how_long_the_quota_needs(serve: Serve) -> None:
    sandbox = serve(
        "--rate=0", "--timeout=5", "--env=CONNECT_REQUESTS_PER_SECOND=0.01", "--env=CONNECT_BURST=1"
    )
    # it uses the only permits of the next hundred seconds
    first, _ = ask(sandbox, "post", SUBMIT, json=CHANGE)
    assert first.status_code == 200
    answer, body = ask(sandbox, "post", SUBMIT, json={**CHANGE, "maximumSize": "6 MB"})
    assert summary(answer, body) == (503, "unavailable", "100")
    assert body["report"]["summary"] == {"pending": 1}


def test_some_applied_and_some_pending_is_a_207_with_retry_after(serve: Serve) -> None:
    sandbox = serve(
        "--rate=0", "--timeout=5", "--env=CONNECT_REQUESTS_PER_SECOND=0.01", "--env=CONNECT_BURST=1"
    )
    answer, body = ask(sandbox, "post", SUBMIT, json={**CHANGE, "attachmentScope": "*"})
    assert (answer.status_code, body["status"]) == (207, "incomplete")
    assert body["summary"] == {"applied": 1, "pending": 3}
    assert answer.headers["Retry-After"] == "300"


def test_no_answer_in_time_is_a_504(serve: Serve) -> None:
    sandbox = serve(*UNPACED, "--timeout=2", "--fault=slow:30000=1")
    for path in (ALL, ONE):
        assert summary(*ask(sandbox, "get", path)) == (504, "upstream-timeout", "1"), path


def test_a_change_that_takes_too_long_is_a_202_that_says_where_to_follow_it(governed: Governed) -> None:
    slow = ("--timeout=5", "--env=CONNECT_REQUESTS_PER_SECOND=0.01", "--env=CONNECT_BURST=1")
    sandbox = governed.start(*slow).sandbox
    answer, body = ask(
        sandbox, "post", SUBMIT, json={**CHANGE, "attachmentScope": "*", "changeId": "CHG-1"}
    )
    assert (answer.status_code, body["status"], body["changeId"]) == (202, "accepted", "CHG-1")
    assert (answer.headers["Location"], answer.headers["Retry-After"]) == ("/policy-changes/CHG-1", "400")
    assert len(governed.aws.receive(governed.changes)) == 1


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"{", "application/json", (400, "not-json", None)),
        (b"", "application/json", (400, "invalid-body", None)),
        (b"\xff", "application/json", (400, "invalid-body", None)),
        (b"{}", "text/plain", (415, "unsupported-media-type", None)),
        (b" " * 1_048_577, "application/json", (400, "invalid-body", None)),
        (b"[" + b" " * 1_048_576, "application/json", (413, "too-large", None)),
        (b"[]", "application/json; charset=utf-8", (422, "rejected", None)),
        (b"{}", "application/merge-patch+json", (422, "rejected", None)),
    ],
    ids=[
        "not JSON",
        "empty",
        "not UTF-8",
        "not a JSON type",
        "blank",
        "too large",
        "no object",
        "another JSON type",
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_reason(
    sandbox: Sandbox, body: bytes, content_type: str, expected: tuple[int, str, str | None]
) -> None:
    for method, path in (("post", SUBMIT), ("patch", ONE)):
        answer = ask(sandbox, method, path, data=body, headers={"Content-Type": content_type})
        assert summary(*answer) == expected, (method, path)


def test_what_is_read_by_itself_and_in_a_list_has_the_same_entity_tag(sandbox: Sandbox) -> None:
    _, policies = ask(sandbox, "get", ALL)
    answer, policy = ask(sandbox, "get", ONE)
    tags = {policy["attachmentScope"]: policy["etag"] for policy in policies["attachmentPolicies"]}
    assert answer.headers["ETag"] == policy["etag"] == tags["CHAT"]


def test_a_change_takes_place_while_the_target_holds_what_was_read(sandbox: Sandbox) -> None:
    read, before = ask(sandbox, "get", ONE)
    matching = {"If-Match": read.headers["ETag"]}
    size = before["maximumSizeLimitInBytes"] - 1
    first, _ = ask(sandbox, "patch", ONE, json={"maximumSizeLimitInBytes": size}, headers=matching)
    second = ask(sandbox, "patch", ONE, json={"maximumSizeLimitInBytes": size - 1}, headers=matching)
    assert first.status_code == 200
    assert summary(*second) == (412, "precondition-failed", None)


def test_a_before_is_accepted_verbatim_as_the_values_that_undo_it(sandbox: Sandbox) -> None:
    _, applied = ask(sandbox, "post", SUBMIT, json={**CHANGE, "allowedExtensions": ["pdf"], "force": True})
    result = applied["results"][0]
    _, undone = ask(sandbox, "patch", ONE, json=result["before"])
    assert undone["results"][0]["after"] == result["before"]
