"""openapi.yaml is valid, its examples are correct, and it agrees with the other documents.

policy-core/tests/it/openapi.rs compares its enumerations, limits and routes with the code.
"""

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
import requests
from openapi_spec_validator import validate

from conftest import Sandbox
from contract import METHODS, ROOT, Contract
from recorded_changes import modify, record, wait_until_idle

CONTRACT = Contract()
SCHEMAS = CONTRACT.document["components"]["schemas"]
URN = "urn:problem-type:connect-attachment-policy:"
# It shows the API's own spelling, which the request schemas omit so that they stay readable.
NOT_THE_PLAIN_SPELLING = {"succeeded-api-spelling"}


def test_the_document_is_valid_openapi() -> None:
    validate(CONTRACT.document)


# The operations that need a ledger
OF_THE_LEDGER = [found for found in CONTRACT.operations() if set(found[2]["tags"]) & {"records", "freeze"}]


def request_examples(needs_ledger: bool = True) -> list[Any]:
    """Every documented body: path, method, its name, the example."""
    found = []
    for path, method, operation in CONTRACT.operations():
        if not needs_ledger and (path, method, operation) in OF_THE_LEDGER:
            continue
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for name, example in body.get("examples", {}).items():
            found.append(pytest.param(path, method, name, CONTRACT.resolve(example), id=name))
    return found


def in_path(path: str, method: str) -> dict[str, dict[str, Any]]:
    """The examples of an operation's parameters of the path."""
    parameters = CONTRACT.parameters(path, method).items()
    return {name: found["examples"] for name, found in parameters if found["in"] == "path"}


def first_of(examples: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The first example of each parameter."""
    return {name: next(iter(found.values()))["value"] for name, found in examples.items()}


def read_examples() -> list[Any]:
    """Every documented path of a GET: path, the values of its parameters, the status."""
    found = []
    for path, method, _ in CONTRACT.operations():
        if method != "get":
            continue
        examples = in_path(path, method)
        if not examples:
            found.append(pytest.param(path, {}, 200, id=path))
        for parameter, values in examples.items():
            for name, example in values.items():
                given = first_of(examples) | {parameter: example["value"]}
                # a target's past is not asked of Amazon Connect, and is empty where there is none
                is_past = path.endswith("/history")
                leads_to = 200 if is_past else example["x-leads-to"]
                found.append(pytest.param(path, given, leads_to, id=f"{path} of {parameter} {name}"))
    return found


def answer_examples() -> list[Any]:
    """Every documented answer: the schema, the example."""
    found = []
    for path, method, operation in CONTRACT.operations():
        for status, response in operation["responses"].items():
            for content in CONTRACT.resolve(response)["content"].values():
                for name, example in content.get("examples", {}).items():
                    value = CONTRACT.resolve(example)["value"]
                    found.append(
                        pytest.param(content["schema"], value, id=f"{method} {path} {status} {name}")
                    )
    return found


def url(base: str, path: str, values: dict[str, str]) -> str:
    """A path with its parameters filled in."""
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return base + path


@pytest.fixture(scope="module")
def changed(sandbox: Sandbox) -> Sandbox:
    """A sandbox in which something has been changed."""
    modify(sandbox.function)
    return sandbox


@pytest.fixture(scope="module")
def recorded(recording: Sandbox) -> Sandbox:
    """A sandbox with a ledger that has the changes of the examples."""
    modify(recording.function)
    record(recording.function)
    return recording


@pytest.fixture
def idle(recorded: Sandbox) -> Sandbox:
    """The same without a run under way: a relative change is queued behind the work of its lane."""
    wait_until_idle(recorded.function)
    return recorded


def assert_leads_to_its_name(base: str, path: str, method: str, name: str, example: dict[str, Any]) -> None:
    parameters = CONTRACT.parameters(path, method)
    given = first_of(in_path(path, method)) | example.get("x-parameters", {})
    of = {
        place: {key: given[key] for key, found in parameters.items() if found["in"] == place and key in given}
        for place in ("path", "query", "header")
    }
    body = dict(example["value"])
    if taken := example.get("x-takes"):
        body[taken] = requests.get(f"{base}/policy-changes/{given['changeId']}", timeout=30).json()[taken]
    answer = requests.request(
        method,
        url(base, path, of["path"]),
        params=of["query"],
        headers=of["header"],
        json=body,
        timeout=30,
    )
    if path == "/freeze":
        requests.delete(f"{base}/freeze", timeout=30)
    told = CONTRACT.check(path, method, answer)
    assert answer.status_code == example["x-leads-to"], answer.text
    led_to = told["type"].removeprefix(URN) if answer.status_code >= 400 else told.get("status", "frozen")
    assert name == led_to or name.startswith(f"{led_to}-")


@pytest.mark.parametrize(("path", "method", "name", "example"), request_examples())
def test_a_documented_request_leads_to_what_its_name_says(
    idle: Sandbox, path: str, method: str, name: str, example: dict[str, Any]
) -> None:
    assert_leads_to_its_name(idle.function, path, method, name, example)


@pytest.mark.parametrize(("path", "method", "name", "example"), request_examples(needs_ledger=False))
def test_it_leads_to_the_same_without_a_ledger(
    changed: Sandbox, path: str, method: str, name: str, example: dict[str, Any]
) -> None:
    assert_leads_to_its_name(changed.function, path, method, name, example)


@pytest.mark.parametrize(("path", "method"), [(path, method) for path, method, _ in OF_THE_LEDGER])
def test_what_needs_a_ledger_does_not_exist_without_one(sandbox: Sandbox, path: str, method: str) -> None:
    answer = requests.request(method, url(sandbox.function, path, first_of(in_path(path, method))), timeout=30)
    if path == "/policy-changes":
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        return
    told = CONTRACT.check(path, method, answer)
    assert (answer.status_code, told["type"]) == (404, f"{URN}not-found")


@pytest.mark.parametrize(("path", "given", "leads_to"), read_examples())
def test_a_documented_read_leads_to_its_status(
    recorded: Sandbox, path: str, given: dict[str, str], leads_to: int
) -> None:
    answer = requests.get(url(recorded.function, path, given), timeout=30)
    CONTRACT.check(path, "get", answer)
    assert answer.status_code == leads_to, answer.text


@pytest.mark.parametrize(("schema", "value"), answer_examples())
def test_a_documented_answer_fits_its_schema(schema: dict[str, Any], value: Any) -> None:
    assert CONTRACT.problems_of(schema, value) == []


@pytest.mark.parametrize(("path", "method", "name", "example"), request_examples())
def test_a_request_that_is_understood_fits_the_schema(
    path: str, method: str, name: str, example: dict[str, Any]
) -> None:
    body = CONTRACT.document["paths"][path][method]["requestBody"]["content"]["application/json"]
    if example["x-leads-to"] not in {400, 422} and name not in NOT_THE_PLAIN_SPELLING:
        assert CONTRACT.problems_of(body["schema"], example["value"]) == []


@pytest.mark.parametrize("path", CONTRACT.document["paths"])
def test_a_path_has_the_documented_methods_and_no_others(recording: Sandbox, path: str) -> None:
    item = CONTRACT.document["paths"][path]
    documented = [method.upper() for method in METHODS if method in item]
    given = first_of(in_path(path, documented[0].lower()))
    for method in {"DELETE", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"} - set(documented):
        answer = requests.request(method, url(recording.function, path, given), timeout=30)
        assert (answer.status_code, answer.headers["Allow"]) == (405, ", ".join(documented)), method


def test_the_fields_of_a_change_are_the_documented_ones() -> None:
    """policy-core/tests/it/documentation.rs compares the schema of events with the code."""
    events = json.loads((ROOT / "docs/schema/policy-change.schema.json").read_text())
    fields = set(events["definitions"]["change"]["properties"])
    targets = {"instanceId", "instanceIds", "instanceTags", "attachmentScope", "attachmentScopes"}
    assert set(SCHEMAS["PolicyChange"]["properties"]) == fields
    assert set(SCHEMAS["ValuesOnly"]["properties"]) == fields - targets


def test_the_problem_types_are_the_documented_ones() -> None:
    """policy-core/tests/it/documentation.rs compares docs/problems.md with the code."""
    explained = (ROOT / "docs/problems.md").read_text()
    rows = re.findall(r"^### ([a-z-]+)\n\n(\d+)\. ", explained, re.MULTILINE)
    documented = set()
    for _, _, operation in CONTRACT.operations():
        for status, response in operation["responses"].items():
            content = CONTRACT.resolve(response)["content"].get("application/problem+json")
            if content:
                kind = content["schema"]["allOf"][1]["properties"]["type"]
                types = kind.get("enum", [kind.get("const")])
                documented |= {(status, name.removeprefix(URN)) for name in types}
    assert {(status, name) for name, status in rows} == documented
