"""The calls in docs/http-api.md work exactly as they are printed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conftest import ROOT, UNPACED, serving
from contract import Contract

PAGE = (ROOT / "docs" / "http-api.md").read_text()


def blocks(language: str) -> list[str]:
    """The page's blocks of this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


SIGNED, _, RELEASE = blocks("sh")
CHANGE, UNDO, RESTORE = blocks("python")


def environment(api: str, home: Path) -> dict[str, str]:
    """The variables that the page tells you to set, without this machine's own AWS configuration."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "NO_PROXY": "127.0.0.1",
        "API": api,
        "SERVICE": "lambda",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_SESSION_TOKEN": "any",
    }


def printed(command: list[str], api: str, home: Path) -> str:
    run = subprocess.run(command, env=environment(api, home), capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("mode", ["serve", "govern"])
def test_the_call_in_curl_is_a_dry_run(mode: str, tmp_path: Path) -> None:
    with serving(tmp_path / "log", *UNPACED, command=mode) as sandbox:
        report = json.loads(printed(["sh", "-euc", SIGNED], sandbox.function, tmp_path))
    assert (report["changeId"], report["status"], report["summary"]) == ("CHG-2041", "planned", {"planned": 1})


@pytest.mark.parametrize(("mode", "type_"), [("serve", "not-found"), ("govern", "not-declared")])
def test_what_no_stack_declares_cannot_be_released(mode: str, type_: str, tmp_path: Path) -> None:
    with serving(tmp_path / "log", *UNPACED, command=mode) as sandbox:
        problem = json.loads(printed(["sh", "-euc", RELEASE], sandbox.function, tmp_path))
    assert (problem["status"], problem["type"].rpartition(":")[2]) == (404, type_)


@pytest.mark.parametrize("mode", ["serve", "govern"])
def test_the_call_in_python_applies_a_change(mode: str, tmp_path: Path) -> None:
    with serving(tmp_path / "log", *UNPACED, command=mode) as sandbox:
        status, _, document = printed([sys.executable, "-c", CHANGE], sandbox.function, tmp_path).partition(" ")
    report = json.loads(document)
    assert (status, report["changeId"], report["summary"]) == ("200", "CHG-2041", {"applied": 1})


def test_it_follows_a_change_that_is_queued_and_undoes_it(tmp_path: Path) -> None:
    one = '"instanceId": "00000001-0000-4000-8000-000000000001"'
    assert CHANGE.count(one) == 1
    script = CHANGE.replace(one, '"instanceId": "*"') + UNDO
    # 30 reads and 30 updates are too long for a request of 5 seconds
    pace = ("--rate=0", "--timeout=5", "--env=CONNECT_REQUESTS_PER_SECOND=8", "--env=CONNECT_BURST=1")
    with serving(tmp_path / "log", "--instances=30", *pace, command="govern") as sandbox:
        shown = printed([sys.executable, "-c", script], sandbox.function, tmp_path)
    record, _, undone = shown.strip().rpartition("\n")
    status, _, document = record.partition(" ")
    record = json.loads(document)
    assert (status, record["status"], record["summary"]) == ("200", "succeeded", {"applied": 30})
    assert record["lanes"] != [], "it was queued"
    assert json.loads(undone) == {"applied": 30}


def test_what_it_has_set_is_put_back(tmp_path: Path) -> None:
    with serving(tmp_path / "log", *UNPACED, command="govern") as sandbox:
        shown = printed([sys.executable, "-c", CHANGE + RESTORE], sandbox.function, tmp_path)
    assert json.loads(shown.strip().rpartition("\n")[2]) == {"unchanged": 1}, "nobody changed it meanwhile"


def test_the_page_has_a_row_for_every_documented_status() -> None:
    section = PAGE.split("## What to do with an answer\n")[1].split("\n### ")[0]
    cells = re.findall(r"^\| ([^|]*) \|", section, re.MULTILINE)
    told = {status for cell in cells for status in re.findall(r"\b\d{3}\b", re.sub(r"\]\(.*?\)", "]", cell))}
    documented = {status for _, _, operation in Contract().operations() for status in operation["responses"]}
    # 500 never comes from the function; the page lists it among the answers from AWS
    assert told == documented - {"500"}


def test_every_link_leads_somewhere() -> None:
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    for link in re.findall(r"\]\(([^)]*)\)", PAGE):
        parts = urlsplit(link)
        assert parts.path or parts.fragment in anchors, link
        assert not parts.path or (ROOT / "docs" / parts.path).is_file(), link
