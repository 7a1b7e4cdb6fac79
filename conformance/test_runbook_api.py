"""The runbook's requests to the HTTP API: what is sent, and to which route; and the restore that needs them.

What the function answers, test_runbook_governed.py asks it.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from answering import Answering, Asked, answering
from expansion import STANDALONE, filled
from runbook import COMMANDS, Operator, aws, operator, stack, under
from stand_in import NAME, TRUST, StandIn
from test_routes import REST, operations, routes

__all__ = ["aws", "operator", "stack"]  # fixtures, which pytest finds by name

# of each section: what its commands send, in their order
SENT = {
    "Find a change": [
        ("GET", "/policy-changes?status=incomplete", None),
        ("GET", "/policy-changes/CHG-2042", None),
        ("GET", "/policy-changes/CHG-2042?outcome=failed", None),
        ("GET", "/instances/00000001-0000-4000-8000-000000000001/attachment-policies/CHAT/history", None),
    ],
    "Cancel a change": [("POST", "/policy-changes/CHG-2042/cancel", None)],
    "Release a declared target": [
        (
            "DELETE",
            "/instances/00000001-0000-4000-8000-000000000001/attachment-policies/CHAT/declaration",
            None,
        )
    ],
    # test_cloudformation.py continues the rollback
    "A stack that does not end": [("DELETE", "/freeze", None)],
    "Freeze all changes, and resume": [
        ("PUT", "/freeze", {"reason": "INC-7: wrong list for chat"}),
        ("GET", "/freeze", None),
        ("DELETE", "/freeze", None),
    ],
    "Undo a change": [
        ("POST", "/policy-changes/CHG-2042/undo?dryRun=true", None),
        ("POST", "/policy-changes/CHG-2042/undo", {"reason": "INC-7"}),
    ],
    "Drift": [
        ("POST", "/policy-changes", {"checkDrift": True, "changeId": "INC-9-check"}),
        ("GET", "/policy-changes/INC-9-check?outcome=planned", None),
        (
            "POST",
            "/instances/00000001-0000-4000-8000-000000000001/attachment-policies/CHAT/restore",
            {"reason": "drift: put back"},
        ),
        (
            "POST",
            "/policy-changes",
            {
                "instanceId": "00000001-0000-4000-8000-000000000001",
                "attachmentScope": "CHAT",
                "maximumSizeLimitInBytes": 8388608,
                "reason": "drift: accepted",
            },
        ),
    ],
}
ASKS = re.compile(r"\bapi (GET|PUT|POST|DELETE)\b")
PROBLEM = {"type": "urn:problem-type:connect-attachment-policy:frozen", "status": 503, "title": "frozen"}


def answer(asked: Asked) -> tuple[int, Any]:
    """As an API whose list has two changes that run and one that is accepted, and that is frozen for one path."""
    if asked.path == "/policy-changes?status=accepted":
        return 200, {"policyChanges": [{"changeId": "CHG-3"}]}
    if asked.path == "/policy-changes?status=running":
        return 200, {"policyChanges": [{"changeId": "CHG-1"}, {"changeId": "teams/CHG-2"}]}
    return (503, PROBLEM) if asked.path == "/frozen" else (200, {})


@pytest.fixture
def api() -> Iterator[Answering]:
    with answering(answer) as server:
        yield server


def to(server: Answering) -> str:
    """The API is another than the stack's output."""
    return f"API={server.url}"


@pytest.mark.parametrize("heading", SENT)
def test_a_section_sends_these_requests(operator: Operator, api: Answering, heading: str) -> None:
    for text in (text for text in under(heading) if ASKS.search(text)):
        operator.paste(to(api), text)
    assert api.requests() == SENT[heading]


def test_every_request_of_the_page_is_one_that_is_held_here() -> None:
    held = {heading for heading in SENT} | {"Restore the ledger", "Runbook"}
    assert {block.heading for block in COMMANDS if ASKS.search(block.text)} <= held


@pytest.mark.parametrize(("method", "path"), [(method, path) for sent in SENT.values() for method, path, _ in sent])
def test_a_request_has_a_route(method: str, path: str) -> None:
    def matches(route: str) -> bool:
        return re.fullmatch(re.escape(route).replace(re.escape(REST), ".+"), path.partition("?")[0]) is not None

    assert [route for of, route in operations(routes()) if of == method.lower() and matches(route)] != []


def test_a_request_is_signed_for_the_api(operator: Operator, api: Answering) -> None:
    operator.paste(to(api), "api GET /freeze", """api PUT /freeze '{"drain": true}'""")
    for asked in api.asked:
        assert re.search(r"Credential=any/\d{8}/us-east-1/execute-api/aws4_request", asked.headers["authorization"])
        assert asked.headers["x-amz-security-token"] == "any"
    assert [asked.headers.get("content-type") for asked in api.asked] == [None, "application/json"]


def test_a_problem_is_printed_and_fails_the_command(operator: Operator, api: Answering) -> None:
    said = operator.paste(to(api), "api GET /frozen || echo failed")
    assert "failed" in said
    assert json.loads(said.replace("failed", "")) == PROBLEM


def test_without_a_region_nothing_is_sent(operator: Operator, api: Answering) -> None:
    operator.fails(to(api), "unset AWS_REGION", "api GET /freeze")
    assert api.asked == []


# ---- Standalone: freeze and resume by the outputs ----


def standalone(stack: StandIn) -> str:
    """The stack of the other template, as far as its two commands go. Returns its function's name."""
    name = f"{NAME}-standalone"
    role = stack.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    stack.client("lambda").create_function(
        FunctionName=name, Runtime="provided.al2023", Role=role, Handler="bootstrap", Code={"ZipFile": b""},
    )  # fmt: skip
    known = {"${Function}": name, "${AWS::Region}": "us-east-1"}
    outputs = {}
    for output in ("Freeze", "Resume"):
        text = filled({}, STANDALONE)["Outputs"][output]["Value"]["Fn::Sub"]
        outputs[output] = {"Value": re.sub(r"\$\{[^}]+\}", lambda found: known[found[0]], text)}
    template = {"Resources": {"Any": {"Type": "AWS::SNS::Topic"}}, "Outputs": outputs}
    stack.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
    return name


def test_a_standalone_stack_is_frozen_and_resumed_by_its_outputs(operator: Operator, stack: StandIn) -> None:
    name = standalone(stack)

    def reserved() -> int | None:
        answer = stack.client("lambda").get_function_concurrency(FunctionName=name)
        return answer.get("ReservedConcurrentExecutions")

    freeze, resume = under("Freeze all changes, and resume")[1].splitlines()
    operator.paste(freeze)
    assert reserved() == 0
    operator.paste(resume)
    assert reserved() == 2


# ---- Restore the ledger ----


def test_a_restored_table_has_what_the_template_s_has_and_is_frozen(operator: Operator, stack: StandIn) -> None:
    freezing, restoring, completing, frozen, _ = under("Restore the ledger")
    dynamodb = stack.client("dynamodb")
    dynamodb.put_item(TableName=stack.names["LedgerTable"], Item={"pk": {"S": "change#1"}, "sk": {"S": "change"}})
    operator.paste(restoring, completing, frozen)
    name = "attachment-policy-ledger-restored"
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["DeletionProtectionEnabled"] is True
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == {"listed", "owed"}
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    key = {"pk": {"S": "freeze"}, "sk": {"S": "freeze"}}
    item = dynamodb.get_item(TableName=name, Key=key)["Item"]
    # as src/ledger writes it; test_runbook_governed.py has the function read it
    assert len(item.pop("when")["N"]) == 13, "milliseconds"
    assert item == key | {
        "drain": {"BOOL": False}, "who": {"M": {"by": {"S": "nobody"}}}, "reason": {"S": "restored from a backup"},
    }  # fmt: skip
    assert freezing.startswith("api PUT /freeze ")


def test_every_change_that_a_backup_has_as_unfinished_is_cancelled(operator: Operator, api: Answering) -> None:
    *_, cancelling = under("Restore the ledger")
    operator.paste(to(api), cancelling)
    assert sorted(api.requests()) == sorted([
        ("GET", "/policy-changes?status=accepted", None), ("GET", "/policy-changes?status=running", None),
        *(("POST", f"/policy-changes/{id_}/cancel", None) for id_ in ("CHG-1", "teams/CHG-2", "CHG-3")),
    ])  # fmt: skip


def test_curl_is_new_enough_for_what_the_page_uses() -> None:
    """`--aws-sigv4` came with 7.75, `--fail-with-body` with 7.76."""
    said = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = map(int, re.findall(r"^curl (\d+)\.(\d+)", said)[0])
    assert (major, minor) >= (7, 76)
