"""Lambda's Invoke, called by boto3: any payload reaches the function without a queue or a bus."""

import base64
import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import Sandbox
from recorded_aws import ANYBODY

NAME = "connect-attachment-policy"
INSTANCE = "00000002-0000-4000-8000-000000000002"
PLANNED = json.dumps({"instanceId": INSTANCE, "attachmentScope": "CASE", "maximumSize": "3 MB", "dryRun": True})


@pytest.fixture
def client(sandbox: Sandbox):  # noqa: ANN201, boto3's clients have no type of their own
    once = Config(retries={"total_max_attempts": 1})
    return boto3.client("lambda", endpoint_url=sandbox.invoke, config=once, **ANYBODY)


@pytest.mark.parametrize(
    "name",
    [NAME, f"{NAME}:$LATEST", f"arn:aws:lambda:us-east-1:111122223333:function:{NAME}"],
    ids=["name", "version", "ARN"],
)
def test_a_payload_gets_the_function_s_answer(client, name: str) -> None:
    answer = client.invoke(FunctionName=name, Payload=PLANNED, LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read())["status"] == "planned"
    last = base64.b64decode(answer["LogResult"]).decode().splitlines()[-1]
    assert json.loads(last)["message"] == "invocation handled"


def test_a_function_error_is_an_answer(client) -> None:
    answer = client.invoke(FunctionName=NAME, Payload=b'{"instanceId": "x"}')
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    error = json.loads(answer["Payload"].read())
    assert error["errorType"] == "PolicyChangeRejected"
    assert json.loads(error["errorMessage"])["status"] == "rejected"


@pytest.mark.parametrize(("kind", "status"), [("Event", 202), ("DryRun", 204)])
def test_what_is_not_waited_for_has_no_answer(client, kind: str, status: int) -> None:
    answer = client.invoke(FunctionName=NAME, InvocationType=kind, Payload=PLANNED)
    assert (answer["StatusCode"], answer["Payload"].read()) == (status, b"")


@pytest.mark.parametrize(
    ("wrong", "code", "status"),
    [
        ({"FunctionName": "other"}, "ResourceNotFoundException", 404),
        ({"Qualifier": "7"}, "ResourceNotFoundException", 404),
        ({"Payload": b"{"}, "InvalidRequestContentException", 400),
        ({"Payload": b" " * 6_291_457}, "RequestTooLargeException", 413),
        ({"Payload": b" " * 1_048_577, "InvocationType": "Event"}, "RequestTooLargeException", 413),
    ],
    ids=["name", "version", "not JSON", "over 6 MB", "an event over 1 MB"],
)
def test_what_does_not_reach_the_function_is_an_exception(client, wrong, code: str, status: int) -> None:
    with pytest.raises(ClientError) as refused:
        client.invoke(**{"FunctionName": NAME, "Payload": PLANNED, **wrong})
    told = refused.value.response
    assert (told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
