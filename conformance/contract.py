"""Checks answers against openapi.yaml."""

from pathlib import Path
from typing import Any

import requests
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

ROOT = Path(__file__).parent.parent
# in the order of the header `Allow`
METHODS = ("get", "put", "patch", "post", "delete")


class Contract:
    """The document, its examples and its schemas."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text())
        components = self.document["components"]
        # Callers must ignore members that a later version adds; the tests must not.
        closed = {"components": {**components, "schemas": close(components["schemas"])}}
        resource = DRAFT202012.create_resource(closed)
        self._registry = Registry().with_resource("openapi", resource)

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """What a `$ref` refers to."""
        while "$ref" in node:
            found: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def operations(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Path, method, operation."""
        paths = self.document["paths"].items()
        return [(path, method, item[method]) for path, item in paths for method in METHODS if method in item]

    def parameters(self, path: str, method: str) -> dict[str, dict[str, Any]]:
        """An operation's parameters by name, those of its path first."""
        item = self.document["paths"][path]
        listed = item.get("parameters", []) + item[method].get("parameters", [])
        return {found["name"]: found for found in map(self.resolve, listed)}

    def problems_of(self, schema: dict[str, Any], value: Any) -> list[str]:
        """The errors in a value, one line each."""
        validator = Draft202012Validator(
            absolute(schema),
            registry=self._registry,
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    def check(self, path: str, method: str, response: requests.Response) -> Any:
        """Checks that an answer's status, headers, media type and body are as documented. Returns the body."""
        responses = self.document["paths"][path][method]["responses"]
        exchange = f"{method} {path} {response.status_code} {response.text}"
        assert str(response.status_code) in responses, f"an undocumented status: {exchange}"
        documented = self.resolve(responses[str(response.status_code)])
        for name, header in documented.get("headers", {}).items():
            header = self.resolve(header)
            if name in response.headers:
                sent: Any = response.headers[name]
                sent = int(sent) if header["schema"].get("type") == "integer" else sent
                assert self.problems_of(header["schema"], sent) == [], f"{name} of {exchange}"
            assert name in response.headers or not header.get("required"), f"no {name}: {exchange}"
        content_type = response.headers["Content-Type"].split(";")[0]
        assert content_type in documented["content"], f"an undocumented media type: {exchange}"
        body = response.json()
        schema = documented["content"][content_type]["schema"]
        assert self.problems_of(schema, body) == [], exchange
        return body


def close(schema: Any) -> Any:
    """The same schema, but objects may only have the members that it names."""
    if isinstance(schema, list):
        return [close(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: close(value) for key, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed


def absolute(schema: Any) -> Any:
    """The same schema, with references into the registry's document."""
    if isinstance(schema, list):
        return [absolute(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    references = {"$ref": "openapi" + schema["$ref"]} if "$ref" in schema else {}
    return {**{key: absolute(value) for key, value in schema.items()}, **references}
