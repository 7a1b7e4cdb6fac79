"""What CloudFormation sends to a custom resource's function, and where it waits for the answer.

The bucket checks signatures as Amazon S3 does: "Signing and authenticating REST requests", version 2, with the time of expiry
in the place of the date.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.auth import HmacV1QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SIGNER = HmacV1QueryAuth(Credentials("AKIDEXAMPLE", "secret"), expires=7_200)
SECONDS_TO_ANSWER = 60
OBJECT = "/bucket/arn%3Aaws%3Acloudformation%3Aus-east-1%3A111122223333%3Astack/policies/1%7CPolicy%7Crequest"


@dataclass(frozen=True)
class Arrived:
    """A request for an answer: what was sent, and where."""

    method: str
    target: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)


def is_signed(target: str, headers: dict[str, str]) -> bool:
    """Whether the request meets its URL's signature, of which its `Content-Type` is a part."""
    query = parse_qs(urlsplit(target).query)
    of_bucket = {name: value for name, value in headers.items() if name == "content-type" or name.startswith("x-amz-")}
    request = AWSRequest("PUT", target, headers=of_bucket)
    lines = SIGNER.canonical_string("PUT", urlsplit(urlsplit(target).path), request.headers).split("\n")
    lines[3] = query["Expires"][0]
    return SIGNER.sign_string("\n".join(lines)) == query["Signature"][0]


@contextmanager
def answers() -> Iterator[tuple[Callable[[], str], list[Arrived]]]:
    """A bucket: presigned URLs of it, as CloudFormation's, and what arrived. It refuses what is not signed so."""
    arrived: list[Arrived] = []

    class Bucket(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            fits = is_signed(self.path, headers)
            if fits:
                arrived.append(Arrived(self.command, self.path, headers, body))
            self.send_response(200 if fits else 403)
            self.send_header("content-length", "0")
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


def awaited(arrived: list[Arrived], count: int) -> Arrived:
    """The last of so many answers, which come when the work has ended."""
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while len(arrived) < count:
        assert time.monotonic() < deadline, "no answer"
        time.sleep(0.02)
    assert len(arrived) == count
    return arrived[-1]


def declared(kind: str, url: str, instance: str, name: str = "Policy") -> dict[str, Any]:
    """A request as CloudFormation sends it."""
    values = {"InstanceIds": [instance], "AttachmentScopes": ["CHAT"], "MaximumSize": "9 MB", "AllowedExtensions": ["pdf"]}
    stack = "arn:aws:cloudformation:us-east-1:111122223333:stack/policies/1"
    return {
        "RequestType": kind,
        "RequestId": f"request-{kind}",
        "ResponseURL": url,
        "StackId": stack,
        "LogicalResourceId": name,
        "PhysicalResourceId": "attachment-policy-" + hashlib.sha256(f"{stack}\n{name}".encode()).hexdigest()[:32],
        "ResourceType": "Custom::AttachmentPolicy",
        "ResourceProperties": {"ServiceToken": "arn", **values},
    }
