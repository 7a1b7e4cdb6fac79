"""Checks requests and answers against botocore's model of Amazon Connect."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote

import botocore.loaders
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator
from moto.core.parse import RestJSONParser
from recorder import Exchange
from werkzeug.datastructures import Headers, MultiDict

MODEL = ServiceModel(botocore.loaders.Loader().load_service_model("connect", "service-2"), "connect")
OPERATIONS = {
    name: MODEL.operation_model(name)
    for name in (
        "UpdateAttachedFilesConfiguration",
        "DescribeAttachedFilesConfiguration",
        "ListAttachedFilesConfigurations",
        "ListInstances",
        "DescribeInstance",
    )
}


def operation(exchange: Exchange) -> tuple[OperationModel, dict[str, str]]:
    """The operation of a request, with the decoded labels of its path."""
    for model in OPERATIONS.values():
        template = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", model.http["requestUri"])
        found = re.fullmatch(template, exchange.path)
        if found and model.http["method"] == exchange.method:
            return model, {name: unquote(label) for name, label in found.groupdict().items()}
    raise AssertionError(f"no operation has this request: {exchange.method} {exchange.path}")


def judge_request(exchange: Exchange) -> tuple[str, dict[str, Any]]:
    """Checks a request against the model. Returns its operation and parameters."""
    model, labels = operation(exchange)
    query = parse_qsl(exchange.query, keep_blank_values=True, strict_parsing=bool(exchange.query))
    request = {
        "body": exchange.body,
        "headers": Headers(list(exchange.headers.items())),
        "method": exchange.method,
        "url_params": labels,
        "url_path": exchange.path,
        "values": MultiDict(query),
    }
    parameters = RestJSONParser(model).parse(request)
    assert problems(model.input_shape, parameters) == [], exchange
    # moto's parser reads "1" as 1 and ignores unknown members. The request must not depend on that.
    body = json.loads(exchange.body) if exchange.body else {}
    located = {name for name, shape in model.input_shape.members.items() if "location" in shape.serialization}
    assert body == {name: value for name, value in parameters.items() if name not in located}, exchange
    assert problems(model.input_shape, {**parameters, **body}) == [], exchange
    # botocore would send the same request.
    sent = create_serializer("rest-json").serialize_to_request(parameters, model)
    assert sent["url_path"] == exchange.path, exchange
    assert {name: str(value) for name, value in sent["query_string"].items()} == dict(query), exchange
    assert json.loads(sent["body"] or b"{}") == body, exchange
    if exchange.body:
        assert exchange.headers["content-type"] == "application/json", exchange
    assert "/connect/aws4_request" in exchange.headers["authorization"], exchange
    return model.name, parameters


def judge_answer(exchange: Exchange) -> dict[str, Any]:
    """Checks an answer against the model. Returns it as botocore reads it."""
    model, _ = operation(exchange)
    headers = {name.lower(): value for name, value in exchange.answer_headers.items()}
    raw = {"status_code": exchange.status, "headers": headers, "body": exchange.answer}
    parsed = create_parser("rest-json").parse(raw, model.output_shape)
    assert headers["content-type"] == "application/json", exchange
    assert parsed.pop("ResponseMetadata")["RequestId"] == headers["x-amzn-requestid"], exchange
    if exchange.status != 200:
        code = parsed["Error"]["Code"]
        statuses = {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in MODEL.error_shapes}
        # Every operation can return AccessDenied and throttling, even if its model does not name them.
        assert statuses[code] == exchange.status, exchange
        assert parsed["Error"]["Message"] != "", exchange
        return parsed
    assert problems(model.output_shape, parsed) == [], exchange
    # botocore's parser ignores unknown members too.
    assert problems(model.output_shape, json.loads(exchange.answer)) == [], exchange
    return parsed


def problems(shape: Shape, value: Any) -> list[str]:
    """The errors in a value: those that ParamValidator finds, and those that it leaves to the service."""
    report = ParamValidator().validate(value, shape)
    found = [report.generate_report()] if report.has_errors() else []
    return found or list(constraints(shape, value, shape.name))


def constraints(shape: Shape, value: Any, where: str) -> Any:
    """Enums, patterns and upper bounds, which ParamValidator does not check."""
    match shape.type_name:
        case "structure":
            for name, member in value.items():
                yield from constraints(shape.members[name], member, f"{where}.{name}")
        case "list":
            for index, entry in enumerate(value):
                yield from constraints(shape.member, entry, f"{where}[{index}]")
        case "map":
            for key, entry in value.items():
                yield from constraints(shape.key, key, f"{where} key")
                yield from constraints(shape.value, entry, f"{where}[{key}]")
    metadata = shape.metadata
    if "enum" in metadata and value not in metadata["enum"]:
        yield f"{where}: {value!r} is not one of {metadata['enum']}"
    if "pattern" in metadata and not re.fullmatch(metadata["pattern"], value):
        yield f"{where}: {value!r} does not match {metadata['pattern']}"
    size = value if isinstance(value, int) else len(value) if hasattr(value, "__len__") else None
    if "max" in metadata and size is not None and size > metadata["max"]:
        yield f"{where}: {size} is above {metadata['max']}"
