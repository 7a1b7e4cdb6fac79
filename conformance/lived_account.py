"""What AWS does around the deployed functions: API Gateway, the rule's deliveries, and the log's way to CloudWatch.

The bus and the rule's target are moto's; table, queues, mappings and the sweep's schedule are the sandbox's.
"""

import json
import re
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import requests
from conftest import Sandbox
from lambda_service import Function
from recorded_aws import ANYBODY, RecordedAws
from stand_in import FUNCTIONS, GROUP, StandIn


class Gateway:
    """API Gateway before the function: it denies what is not signed."""

    def __init__(self, function: str) -> None:
        self.is_down = False
        # whether a change that the freeze refuses is said to be done all the same
        self.disobeys = False
        # what is asked of the freeze has no answer until it is set
        self.answers = threading.Event()
        self.answers.set()
        gateway = self

        class Forward(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if "Authorization" not in self.headers:
                    return self.say(403, b'{"message": "Forbidden"}')
                if gateway.is_down:
                    return self.say(503, b'{"message": "Service Unavailable"}')
                if gateway.disobeys and b'-refused"' in body:
                    return self.say(200, b'{"status": "succeeded"}')
                headers = {name: value for name, value in self.headers.items() if name == "Content-Type"}
                url = function + self.path
                answer = requests.request(self.command, url, data=body, headers=headers, timeout=30)
                if self.command == "POST" and b'-refused"' in body:
                    gateway.answers.wait()
                return self.say(answer.status_code, answer.content, answer.headers)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def say(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                for name in ("Location", "Retry-After", "Content-Type"):
                    if name in (headers or {}):
                        self.send_header(name, headers[name])
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Forward)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.answers.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Account:
    """What AWS does around the functions, until it is closed."""

    def __init__(self, aws: RecordedAws, sandbox: Sandbox, folder: Path) -> None:
        self.gateway = Gateway(sandbox.function)
        self.stack = StandIn(aws.url, {"ApiUrl": self.gateway.url})
        self.sandbox = sandbox
        self.function = Function(sandbox, folder / "journal.jsonl")
        # how many events are delivered, and of how many the log arrives
        self.delivered = 0
        self.delivers = self.logs = sys.maxsize
        self._log = folder / "sandbox.log"
        self._shipped = 0
        [sqs] = re.findall(r"^Amazon SQS +(http://\S+)$", self._log.read_text(), re.MULTILINE)
        [self._intake] = re.findall(r"^ +(http://\S+/intake\.fifo) ", self._log.read_text(), re.MULTILINE)
        self._sqs = boto3.client("sqs", endpoint_url=sqs, **ANYBODY)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self.gateway.close()

    def _live(self) -> None:
        while not self._ended.wait(0.2):
            if self.delivered < self.delivers:
                self._deliver()
            if self.delivered <= self.logs:
                self._ship()

    def waiting(self) -> int:
        """How many events have not been delivered."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        queue = self.stack.names["IntakeQueue"]
        attributes = self.stack.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def has_ended(self, suffix: str) -> bool:
        """Whether the newest change whose id ends so is final."""
        changes = requests.get(f"{self.sandbox.function}/policy-changes", timeout=30).json()["policyChanges"]
        newest = next((change for change in changes if change["changeId"].endswith(suffix)), None)
        return newest is not None and newest["status"] not in ("accepted", "running")

    def _deliver(self) -> None:
        """From the queue that moto's rule fills to the one that the intake is fed from."""
        queue = self.stack.names["IntakeQueue"]
        for message in self.stack.client("sqs").receive_message(QueueUrl=queue).get("Messages", []):
            once = json.loads(message["Body"])["id"]
            self._sqs.send_message(
                QueueUrl=self._intake, MessageBody=message["Body"], MessageGroupId=GROUP, MessageDeduplicationId=once
            )
            self.stack.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            self.delivered += 1

    def is_frozen(self) -> bool:
        answer = requests.get(f"{self.sandbox.function}/freeze", timeout=30)
        return answer.status_code == 200 and answer.json().get("frozen") is not False

    def _ship(self) -> None:
        lines = [line for line in self._log.read_text().split("\n")[:-1] if line.startswith("{")]
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines[self._shipped :]]
        self._shipped = len(lines)
        for name in FUNCTIONS if events else ():
            self.stack.client("logs").put_log_events(
                logGroupName=self.stack.names[f"{name}Log"], logStreamName="one", logEvents=events
            )

    def policies(self, instance: str) -> list[dict[str, Any]]:
        url = f"{self.sandbox.function}/instances/{instance}/attachment-policies"
        kept = ("attachmentScope", "maximumSizeLimitInBytes", "allowedExtensions")
        answer = requests.get(url, timeout=30).json()
        return [{name: policy[name] for name in kept} for policy in answer["attachmentPolicies"]]

    def updates(self) -> list[tuple[str, str]]:
        return [(update["instance_id"], update["scope"]) for update in self.function.updates()]
