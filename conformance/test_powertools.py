"""Powertools for AWS Lambda as a second implementation that reads the events and writes the answers."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import events
import pytest
from aws import client
from aws_lambda_powertools.event_handler import (
    APIGatewayHttpResolver,
    APIGatewayRestResolver,
    LambdaFunctionUrlResolver,
    Response,
)
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes import (
    APIGatewayProxyEvent,
    APIGatewayProxyEventV2,
    EventBridgeEvent,
    LambdaFunctionUrlEvent,
    SQSEvent,
)
from aws_lambda_powertools.utilities.parser import models
from conftest import UNPACED, Sandbox
from pydantic import BaseModel, Json

MODELS: dict[str, list[type[BaseModel]]] = {
    "http": [models.APIGatewayProxyEventV2Model, models.LambdaFunctionUrlModel],
    "rest": [models.APIGatewayProxyEventModel],
    "event-bridge": [models.EventBridgeModel],
    "sqs": [models.SqsModel],
    # one for each type of request: below
    "cloudformation": [],
    # a policy change as the whole payload is this project's own format
    "bare": [],
}
RESOLVERS = {
    "http": [APIGatewayHttpResolver, LambdaFunctionUrlResolver],
    "rest": [APIGatewayRestResolver],
}
CONTEXT = SimpleNamespace(aws_request_id="1", function_name="f", get_remaining_time_in_millis=lambda: 1_000)


class EventWithText(models.EventBridgeModel):
    """An event whose detail is a string that contains JSON, as EventBridge Scheduler and input transformers send it."""

    detail: Json[dict[str, Any]]  # type: ignore[assignment]


def of(*triggers: str) -> Any:
    """The files of some triggers, as parameters."""
    files = [event for event in events.ALL if events.trigger(event) in triggers]
    return pytest.mark.parametrize("event", files, ids=lambda event: event.name)


@of(*MODELS)
def test_its_parser_reads_every_event_it_has_a_model_for(event: Path) -> None:
    payload = json.loads(event.read_text())
    for model in MODELS[events.trigger(event)]:
        if isinstance(payload.get("detail"), str):
            model = EventWithText
        model.model_validate(payload)


OF_STACKS = {
    "Create": models.CloudFormationCustomResourceCreateModel,
    "Update": models.CloudFormationCustomResourceUpdateModel,
    "Delete": models.CloudFormationCustomResourceDeleteModel,
}


def test_its_parser_reads_every_type_of_request_of_a_stack() -> None:
    requests = [json.loads(event.read_text()) for event in events.OF_STACKS]
    assert {request["RequestType"] for request in requests} == set(OF_STACKS)
    for request in requests:
        read = OF_STACKS[request["RequestType"]].model_validate(request)
        # it knows every member
        assert read.model_dump(mode="json", by_alias=True) == request


# ---- Its event data classes see what the function sees ----


@of("http")
def test_its_data_classes_read_a_request_of_payload_2_0(event: Path) -> None:
    payload = json.loads(event.read_text())
    for kind in (APIGatewayProxyEventV2, LambdaFunctionUrlEvent):
        read = kind(payload)
        assert read.http_method == payload["requestContext"]["http"]["method"]
        assert read.path == payload["rawPath"]
        assert read.headers["Content-Type"].startswith("application/json")
        assert read.request_context.stage == "$default"
        assert read.request_context.http.source_ip == payload["requestContext"]["http"]["sourceIp"]
        assert read.request_context.authorizer.iam.user_arn.startswith("arn:aws:")
        if events.is_malformed(event):
            with pytest.raises(json.JSONDecodeError):
                assert read.json_body
        else:
            body = base64.b64decode(payload["body"]) if payload["isBase64Encoded"] else payload["body"]
            assert read.json_body == json.loads(body)


@of("rest")
def test_its_data_class_reads_a_request_of_payload_1_0(event: Path) -> None:
    read = APIGatewayProxyEvent(json.loads(event.read_text()))
    assert read.request_context.request_id != ""
    assert read.request_context.identity.user_arn.startswith("arn:aws:")
    assert isinstance(read.json_body, dict)


@of("event-bridge")
def test_its_data_class_reads_an_event(event: Path) -> None:
    payload = json.loads(event.read_text())
    read = EventBridgeEvent(payload)
    assert (read.get_id, read.source, read.detail_type) == (payload["id"], payload["source"], payload["detail-type"])
    assert read.replay_name == payload.get("replay-name")
    assert read.detail == payload["detail"]


@of("sqs")
def test_its_data_class_reads_a_batch(event: Path) -> None:
    records = list(SQSEvent(json.loads(event.read_text())).records)
    assert [record.attributes.message_group_id for record in records] == ["attachment-policy"] * 2
    assert records[0].json_body["changeId"].startswith("CHG-")
    assert EventBridgeEvent(records[1].json_body).source == "com.example.policy"


# ---- The function's answers are what Powertools would have answered ----


def invoke(sandbox: Sandbox, event: Path) -> Any:
    answer = client("lambda", sandbox.invoke).invoke(
        FunctionName="connect-attachment-policy", Payload=event.read_bytes()
    )
    return json.load(answer["Payload"])


@of("http", "rest")
def test_an_http_answer_has_the_shape_of_powertools_own(sandbox: Sandbox, event: Path) -> None:
    given = invoke(sandbox, event)
    assert given["isBase64Encoded"] is False
    headers = dict(given["headers"])
    content_type = headers.pop("content-type")
    for resolver in RESOLVERS[events.trigger(event)]:
        app = resolver()

        @app.route(".+", method=["POST", "PATCH", "GET"])
        def answer() -> Response:
            return Response(given["statusCode"], content_type, given["body"], headers=dict(headers))

        theirs = app.resolve(json.loads(event.read_text()), CONTEXT)
        assert (theirs["statusCode"], theirs["body"]) == (given["statusCode"], given["body"])
        assert theirs["isBase64Encoded"] is False
        # a REST API uses headers with several values; API Gateway accepts either form
        several = {name: values[0] for name, values in theirs.get("multiValueHeaders", {}).items()}
        flat = {name.lower(): value for name, value in (theirs.get("headers") or several).items()}
        assert flat == {**headers, "content-type": content_type}


@of("sqs")
def test_a_batch_without_a_failure_is_answered_as_powertools_does(sandbox: Sandbox, event: Path) -> None:
    assert invoke(sandbox, event) == processed(event, lambda record: None)


@of("sqs")
def test_a_failed_record_takes_the_later_ones_with_it_as_in_powertools_fifo_processor(
    serve: Callable[..., Sandbox], event: Path
) -> None:
    sandbox = serve(*UNPACED, "--fault=500=1", "--env=CONNECT_MAX_ATTEMPTS=1")

    def fail(record: object) -> None:
        raise RuntimeError("for now")

    answer = invoke(sandbox, event)
    assert answer == processed(event, fail)
    assert len(answer["batchItemFailures"]) == 2


def processed(event: Path, handle: Callable[[Any], None]) -> Any:
    """What Powertools' FIFO processor answers to a batch."""
    processor = SqsFifoPartialProcessor()
    processor.raise_on_entire_batch_failure = False
    return process_partial_response(json.loads(event.read_text()), handle, processor, CONTEXT)
