"""Stopping and looking: the runbook's other commands, and the words it tells people to look for."""

import json
import re
from collections.abc import Iterator
from typing import Any

from expansion import STANDALONE, TEMPLATE, expanded
from filter_pattern import matches
from pages import PAGES, ROOT, blocks, code_spans
from runbook import RUNBOOK, Operator, aws, operator, stack, under
from stand_in import NAME, StandIn

__all__ = ["aws", "operator", "stack"]  # fixtures, which pytest finds by name
ROLES = (f"{NAME}-api", f"{NAME}-worker")


# ---- Stop running invocations too ----


def inline(stack: StandIn) -> dict[str, list[str]]:
    iam = stack.client("iam")
    return {role: iam.list_role_policies(RoleName=role)["PolicyNames"] for role in ROLES}


def test_both_roles_lose_the_permission_and_get_it_back(operator: Operator, stack: StandIn) -> None:
    deny, allow = under("Stop running invocations too")
    operator.paste(deny)
    assert inline(stack) == {role: ["freeze"] for role in ROLES}
    for role in ROLES:
        policy = stack.client("iam").get_role_policy(RoleName=role, PolicyName="freeze")["PolicyDocument"]
        [statement] = policy["Statement"]
        assert (statement["Effect"], statement["Action"]) == ("Deny", "connect:UpdateAttachedFilesConfiguration")
    operator.paste(allow)
    assert inline(stack) == {role: [] for role in ROLES}


# ---- Errors, and changes that do not end ----

# "Lambda Telemetry API Event schema reference": platform.report, whose status is success, failure, error or timeout
REPORT = {"time": "2026-11-23T11:37:04.845Z", "type": "platform.report", "record": {"requestId": "1", "metrics": {}}}
FOUND = {
    "timeout, JSON": json.dumps({**REPORT, "record": {**REPORT["record"], "status": "timeout"}}),
    "error, JSON": json.dumps({**REPORT, "record": {**REPORT["record"], "status": "error"}}),
    "invalid settings": json.dumps({"timestamp": "2026-11-23T11:37:04Z", "level": "ERROR", "message": "no start"}),
    "timeout, text": "2026-11-23T11:37:04.845Z 1-2-3 Task timed out after 300.00 seconds",
    "exit, text": "RequestId: 1-2-3 Error: Runtime exited with error: signal: killed",
}
NOT_FOUND = {
    "success, JSON": json.dumps({**REPORT, "record": {**REPORT["record"], "status": "success"}}),
    "an outcome": json.dumps({"timestamp": "2026-11-23T11:37:04Z", "level": "INFO", "logger": "audit"}),
    "a problem": '{"level": "INFO", "message": "urn:problem-type:connect-attachment-policy:upstream-timeout"}',
}


def test_timeouts_and_failed_starts_are_found_in_both_log_formats(operator: Operator, stack: StandIn) -> None:
    operator.write("WorkerLog", [*FOUND.values(), *NOT_FOUND.values()])
    assert operator.paste(*under("Errors")).splitlines() == list(FOUND.values())


def test_what_the_sweep_says_of_a_change_that_does_not_end_is_found(operator: Operator, stack: StandIn) -> None:
    said = [json.dumps({"timestamp": "2026-11-23T11:37:04Z", "level": level}) for level in ("INFO", "WARN", "ERROR")]
    operator.write("SweepLog", said)
    assert operator.paste(*under("Overdue")).splitlines() == said[1:]


def test_what_the_sweep_says_of_an_event_that_is_owed_is_found(operator: Operator, stack: StandIn) -> None:
    def said(level: str, message: str) -> str:
        return json.dumps({"timestamp": "2026-11-23T11:37:04Z", "level": level, "fields": {"message": message}})

    owed = said("WARN", "the event could not be put; the sweep tries again")
    operator.write("SweepLog", [owed, said("WARN", "another"), said("INFO", "the event could not be put")])
    assert operator.paste(*under("Outcome events")).splitlines() == [owed]


def test_who_it_was_is_found_in_the_audit(operator: Operator, stack: StandIn) -> None:
    def line(code: str, **more: Any) -> str:
        return json.dumps({"logger": "audit", "event": {"metadata": {"event_code": code}, **more}})

    evidence = {"actor": {"user": {"uid": "ada"}}, "src_endpoint": {"ip": "192.0.2.1"}, "data": {"at": "then"}}
    resource = {"name": "1", "data": {"attachmentScope": "CHAT"}}
    found = line("drift", resources=[resource], evidences=[evidence], unmapped={"governed": True})
    operator.write("SweepLog", [line("outcome"), found, line("drift-ended")])
    assert json.loads(operator.paste(under("Drift")[0])) == {
        "instance": "1", "data": {"attachmentScope": "CHAT"}, "who": "ada", "from": {"ip": "192.0.2.1"}, "at": "then",
        "governed": True,
    }  # fmt: skip


def test_what_the_function_took_of_a_stack_is_found_in_the_audit(operator: Operator, stack: StandIn) -> None:
    def line(code: str, change: str, stack: str) -> str:
        reason = f"Delete of `Policy` in the stack arn:aws:cloudformation:us-east-1:1:stack/{stack}/1, as the request claims"
        event = {"metadata": {"event_code": code, "correlation_uid": change}, "unmapped": {"reason": reason}}
        return json.dumps({"logger": "audit", "event": event})

    own = line("declare", "declared-1-2", "contact-center")
    others = [line("declare", "declared-2-1", "contact-center-2"), line("refusal", "declared-1-2", "contact-center")]
    operator.write("DeclareLog", [own, *others])
    [told] = operator.paste(under("A stack that does not end")[0]).splitlines()
    assert json.loads(told) == {"what": json.loads(own)["event"]["unmapped"]["reason"], "change": "declared-1-2"}


def test_the_pattern_that_tails_the_audit_finds_it_and_no_metrics() -> None:
    [pattern] = re.findall(r"--filter-pattern '(.+)'", expanded()["Outputs"]["TailAudit"]["Value"]["Fn::Sub"])
    assert matches(pattern, '{"logger": "audit"}')
    assert not matches(pattern, '{"logger": "metrics"}')


# ---- Finding a change, and no other ----

OWN = ("CHG-2042", "CHG-2042/0", "CHG-2042/17")
OTHERS = ("CHG-20420", "CHG-204", "XCHG-2042", "CHG-2042-1", "CHG-20420/0")


def queries() -> Iterator[str]:
    for page in PAGES:
        yield from (block.text for block in blocks(page) if block.language == "" and block.text.startswith("filter"))


def test_no_query_finds_a_change_by_a_part_of_its_id() -> None:
    by_id = [query for query in queries() if re.search(r"correlation_uid\s+(?:like|=)", query)]
    assert len(by_id) == 2
    for query in by_id:
        [pattern, id_] = re.findall(r"correlation_uid like /(.*?(CHG-\d+).*?)/\n", query)[0]
        for candidates, expected in ((OWN, True), (OTHERS, False)):
            for candidate in candidates:
                found = re.search(pattern.replace("\\/", "/"), candidate.replace("CHG-2042", id_, 1))
                assert (found is not None) is expected, (query, candidate)


# ---- What people should look for ----

# Code spans that are not ours, and whose they are.
OF_OTHERS = {
    "EventBridge": {"ERROR_CODE", "ERROR_MESSAGE", "source", "time", "InternalException", ".events", '"source": "aws.connect"'},
    "DynamoDB": {
        "InternalServerError", "ServiceUnavailable", "ProvisionedThroughputExceededException", "ValidationException",
        "restore-table-from-backup",
    },
    "Lambda": {"platform.report", '"status":"timeout"', "Task timed out"},
    "Amazon Connect": {"ThrottlingException"},
    "API Gateway": {"integrationError"},
    "make acceptance": {"FREEZE=no", "RING=yes", "SCOPE", "needs an account", "ok"},
    "the HTTP API": {'{"drain": true}', '{"force": true}', '{"checkDrift": true}', "Retry-After"},
    "CloudFormation": {
        "DELETE_COMPLETE", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED", "CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS",
        "DELETE_IN_PROGRESS", "ROLLBACK_FAILED", "sam deploy",
    },
    "the repository": {"template.yaml", "samconfig.toml"},
    "Amazon SQS": {"ApproximateAgeOfOldestMessage"},
    "IAM": {"iam:SimulatePrincipalPolicy", "connect:UpdateAttachedFilesConfiguration", "lambda:InvokeFunction"},
    "the AWS CLI": {
        "filter-log-events", "--start-time", "--resources-to-skip", "--retain-resources",
        'eval "$(aws configure export-credentials --format env)"',
    },
    "the page's commands": {
        "entries.json", "undo.json", "$API_LOG", "$INTAKE_LOG", "$SWEEP_LOG", "$WORKER_LOG", "$WIDGET_LOG", "$DECLARE_LOG",
        "QUEUE=$INTAKE_FAILED", "BUS",
        "RESTORED", "data.expected", "data.observed", "evidences[0].data.eventId",
        "POST /policy-changes/INC-9-check/apply", '{"plan": …}', "api GET /freeze", "api DELETE /freeze",
        'api GET "/policy-changes?status=partial"',
    },
    "the page's example": {"/0", "/1", "CHG-20420", "CHG-2042", "\\."},
}


def sources() -> str:
    """The product's Rust, without tests and comments: whatever its crates are called."""
    others = {"sandbox", "tests", "fuzz", "benches", "target"}
    files = [path for path in ROOT.rglob("src/**/*.rs") if not others & set(path.relative_to(ROOT).parts)]
    texts = [path.read_text().split("#[cfg(test)]\nmod tests {")[0] for path in files if path.name != "tests.rs"]
    return re.sub(r"//.*", "", "\n".join(texts))


def is_of_the_template(span: str) -> bool:
    """A parameter, an output or a resource, alone, with a value, or in arithmetic."""
    known = {
        name for path in (TEMPLATE, STANDALONE) for part in ("Parameters", "Outputs", "Resources")
        for name in expanded(path)[part]
    }  # fmt: skip
    names = re.findall(r"[A-Z]\w+", re.sub(r"=\w+$", "", span))
    return bool(names) and set(names) <= known


def test_what_the_runbook_names_is_written_by_the_function_or_kept_by_the_template() -> None:
    ours = sources()
    of_others = set().union(*OF_OTHERS.values())
    spans = code_spans(RUNBOOK)
    # commands are run above
    named = {span for span in spans if not span.startswith("aws ") and not (ROOT / span).exists()} - of_others
    script = "".join(path.read_text() for path in (ROOT / "Makefile", *(ROOT / "acceptance").glob("*.py")))
    assert [span for span in OF_OTHERS["make acceptance"] if span.partition("=")[0] not in script] == []
    lost = [span for span in sorted(named) if not is_of_the_template(span) and not is_written(span, ours)]
    assert lost == []
    assert of_others - set(spans) == set(), "an exception that excepts nothing"


def is_written(span: str, ours: str) -> bool:
    """As a word of the sources, or as the variant that serde spells so."""
    variant = "".join(part.capitalize() for part in re.split(r"[_-]", span))
    words = {span, variant, re.sub(r"(?<=[a-z])([A-Z])", r"_\1", span).lower()}
    return any(re.search(rf"\b{re.escape(word)}\b", ours) for word in words)


def test_a_word_that_nobody_writes_is_found() -> None:
    """Otherwise the test above would show nothing."""
    assert not is_written("Task timed out", sources())
    assert is_written("NoTimeLeft", sources())
