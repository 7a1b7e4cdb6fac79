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

CONTRACT = Contract()
SCHEMAS = CONTRACT.document["components"]["schemas"]
URN = "urn:problem-type:connect-attachment-policy:"
# It shows the API's own spelling, which the request schemas omit so that they stay readable.
NOT_THE_PLAIN_SPELLING = {"succeeded-api-spelling"}


def test_the_document_is_valid_openapi() -> None:
    validate(CONTRACT.document)


def request_examples() -> list[Any]:
    """Every documented body: path, method, its name, the example."""
    found = []
    for path, method, operation in CONTRACT.operations():
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for name, example in body.get("examples", {}).items():
            found.append(pytest.param(path, method, name, CONTRACT.resolve(example), id=name))
    return found


def read_examples() -> list[Any]:
    """Every documented path of a GET: path, the instance, the status."""
    found = []
    for path, method, _ in CONTRACT.operations():
        if method == "get":
            instances = CONTRACT.parameters(path, method)["instanceId"]["examples"]
            for name, example in instances.items():
                found.append(pytest.param(path, example, id=f"{path} of {name}"))
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
    """A sandbox in which the target of the `ifUnmodifiedSince` example has been changed."""
    path = "/instances/00000003-0000-4000-8000-000000000003/attachment-policies/CASE"
    answer = requests.patch(sandbox.function + path, json={"maximumSize": "3 MB"}, timeout=30)
    assert answer.json()["summary"] == {"applied": 1}
    return sandbox


@pytest.mark.parametrize(("path", "method", "name", "example"), request_examples())
def test_a_documented_request_leads_to_what_its_name_says(
    changed: Sandbox, path: str, method: str, name: str, example: dict[str, Any]
) -> None:
    parameters = CONTRACT.parameters(path, method)
    first = {
        key: next(iter(found["examples"].values()))["value"]
        for key, found in parameters.items()
        if found["in"] == "path"
    }
    given = first | example.get("x-parameters", {})
    of = {
        place: {key: given[key] for key, found in parameters.items() if found["in"] == place and key in given}
        for place in ("path", "query", "header")
    }
    answer = requests.request(
        method,
        url(changed.function, path, of["path"]),
        params=of["query"],
        headers=of["header"],
        json=example["value"],
        timeout=30,
    )
    body = CONTRACT.check(path, method, answer)
    assert answer.status_code == example["x-leads-to"], answer.text
    led_to = body["type"].removeprefix(URN) if answer.status_code >= 400 else body["status"]
    assert name == led_to or name.startswith(f"{led_to}-")


@pytest.mark.parametrize(("path", "instance"), read_examples())
def test_a_documented_read_leads_to_its_status(sandbox: Sandbox, path: str, instance: dict[str, Any]) -> None:
    answer = requests.get(
        url(sandbox.function, path, {"instanceId": instance["value"], "scope": "CHAT"}), timeout=30
    )
    CONTRACT.check(path, "get", answer)
    assert answer.status_code == instance["x-leads-to"], answer.text


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
def test_a_path_has_the_documented_methods_and_no_others(sandbox: Sandbox, path: str) -> None:
    item = CONTRACT.document["paths"][path]
    documented = ", ".join(method.upper() for method in METHODS if method in item)
    instance = "00000001-0000-4000-8000-000000000001"
    for method in ("DELETE", "HEAD", "OPTIONS", "PUT"):
        answer = requests.request(
            method, url(sandbox.function, path, {"instanceId": instance, "scope": "CHAT"}), timeout=30
        )
        assert (answer.status_code, answer.headers["Allow"]) == (405, documented), method


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
