"""The answer to a custom resource, beside what crhelper sends for the same request, at a bucket that checks signatures.

crhelper is AWS's own helper for such functions. Each answer is the real function's, with workers behind it.
"""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from aws import client, instance_id
from conftest import UNPACED, Sandbox, serving
from crhelper import CfnResource, utils
from declaring import OBJECT, Arrived, answers, awaited, declared

LONGEST = 4_096
FUNCTION = "connect-attachment-policy-declare"


@pytest.fixture(scope="module")
def govern(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    log = tmp_path_factory.mktemp("answers") / "log"
    with serving(log, *UNPACED, "--env=ANSWER_LOOPBACK=true", command="govern") as sandbox:
        yield sandbox


def ask(sandbox: Sandbox, request: dict[str, Any]) -> None:
    """As CloudFormation does, except that it does not wait for the function."""
    boto = client("lambda", sandbox.invoke, read_timeout=60)
    answer = boto.invoke(FunctionName=FUNCTION, Payload=json.dumps(request))
    assert "FunctionError" not in answer, answer["Payload"].read()


def asked(kind: str, url: str, name: str, **properties: Any) -> dict[str, Any]:
    """A request of a resource that only one test knows."""
    request = declared(kind, url, instance_id(1), name) | {"RequestId": f"{name[:40]}-{kind}"}
    request["ResourceProperties"] |= properties
    if kind == "Create":
        del request["PhysicalResourceId"]
    return request


def helped(monkeypatch: pytest.MonkeyPatch, request: dict[str, Any], physical_id: str, data: dict[str, Any], why: str) -> None:
    """crhelper's answer of a function that ends so. It knows https only, so its connection is exchanged."""
    monkeypatch.setenv("AWS_SAM_LOCAL", "true")  # no clients of AWS
    monkeypatch.setattr(utils, "HTTPSConnection", lambda host, context: HTTPConnection(host, timeout=60))
    helper = CfnResource(log_level="CRITICAL", sleep_on_delete=0)

    def work(event: dict[str, Any], _: Any) -> str:
        helper.Data.update(data)
        if why:
            raise ValueError(why)
        return physical_id

    for kind in (helper.create, helper.update, helper.delete):
        kind(work)
    helper(request, SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000))


def shape(value: Any) -> Any:
    """The types of a document's members."""
    return {name: shape(inner) for name, inner in value.items()} if isinstance(value, dict) else type(value)


def is_sent_alike(ours: Arrived, theirs: Arrived) -> bool:
    """The method, the URL, and the headers that a bucket reads."""
    return (ours.method, ours.target) == (theirs.method, theirs.target) and all(
        sent.headers["content-type"] == "" and int(sent.headers["content-length"]) == len(sent.raw) for sent in (ours, theirs)
    )


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_a_success_is_what_crhelper_sends(govern: Sandbox, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    name = f"Success{kind}"
    with answers() as (url, arrived):
        if kind != "Create":
            ask(govern, asked("Create", url(), name))
            awaited(arrived, 1)
            arrived.clear()
        request = asked(kind, url(), name, MaximumSize="8 MB")
        ask(govern, request)
        ours = awaited(arrived, 1)
        body = ours.body
        helped(monkeypatch, request, body["PhysicalResourceId"], body.get("Data", {}), "")
        theirs = awaited(arrived, 2)
    assert is_sent_alike(ours, theirs)
    said = ("Status", "PhysicalResourceId", "StackId", "RequestId", "LogicalResourceId")
    assert {member: body[member] for member in said} == {member: theirs.body[member] for member in said}
    assert (body["Status"], theirs.body["Status"]) == ("SUCCESS", "SUCCESS")
    # NoEcho is optional, and so is Data; a reason is sent always
    assert set(theirs.body) - set(body) <= {"NoEcho", "Data"}
    assert shape(body) == {member: shape(theirs.body[member]) for member in body}
    assert body["Reason"] != ""
    if kind == "Delete":
        assert body["PhysicalResourceId"] == request["PhysicalResourceId"]
    else:
        assert body["Data"].keys() == {"ChangeId", "Targets", "Applied", "Unchanged"}


def test_a_failure_is_what_crhelper_sends(govern: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with answers() as (url, arrived):
        request = asked("Create", url(), "Failure", InstanceIds=["no instance"])
        ask(govern, request)
        ours = awaited(arrived, 1)
        helped(monkeypatch, request, "", {}, ours.body["Reason"][:250])
        theirs = awaited(arrived, 2)
    assert is_sent_alike(ours, theirs)
    assert (ours.body["Status"], theirs.body["Status"]) == ("FAILED", "FAILED")
    assert ours.body["Reason"].startswith("The properties break the rules, and nothing was changed: `/InstanceIds/0` ")
    for member in ("StackId", "RequestId", "LogicalResourceId"):
        assert ours.body[member] == theirs.body[member] == request[member]
    assert set(theirs.body) - set(ours.body) == {"NoEcho", "Data"}
    # each makes up an id, which must not be empty
    assert 0 < len(ours.body["PhysicalResourceId"].encode()) <= 1_024


def test_the_bucket_refuses_a_content_type(govern: Sandbox) -> None:
    """The signature covers it, and CloudFormation signs an empty one."""
    with answers() as (url, arrived):
        signed = url()
        assert OBJECT in signed
        ask(govern, asked("Create", signed, "Refused", InstanceIds=["no instance"]))
        accepted = awaited(arrived, 1)
        for content_type, status in (("application/json", 403), ("", 200)):
            sent = requests.put(signed, data=accepted.raw, headers={"Content-Type": content_type}, timeout=60)
            assert sent.status_code == status
        changed = signed.replace("Signature=", "Signature=A")
        assert requests.put(changed, data=accepted.raw, headers={"Content-Type": ""}, timeout=60).status_code == 403


@pytest.mark.parametrize("name", ["Thousand", "Long" + "g" * 251], ids=["a short name", "the longest name"])
def test_a_thousand_violations_fit_into_what_cloudformation_reads(govern: Sandbox, name: str) -> None:
    wrong = [f"bad type {number}" for number in range(1_000)]
    with answers() as (url, arrived):
        ask(govern, asked("Create", url(), name, AllowedExtensions=wrong))
        answer = awaited(arrived, 1)
    reason = answer.body["Reason"]
    first = "The properties break the rules, and nothing was changed: "
    assert reason.startswith(first + "`/AllowedExtensions` must have at most 256 extensions, not 1000; `/AllowedExtensions/0` ")
    assert reason.endswith(" more are not shown)")
    # one more would not have fitted
    one = max(len(part) for part in reason.removeprefix(first).split("; "))
    assert LONGEST - one - 10 <= len(answer.raw) <= LONGEST
    shown = reason.count("`/AllowedExtensions")
    # as many as a rejected change lists, and the one that says that there are more
    assert shown + int(reason.rsplit("(", 1)[1].split(" ")[0]) == 257


def test_the_longest_id_comes_back_as_it_was_sent(govern: Sandbox) -> None:
    """Of a resource that some other function has created; each of these characters takes two bytes."""
    with answers() as (url, arrived):
        ask(govern, asked("Delete", url(), "Elsewhere") | {"PhysicalResourceId": '"' * 1_024})
        answer = awaited(arrived, 1)
    assert (answer.body["PhysicalResourceId"], answer.body["Status"]) == ('"' * 1_024, "SUCCESS")
    assert len(answer.raw) <= LONGEST


def test_a_star_means_the_functions_account_whatever_the_stacks_is(govern: Sandbox) -> None:
    """docs/declare.md says so of stacks in other accounts."""
    stack = "arn:aws:cloudformation:us-east-1:444455556666:stack/policies/1"
    with answers() as (url, arrived):
        ask(govern, asked("Create", url(), "Star", InstanceIds=["*"], AttachmentScopes=["CASE"]) | {"StackId": stack})
        own = awaited(arrived, 1).body
        named = ["arn:aws:connect:us-east-1:444455556666:instance/*"]
        ask(govern, asked("Create", url(), "Named", InstanceIds=named, AttachmentScopes=["CASE"]) | {"StackId": stack})
        other = awaited(arrived, 2).body
    assert (own["Status"], own["Data"]["Applied"]) == ("SUCCESS", 3)
    record = requests.get(f"{govern.function}/policy-changes/{own['Data']['ChangeId']}", timeout=60).json()
    assert [lane["lane"] for lane in record["lanes"]] == ["111122223333/us-east-1"]
    why = "`/InstanceIds/0` is in account 444455556666, for which CONNECT_ROLE_ARNS has no role"
    assert other["Status"] == "FAILED"
    assert other["Reason"] == f"The properties break the rules, and nothing was changed: {why}"
