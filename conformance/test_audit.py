"""Every audit event against OCSF's own schema, and every line of metrics against AWS's.

The lines come from the demo, which this test runs, and, if AUDIT_LINES names a folder, from the Rust tests, which write
to it (`make test` sets the variable).
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import PROGRAM, ROOT
from filter_pattern import matches
from jsonschema_rs import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

OCSF = "1.8.0"
API_ACTIVITY = 6003
# of a drift
COMPLIANCE_FINDING = 2003
DOCUMENT = ROOT / "docs" / "audit.md"
# of every export, as the document has it
PATTERN = '{ $.logger = "audit" }'
EMF = Draft202012Validator(json.loads((Path(__file__).parent / "emf.schema.json").read_text()))
# AWS's page "Specification: Embedded metric format"
LARGEST_EMF_LINE = 256 * 1024
MOST_VALUES = 100
# Enough to see the error: one mistake is often in every line.
SHOWN = 5

# In the demo no answer is lost for good, what is shown of its undo are calls and records, and nobody else changes a target.
NOT_IN_THE_DEMO = {
    "event.unmapped.settled", "event.unmapped.of", "event.unmapped.governed", "event.evidences.0.actor.user.uid",
    "event.evidences.0.src_endpoint.ip", "event.evidences.0.data.at",
}  # fmt: skip

Line = dict[str, Any]


def lines_of(texts: Iterable[str]) -> Iterator[Line]:
    """The JSON objects among the lines. With AWS_LAMBDA_LOG_FORMAT=Text some lines are text."""
    for text in texts:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line


@cache
def demo() -> list[Line]:
    """The lines that the function writes for every payload in events/."""
    assert PROGRAM.is_file(), "no sandbox: build it with `cargo build --workspace`"
    ran = subprocess.run([PROGRAM, "demo", "--json"], cwd=ROOT, capture_output=True, text=True, check=True)
    pages = [json.loads(page) for page in ran.stdout.splitlines()]
    found = [line for page in pages for line in page.get("audit", [])]
    logs = [log for page in pages for log in page.get("log", [])]
    return found + list(lines_of(log if isinstance(log, str) else json.dumps(log) for log in logs))


@cache
def rust_tests() -> list[Line]:
    """The lines that the function wrote in the Rust tests."""
    folder = os.environ.get("AUDIT_LINES")
    if not folder:
        pytest.skip("AUDIT_LINES names no folder; `make test` fills one")
    found = []
    for path in sorted(Path(folder).glob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            found.extend(lines_of(file))
    return found


SOURCES = pytest.mark.parametrize("source", [demo, rust_tests], ids=["demo", "tests"])


def written_by(logger: str, source: Callable[[], list[Line]]) -> list[Line]:
    found = [line for line in source() if line.get("logger") == logger]
    assert found, f"no line of the logger {logger}: the tests wrote nothing, or elsewhere"
    return found


@cache
def validator(class_uid: int, profiles: tuple[str, ...]) -> Draft202012Validator:
    """OCSF's schema of a class with these profiles. It rejects attributes that it does not know.

    The Rust tests write 50,000 events: a validator in Python takes 20 seconds for them, this one less than one.
    """
    schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=OCSF))
    name = schemas.lookup_class_name_from_uid(class_uid=class_uid)
    schema = schemas.get_class_schema(name, profiles=list(profiles))
    assert schema["additionalProperties"] is False
    return Draft202012Validator(schema, validate_formats=True)


def violations(judge: Draft202012Validator, document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where each violation is, as a JSONPath, and what it is."""
    for error in judge.iter_errors(document):
        yield ".".join(["$", *map(str, error.instance_path)]), error.message[:200]


def ocsf_problems(event: dict[str, Any]) -> list[str]:
    judge = validator(event["class_uid"], tuple(event["metadata"]["profiles"]))
    return [f"{where}: {what}" for where, what in violations(judge, event)]


@SOURCES
def test_every_audit_event_is_ocsf(source: Callable[[], list[Line]]) -> None:
    wrong = []
    for line in written_by("audit", source):
        event = line["event"]
        is_drift = event["metadata"]["event_code"] in ("drift", "drift-ended")
        assert event["class_uid"] == (COMPLIANCE_FINDING if is_drift else API_ACTIVITY)
        assert event["metadata"]["version"] == OCSF
        wrong += ocsf_problems(event)
    assert wrong[:SHOWN] == []


@SOURCES
def test_every_audit_line_carries_what_lambda_filters_by(source: Callable[[], list[Line]]) -> None:
    for line in written_by("audit", source):
        assert list(sorted(line)) == ["event", "level", "logger", "timestamp"]
        assert line["level"] in ("INFO", "WARN", "ERROR", "FATAL")


def test_the_pattern_of_the_exports_takes_every_audit_line_and_nothing_else() -> None:
    assert f"```\n{PATTERN}\n```" in DOCUMENT.read_text()
    lines = demo()
    assert {"audit", "metrics"} <= {line.get("logger") for line in lines}
    for line in lines:
        assert matches(PATTERN, json.dumps(line)) is (line.get("logger") == "audit")


def test_an_attribute_that_ocsf_lacks_is_found() -> None:
    """The schema rejects wrong events; otherwise the tests above would prove nothing."""
    event = json.loads(json.dumps(written_by("audit", demo)[0]["event"]))
    event["src_endpoint"]["ip"] = "nowhere"
    event["dry_run"] = True
    del event["actor"]
    found = {where for where, _ in violations(validator(API_ACTIVITY, tuple(event["metadata"]["profiles"])), event)}
    assert found == {"$", "$.src_endpoint.ip"}


@SOURCES
def test_every_metric_line_is_embedded_metric_format(source: Callable[[], list[Line]]) -> None:
    wrong = [problem for line in written_by("metrics", source) for problem in emf_problems(line)]
    assert wrong[:SHOWN] == []


def test_the_documents_lines_are_whole() -> None:
    blocks = re.findall(r"^```json$(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    intent, outcome, metrics = map(json.loads, blocks)
    for line, code in ((intent, "intent"), (outcome, "outcome")):
        assert line["event"]["metadata"]["event_code"] == code
        assert ocsf_problems(line["event"]) == []
    assert list(emf_problems(metrics)) == []


def test_the_documents_queries_name_fields_that_lines_have() -> None:
    blocks = re.findall(r"^```$(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    named = {name for block in blocks for name in re.findall(r"\bevent\.[\w.]+", block)}
    assert named
    assert named - fields(demo) == NOT_IN_THE_DEMO


def test_what_the_demo_has_no_line_of_the_tests_have() -> None:
    assert NOT_IN_THE_DEMO - fields(rust_tests) == set()
    codes = {line["event"]["metadata"]["event_code"] for line in written_by("audit", rust_tests)}
    assert {"drift", "drift-ended"} <= codes


def fields(source: Callable[[], list[Line]]) -> set[str]:
    return {name for line in written_by("audit", source) for name in flat("", line)}


def flat(name: str, value: Any) -> Iterator[str]:
    """The field names of a line, as Logs Insights spells them."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    yield name
    for key, member in members:
        yield from flat(f"{name}.{key}".removeprefix("."), member)


def emf_problems(line: Line) -> Iterator[str]:
    yield from (f"{where}: {what}" for where, what in violations(EMF, line))
    yield from dangling(line)


def dangling(line: Line) -> Iterator[str]:
    """References from `_aws` to the root that do not find what the specification requires."""
    if len(json.dumps(line)) > LARGEST_EMF_LINE:
        yield "the line is longer than CloudWatch takes"
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for dimension in {name for names in directive["Dimensions"] for name in names}:
            if not isinstance(line.get(dimension), str) or not line[dimension]:
                yield f"the dimension {dimension} is no string"
        for metric in directive["Metrics"]:
            value = line.get(metric["Name"])
            values = value if isinstance(value, list) else [value]
            if not 1 <= len(values) <= MOST_VALUES:
                yield f"{metric['Name']} has {len(values)} values"
            if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in values):
                yield f"{metric['Name']} is no number"
