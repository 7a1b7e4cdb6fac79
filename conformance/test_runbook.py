"""The runbook's commands against real answers, the failures included; and what it tells people to look for.

SQS, EventBridge, IAM, Lambda and CloudFormation are moto's. The log is what the production binary wrote in the
sandbox, and the CLI is AWS's own. What moto cannot do is in filter_pattern.py.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import UNPACED, Sandbox, serving
from expansion import STANDALONE, expanded
from pages import ROOT
from runbook import COMMANDS, Operator, aws, operator, stack, under
from shell import WITH_LOGS
from stand_in import StandIn

__all__ = ["aws", "operator", "stack"]  # fixtures, which pytest finds by name

# by heading, in the order of the page
HELD = {
    "Runbook", "Parked", "Overdue", "Errors", "Find a change", "Cancel a change", "Freeze all changes, and resume",
    "Stop running invocations too", "Re-issue, and do not redrive", "Undo a change", "Undo by hand from the audit",
    "Restore the ledger", "Outcome events", "Drift", "Release a declared target", "A stack that does not end",
}  # fmt: skip
NOT_HELD = {
    "Replay the archive": "moto answers it, but replays nothing",
    "Try a deployed stack": "test_acceptance.py runs it",
    "Put back what was changed by hand": "moto compares no stack with what is there; below, the CLI reads the commands",
}
EVENT = json.loads((ROOT / "events/event-bridge.succeeded.json").read_text())
REFUSED_ENTRY = '{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "for its sake"}]}'
NOTHING_SENT = {
    "the bus did not take it": f"echo '{REFUSED_ENTRY}'",
    "the call was denied": "echo 'An error occurred (AccessDeniedException)' >&2; return 254",
    "the answer was cut off": "echo '{\"FailedEntryCount\":'",
}


def test_every_section_with_commands_is_held_or_has_a_reason() -> None:
    assert {block.heading for block in COMMANDS} == HELD | set(NOT_HELD)


def put(answer: str) -> str:
    """The CLI, but for the answer of `put-events`."""
    return WITH_LOGS.replace("  *) command", f'  "events put-events") {answer} ;;\n    *) command')


def test_the_variables_are_the_stack_s_outputs(operator: Operator, stack: StandIn) -> None:
    names = {
        "PARKED": "ParkedQueueUrl", "FAILED": "DeadLetterQueueUrl", "INTAKE_FAILED": "IntakeDeadLetterQueueUrl",
        "BUS": "BusName", "API": "ApiUrl", "TABLE": "TableName", "API_LOG": "ApiLogGroup",
        "INTAKE_LOG": "IntakeLogGroup", "WORKER_LOG": "WorkerLogGroup", "SWEEP_LOG": "SweepLogGroup",
        "WIDGET_LOG": "WidgetLogGroup", "DECLARE_LOG": "DeclareLogGroup",
    }  # fmt: skip
    printed = " ".join(f'"${name}"' for name in names)
    said = operator.paste(under("Runbook")[0], f"printf '%s\\n' {printed}")
    assert said.splitlines() == [stack.outputs[name] for name in names.values()]


def test_the_variables_of_the_standalone_stack_are_its_outputs(operator: Operator) -> None:
    standalone = expanded(STANDALONE)
    outputs = json.dumps([{"OutputKey": name, "OutputValue": name} for name in standalone["Outputs"]])
    logs = ("API_LOG", "INTAKE_LOG", "WORKER_LOG", "SWEEP_LOG", "WIDGET_LOG", "DECLARE_LOG")
    values = {
        "PARKED": "DeadLetterQueueUrl", "API": "ApiUrl", "BUS": standalone["Parameters"]["EventBusName"]["Default"],
        **dict.fromkeys(logs, "LogGroup"), "FAILED": "", "INTAKE_FAILED": "", "TABLE": "",
    }  # fmt: skip
    printed = " ".join(f'"${name}"' for name in values)
    said = operator.paste(f"outputs() {{ echo '{outputs}'; }}", under("Runbook")[1], f"printf '%s\\n' {printed}")
    assert said.splitlines() == list(values.values())


# ---- Put back what was changed by hand ----


# the CLI checks a command's parameters and sends nothing
CHECKED = """aws() {
  case "$2" in
    describe-stacks) echo '[{"ParameterKey": "LogLevel", "UsePreviousValue": true}]' ;;
    # the CLI makes no valid answer to the second
    wait | describe-change-set) ;;
    *) command aws "$@" --generate-cli-skeleton output > answer.json && cat answer.json && echo "$2" >> asked ;;
  esac
}"""


def test_the_cli_takes_the_commands_that_moto_has_no_answer_to(operator: Operator) -> None:
    operator.paste(CHECKED, *under("Put back what was changed by hand"))
    assert (operator.folder / "asked").read_text().split() == [
        "detect-stack-drift", "describe-stack-drift-detection-status", "describe-stack-resource-drifts",
        "create-change-set", "execute-change-set",
    ]  # fmt: skip
    assert json.loads((operator.folder / "parameters.json").read_text())[0]["UsePreviousValue"]


# ---- Re-issue ----


def parked(stack: StandIn, body: Any = EVENT) -> None:
    stack.client("sqs").send_message(QueueUrl=stack.names["ParkedQueue"], MessageBody=json.dumps(body))


def left(stack: StandIn, queue: str = "ParkedQueue") -> int:
    """How many messages a queue holds, hidden ones too."""
    kinds = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = stack.names[queue]
    attributes = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=kinds)["Attributes"]
    return sum(int(attributes[kind]) for kind in kinds)


def test_a_parked_message_is_shown_with_its_reasons(operator: Operator, stack: StandIn) -> None:
    why = {"DataType": "String", "StringValue": "for its sake"}
    stack.client("sqs").send_message(
        QueueUrl=stack.names["ParkedQueue"], MessageBody=json.dumps(EVENT),
        MessageAttributes=dict.fromkeys(("changeId", "status", "reasons"), why),
    )  # fmt: skip
    [shown] = json.loads(operator.paste(*under("Parked")))
    assert (shown["why"], json.loads(shown["body"])) == ("for its sake", EVENT)


def test_a_re_issued_event_is_queued_on_its_condition_and_leaves_the_parked_queue(
    operator: Operator, stack: StandIn
) -> None:
    parked(stack)
    operator.paste(*under("Re-issue, and do not redrive"))
    assert left(stack) == 0
    [message] = stack.client("sqs").receive_message(QueueUrl=stack.names["IntakeQueue"])["Messages"]
    event = json.loads(message["Body"])
    assert event["source"] == EVENT["source"]
    assert event["detail"] == {**EVENT["detail"], "ifUnmodifiedSince": EVENT["time"]}


@pytest.mark.parametrize("answer", NOTHING_SENT.values(), ids=NOTHING_SENT)
def test_a_re_issued_event_that_the_bus_did_not_take_stays_parked(
    operator: Operator, stack: StandIn, answer: str
) -> None:
    parked(stack)
    prepare, sending = under("Re-issue, and do not redrive")
    operator.paste(prepare)
    operator.fails("QUEUE=$PARKED", put(answer), sending)
    assert (left(stack), left(stack, "IntakeQueue")) == (1, 0)


@pytest.mark.parametrize("body", ["not a document", {"detail": "{"}], ids=["text", "broken detail"])
def test_a_message_that_cannot_be_re_issued_stays_parked(operator: Operator, stack: StandIn, body: Any) -> None:
    parked(stack, body)
    operator.fails(*under("Re-issue, and do not redrive"))
    assert (left(stack), left(stack, "IntakeQueue")) == (1, 0)


def test_an_empty_queue_re_issues_nothing(operator: Operator, stack: StandIn) -> None:
    operator.fails(*under("Re-issue, and do not redrive"))
    assert left(stack, "IntakeQueue") == 0


# ---- Undo by hand ----


INSTANCE = "00000001-0000-4000-8000-000000000001"
CHANGES = [
    {"changeId": "CHG-2042", "instanceId": INSTANCE, "attachmentScope": "CHAT", "maximumSize": "8 MB"},
    # sent again with another value: the undo goes back to what was before the first
    {"changeId": "CHG-2042", "instanceId": INSTANCE, "attachmentScope": "CHAT", "maximumSize": "4 MB"},
    {"changeId": "CHG-2042", "changes": [{"instanceId": INSTANCE, "attachmentScope": "TASK", "maximumSize": "6 MB"}]},
    {"changeId": "CHG-20420", "instanceId": INSTANCE, "attachmentScope": "EMAIL", "maximumSize": "5 MB"},
    {"changeId": "XCHG-2042", "instanceId": INSTANCE, "attachmentScope": "CASE", "maximumSize": "7 MB"},
]  # fmt: skip
MEGABYTE = 1_048_576


@pytest.fixture
def changed(tmp_path: Path) -> Iterator[tuple[Sandbox, list[str]]]:
    """A sandbox whose instance was changed, and the log of its function."""
    log = tmp_path / "sandbox.log"
    with serving(log, *UNPACED) as sandbox:
        for change in CHANGES:
            answer = requests.post(f"{sandbox.function}/policy-changes", json=change, timeout=30)
            assert answer.json()["status"] == "succeeded"
        yield sandbox, [line for line in log.read_text().splitlines() if line.startswith("{")]


def written(operator: Operator, worker: Sequence[str], api: Sequence[str] = (), sweep: Sequence[str] = ()) -> None:
    operator.write("WorkerLog", worker)
    operator.write("ApiLog", api)
    operator.write("SweepLog", sweep)


def policy(sandbox: Sandbox, scope: str) -> dict[str, Any]:
    return requests.get(f"{sandbox.function}/instances/{INSTANCE}/attachment-policies/{scope}", timeout=30).json()


def sizes(sandbox: Sandbox) -> dict[str, int]:
    scopes = ("CHAT", "TASK", "EMAIL", "CASE")
    return {scope: policy(sandbox, scope)["maximumSizeLimitInBytes"] // MEGABYTE for scope in scopes}


def test_an_undo_restores_what_the_change_changed_and_nothing_else(
    operator: Operator, stack: StandIn, changed: tuple[Sandbox, list[str]]
) -> None:
    sandbox, lines = changed
    # the change went through both functions, and the sweep settled a part of it
    written(operator, lines[::3], lines[1::3], lines[2::3])
    assert sizes(sandbox) == {"CHAT": 4, "TASK": 6, "EMAIL": 5, "CASE": 7}
    operator.paste(*under("Undo by hand from the audit"))
    [message] = stack.client("sqs").receive_message(QueueUrl=stack.names["IntakeQueue"])["Messages"]
    undo = json.loads(message["Body"])["detail"]
    answer = requests.post(f"{sandbox.function}/policy-changes", json=undo, timeout=30).json()
    assert (undo["changeId"], answer["status"]) == ("undo-CHG-2042", "succeeded")
    assert sizes(sandbox) == {"CHAT": 20, "TASK": 20, "EMAIL": 5, "CASE": 7}


def test_an_undo_is_on_the_condition_that_nobody_changed_the_target_after_it(
    operator: Operator, stack: StandIn, changed: tuple[Sandbox, list[str]]
) -> None:
    sandbox, lines = changed
    written(operator, lines)
    operator.paste(under("Undo by hand from the audit")[0])
    undo = json.loads((operator.folder / "undo.json").read_text())
    for change in undo["changes"]:
        held = policy(sandbox, change["attachmentScope"])
        condition, modified = map(datetime.fromisoformat, (change["ifUnmodifiedSince"], held["lastModifiedTime"]))
        # the audit's milliseconds, rounded up to the second
        assert timedelta() <= condition - modified <= timedelta(seconds=1)
        change["ifUnmodifiedSince"] = (modified - timedelta(seconds=1)).isoformat()
    answer = requests.post(f"{sandbox.function}/policy-changes", json=undo, timeout=30)
    assert answer.status_code == 412, answer.text
    assert sizes(sandbox)["CHAT"] == 4


@pytest.mark.parametrize("lost", ["WorkerLog", "ApiLog", "SweepLog"])
def test_an_undo_of_a_part_of_the_logs_is_not_made(
    operator: Operator, stack: StandIn, changed: tuple[Sandbox, list[str]], lost: str
) -> None:
    written(operator, changed[1], changed[1], changed[1])
    operator.forget(lost)
    (operator.folder / "undo.json").write_text('{"changeId": "of yesterday"}')
    operator.fails(*under("Undo by hand from the audit"))
    assert left(stack, "IntakeQueue") == 0


def test_an_undo_of_an_unknown_change_is_not_sent(operator: Operator, stack: StandIn) -> None:
    written(operator, [])
    operator.fails(*under("Undo by hand from the audit"))
    assert left(stack, "IntakeQueue") == 0
