"""The calls in docs/http-api.md work exactly as they are printed."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conftest import ROOT, UNPACED, Sandbox
from contract import Contract

PAGE = (ROOT / "docs" / "http-api.md").read_text()


def block(language: str) -> str:
    """The page's only block of this language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(found) == 1
    return found[0]


@pytest.fixture
def environment(serve: Callable[..., Sandbox], tmp_path: Path) -> dict[str, str]:
    """The variables that the page tells you to set, for a sandbox, without this machine's own AWS configuration."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "NO_PROXY": "127.0.0.1",
        "API": serve(*UNPACED).function,
        "SERVICE": "lambda",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_SESSION_TOKEN": "any",
    }


def test_the_call_in_curl_is_a_dry_run(environment: dict[str, str]) -> None:
    run = subprocess.run(["sh", "-euc", block("sh")], env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert (report["changeId"], report["status"], report["summary"]) == ("CHG-2041", "planned", {"planned": 1})


def test_the_call_in_python_applies_a_change(environment: dict[str, str]) -> None:
    run = subprocess.run(
        [sys.executable, "-c", block("python")], env=environment, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    status, _, document = run.stdout.partition(" ")
    report = json.loads(document)
    assert (status, report["changeId"], report["summary"]) == ("200", "CHG-2041", {"applied": 1})


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
