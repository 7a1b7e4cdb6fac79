"""What CloudFormation sends to a custom resource's function, and where it waits for the answer."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from botocore.auth import HmacV1QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SIGNER = HmacV1QueryAuth(Credentials("AKIDEXAMPLE", "secret"), expires=7_200)
OBJECT = "/bucket/arn%3Aaws%3Acloudformation%3Aus-east-1%3A111122223333%3Astack/policies/1%7CPolicy%7Crequest"


@dataclass(frozen=True)
class Arrived:
    """A request for an answer: what was sent, and where."""

    method: str
    target: str
    headers: dict[str, str]
    body: dict[str, Any]


@contextmanager
def answers() -> Iterator[tuple[Callable[[], str], list[Arrived]]]:
    """A bucket: presigned URLs of it (signature version 2, as CloudFormation's), and what arrived."""
    arrived: list[Arrived] = []

    class Bucket(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            arrived.append(Arrived(self.command, self.path, headers, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    Thread(target=server.serve_forever, daemon=True).start()

    def url() -> str:
        request = AWSRequest("PUT", f"http://127.0.0.1:{server.server_port}{OBJECT}")
        SIGNER.add_auth(request)
        return request.url

    try:
        yield url, arrived
    finally:
        server.shutdown()
        server.server_close()


def declared(kind: str, url: str, instance: str) -> dict[str, Any]:
    """A request as CloudFormation sends it."""
    values = {"InstanceIds": [instance], "AttachmentScopes": ["CHAT"], "MaximumSize": "9 MB", "AllowedExtensions": ["pdf"]}
    return {
        "RequestType": kind,
        "RequestId": f"request-{kind}",
        "ResponseURL": url,
        "StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/policies/1",
        "LogicalResourceId": "Policy",
        "PhysicalResourceId": "of-before",
        "ResourceType": "Custom::AttachmentPolicy",
        "ResourceProperties": {"ServiceToken": "arn", **values},
    }
