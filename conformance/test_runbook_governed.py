"""The runbook's requests against the production binary with its ledger: what they do, not only what they send."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from aws import client
from conftest import UNPACED, serving
from runbook import Operator, aws, operator, stack, under

__all__ = ["aws", "operator", "stack"]  # fixtures, which pytest finds by name

INSTANCE = "00000001-0000-4000-8000-000000000001"
MEGABYTE = 1_048_576
ID = "CHG-2042"


@dataclass(frozen=True)
class Governed:
    """Where the API, Amazon Connect and the table are."""

    api: str
    connect: str
    dynamodb: str
    table: str

    def send(self, **more: Any) -> requests.Response:
        change = {"changeId": ID, "instanceId": INSTANCE, "attachmentScope": "CHAT", "maximumSize": "8 MB", **more}
        return requests.post(f"{self.api}/policy-changes", json=change, timeout=30)

    def get(self, path: str) -> dict[str, Any]:
        answer = requests.get(f"{self.api}{path}", timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ended(self, id_: str) -> dict[str, Any]:
        """A change's record at its end."""
        deadline = time.monotonic() + 30
        while (record := self.get(f"/policy-changes/{id_}"))["status"] in ("accepted", "running"):
            assert time.monotonic() < deadline, record
            time.sleep(0.05)
        return record

    def megabytes(self) -> int:
        policy = self.get(f"/instances/{INSTANCE}/attachment-policies/CHAT")
        return policy["maximumSizeLimitInBytes"] // MEGABYTE


@pytest.fixture
def governed(tmp_path: Path) -> Iterator[Governed]:
    log = tmp_path / "sandbox.log"
    with serving(log, *UNPACED, "--sweep=1", command="govern") as sandbox:
        said = log.read_text()
        [dynamodb] = re.findall(r"^DynamoDB +(http://\S+)$", said, re.MULTILINE)
        [table] = re.findall(r"^Table\n +(\S+)$", said, re.MULTILINE)
        yield Governed(sandbox.function, sandbox.connect, dynamodb, table)


def paste(operator: Operator, governed: Governed, *commands: str) -> str:
    return operator.paste(f"API={governed.api}", *commands)


def test_an_undo_is_shown_and_then_done(operator: Operator, governed: Governed) -> None:
    assert governed.send().json()["status"] == "succeeded"
    [commands] = under("Undo a change")
    show, undo = commands.splitlines()
    shown = governed.ended(json.loads(paste(operator, governed, show))["changeId"])
    assert (shown["status"], governed.megabytes()) == ("planned", 8)
    done = governed.ended(json.loads(paste(operator, governed, undo))["changeId"])
    assert (done["status"], governed.megabytes()) == ("succeeded", 20)
    assert governed.get(f"/policy-changes/{ID}")["undoneBy"] == done["changeId"]


def test_a_change_and_a_target_are_found(operator: Operator, governed: Governed) -> None:
    governed.send()
    [commands] = under("Find a change")
    listed, one, failed, history = map(json.loads, paste(operator, governed, commands).splitlines())
    assert listed["policyChanges"] == [], "it is not incomplete"
    assert (one["changeId"], one["status"], [result["outcome"] for result in one["results"]]) == (
        ID, "succeeded", ["applied"],
    )  # fmt: skip
    assert failed["results"] == []
    assert ID in json.dumps(history)


def test_a_frozen_stack_takes_no_change_until_it_is_resumed(operator: Operator, governed: Governed) -> None:
    freeze, look, resume = under("Freeze all changes, and resume")[0].splitlines()
    assert json.loads(paste(operator, governed, freeze))["frozen"] is True
    refused = governed.send()
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (503, "frozen")
    assert json.loads(paste(operator, governed, look))["reason"] == "INC-7: wrong list for chat"
    assert governed.megabytes() == 20, "reading works"
    assert json.loads(paste(operator, governed, resume))["frozen"] is False
    assert governed.send().json()["status"] == "succeeded"


def test_a_change_that_has_ended_is_not_cancelled(operator: Operator, governed: Governed) -> None:
    governed.send()
    code = operator.fails(f"API={governed.api}", *under("Cancel a change"))
    assert code == 22, "curl's for an answer that is a problem"
    assert governed.get(f"/policy-changes/{ID}")["status"] == "succeeded"


def test_a_table_is_frozen_by_hand_before_anybody_uses_it(operator: Operator, governed: Governed) -> None:
    frozen = under("Restore the ledger")[3]
    paste(operator, governed, f"AWS_ENDPOINT_URL={governed.dynamodb} RESTORED={governed.table}", frozen)
    assert governed.send().status_code == 503
    told = governed.get("/freeze")
    assert (told["frozen"], told["reason"], told["vouchedBy"]) == (True, "restored from a backup", "nobody")


def test_a_drift_is_found_put_back_and_accepted(governed: Governed, operator: Operator) -> None:
    governed.send(maximumSize="5 MB")
    client("connect", governed.connect).update_attached_files_configuration(
        InstanceId=INSTANCE, AttachmentScope="CHAT", MaximumSizeLimitInBytes=7 * MEGABYTE
    )
    looks, acts = under("Drift")[1:]
    operator.paste(f"API={governed.api}", looks)
    check = governed.ended("INC-9-check")
    assert (check["status"], check["summary"]) == ("planned", {"planned": 1})
    back, _, accept = acts.partition("\n")
    operator.paste(f"API={governed.api}", back)
    assert governed.megabytes() == 5
    operator.paste(f"API={governed.api}", accept)
    assert governed.megabytes() == 8
