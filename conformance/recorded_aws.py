"""DynamoDB, SQS and STS as moto serves them on loopback, with every call recorded."""

import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import boto3
import pytest
import requests
from conftest import ROOT
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

REGION = "us-east-1"
ANYBODY = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": REGION}

# It has no state of its own, and takes longer to make than most tests
MOTO = DomainDispatcherApplication(create_backend_app)

Tamper = Callable[[Response], Response]


@dataclass(frozen=True)
class Call:
    """One recorded call."""

    operation: str
    parameters: dict[str, Any]
    region: str
    by_function: bool


class Quiet(MotoRequestHandler):
    """Logs nothing: the calls are recorded anyway."""

    def log_request(self, *_: Any) -> None:
        pass


class RecordedAws:
    """An empty moto. A process can have only one at a time."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        # by operation: how to change moto's answers to the function
        self.tampered: dict[str, Tamper] = {}
        self._server = make_server("127.0.0.1", 0, self._serve, threaded=True, request_handler=Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        requests.post(f"{self.url}/moto-api/reset", timeout=30).raise_for_status()
        self.sqs = boto3.client("sqs", endpoint_url=self.url, **ANYBODY)
        self.dynamodb = boto3.client("dynamodb", endpoint_url=self.url, **ANYBODY)
        self.sts = boto3.client("sts", endpoint_url=self.url, **ANYBODY)

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        called = call(environ, body)
        answer = Response.from_app(MOTO, environ, buffered=True)
        if called.by_function and called.operation in self.tampered:
            answer = self.tampered[called.operation](answer)
        # recorded before the answer is sent, so that whoever has the answer finds the call here
        self.calls.append(called)
        return answer(environ, start_response)

    def by_function(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of the function's own calls of an operation, in order."""
        return [
            made.parameters for made in self.calls if made.by_function and made.operation == operation
        ]

    def queue(self, name: str, **attributes: str) -> str:
        """Creates a queue and returns its URL. The name decides whether it is FIFO."""
        if name.endswith(".fifo"):
            attributes["FifoQueue"] = "true"
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def table(self, name: str) -> str:
        """Creates the ledger's table and returns its name."""
        definition = json.loads((ROOT / "sandbox/src/ledger/table.json").read_text())
        expiry = definition.pop("TimeToLiveSpecification")
        self.dynamodb.create_table(TableName=name, **definition)
        self.dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
        return name

    def arn(self, queue: str) -> str:
        """A queue's ARN."""
        answer = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return answer["Attributes"]["QueueArn"]

    def receive(self, queue: str, most: int = 10) -> list[dict[str, Any]]:
        """Receives the visible messages of a queue."""
        answer = self.sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=most,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return answer.get("Messages", [])

    def show(self, queue: str, message: dict[str, Any]) -> None:
        """Lets the time pass until a hidden message is visible again."""
        self.sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )


def call(environ: dict[str, Any], body: bytes) -> Call:
    """SQS has the operation in a header and uses JSON; STS has it in a form."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        operation, parameters = target.rpartition(".")[2], json.loads(body or b"{}")
    else:
        parameters = dict(parse_qsl(body.decode(errors="replace")))
        operation = parameters.get("Action", "")
    scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    agent = environ.get("HTTP_USER_AGENT", "") + environ.get("HTTP_X_AMZ_USER_AGENT", "")
    return Call(operation, parameters, scope[1] if scope else "", "aws-sdk-rust" in agent)


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    """An SQS and an STS for this test alone."""
    started = RecordedAws()
    yield started
    started.stop()
