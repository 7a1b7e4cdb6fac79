"""The documentation, read as its readers do: documents are sent and links followed.

The requests of openapi.yaml are sent by test_openapi.py, the commands are run by test_docs_commands.py.
"""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests
import yaml
from conftest import Sandbox
from contract import Contract
from pages import PAGES, ROOT, Block, anchors, every, links

# A document that is no policy change has one of these members at its top.
OTHER_DOCUMENTS = {"event": "a line of the audit log", "_aws": "a line of metrics", "detail-type": "an event", "Retry": "Step Functions"}
# What nothing here can run: diagrams, output, TypeScript, and the query languages of AWS.
UNREAD = {"mermaid", "text", "", "ts", "sql"}


def loaded(block: Block) -> Any:
    """A block's document; a part of one, such as a member with its name, is put into braces."""
    try:
        return json.loads(block.text)
    except json.JSONDecodeError:
        return json.loads("{" + block.text + "}")


def is_change(block: Block) -> bool:
    document = loaded(block)
    return not (isinstance(document, dict) and OTHER_DOCUMENTS.keys() & document.keys())


def is_shown_as_refused(block: Block) -> bool:
    """By the line before it, or by the section it is in."""
    return re.search(r"\brefused\b", block.before) is not None or block.heading == "Refused"


CODES = set(Contract().document["components"]["schemas"]["ViolationCode"]["enum"])
CHANGES = [block for block in every("json") if is_change(block)]


@pytest.mark.parametrize("block", CHANGES, ids=str)
def test_a_policy_change_is_taken_unless_it_is_shown_as_refused(guarded: Sandbox, block: Block) -> None:
    answer = requests.post(
        f"{guarded.function}/policy-changes", params={"dryRun": "true"}, json=loaded(block), timeout=30
    )
    # a check for drift is always queued
    taken = 202 if "checkDrift" in loaded(block) else 200
    assert answer.status_code == (422 if is_shown_as_refused(block) else taken), answer.text
    if is_shown_as_refused(block):
        named = set(re.findall(r"`(\w+)`", block.before)) & CODES
        assert named <= {violation["code"] for violation in answer.json()["violations"]}


def test_there_are_changes_of_both_kinds() -> None:
    refused = sum(map(is_shown_as_refused, CHANGES))
    assert refused >= 5
    assert len(CHANGES) - refused >= 5


@pytest.mark.parametrize("block", every("json", "json policy"), ids=str)
def test_a_block_of_json_is_json(block: Block) -> None:
    loaded(block)


@pytest.mark.parametrize("block", every("json policy"), ids=str)
def test_an_iam_policy_has_whole_statements(block: Block) -> None:
    policy = json.loads(block.text)
    assert policy["Version"] == "2012-10-17"
    for statement in policy["Statement"]:
        assert {"Effect", "Action", "Resource"} <= statement.keys()


@pytest.mark.parametrize("block", every("yaml"), ids=str)
def test_a_block_of_yaml_is_yaml(block: Block) -> None:
    class WithIntrinsics(yaml.SafeLoader):
        """CloudFormation's `!Ref` and the like."""

    WithIntrinsics.add_multi_constructor("!", lambda *_: None)
    assert isinstance(yaml.load(block.text, WithIntrinsics), dict | list)


@pytest.mark.parametrize("block", every("python"), ids=str)
def test_a_block_of_python_compiles(block: Block) -> None:
    compile(block.text, str(block), "exec")


def test_every_kind_of_block_is_known() -> None:
    kinds = {"json", "json policy", "yaml", "toml", "python", "sh", "console"}
    assert [str(block) for block in every() if block.language not in kinds | UNREAD] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    lost = []
    for link in links(page):
        if re.match(r"[a-z][a-z+.-]*:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or not target.is_relative_to(ROOT):
            lost.append(f"{link}: no such file")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            lost.append(f"{link}: no such heading")
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_of_the_repository_that_is_named_is_there(page: Path) -> None:
    """A code span that begins with one of the repository's directories, up to its first placeholder."""
    named = re.findall(
        r"`((?:src|tests|docs|events|conformance|sandbox|benches|packaging|acceptance)/[\w./-]+)[`:#]", page.read_text()
    )
    assert [name for name in named if not (ROOT / name).exists()] == []
