"""What AWS does around the deployed functions: API Gateway, Lambda's pollers, and the log's way to CloudWatch."""

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
from conftest import Sandbox
from lambda_service import NAME as FUNCTION
from lambda_service import Function, Poller
from recorded_aws import RecordedAws
from stand_in import FUNCTIONS, StandIn


class Gateway:
    """API Gateway before the function: it denies what is not signed."""

    def __init__(self) -> None:
        self.function = ""
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
                url = gateway.function + self.path
                answer = requests.request(self.command, url, data=body, headers=headers, timeout=30)
                if self.command == "POST" and b'-refused"' in body:
                    gateway.answers.wait()
                return self.say(answer.status_code, answer.content, dict(answer.headers))

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
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

    def __init__(self, aws: RecordedAws, folder: Path) -> None:
        self.gateway = Gateway()
        self.stack = StandIn(aws.url, {"ApiUrl": self.gateway.url})
        # how many lane messages the worker takes, and of how many the log arrives
        self.taken = 0
        self.takes = self.logs = sys.maxsize
        self.log = folder / "sandbox.log"
        self._aws = aws
        self._journal = folder / "journal.jsonl"
        self._shipped = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live)

    def flags(self) -> tuple[str, ...]:
        """How the sandbox's functions are started: with this account's queues."""
        queues = {f"{name}_QUEUE_URL": self.stack.names[f"{name.capitalize()}Queue"] for name in ("INTAKE", "CHANGE", "PARKED")}
        variables = {**queues, "AWS_ENDPOINT_URL_SQS": self._aws.url}
        return (f"--journal={self._journal}", *(f"--env={name}={value}" for name, value in variables.items()))

    def begin(self, sandbox: Sandbox) -> None:
        """From here on, requests and messages arrive at the functions."""
        self.sandbox = sandbox
        self.gateway.function = sandbox.function
        self.function = Function(sandbox, self._journal)
        self._intake, self._worker = (
            Poller(self._aws, self.stack.names[queue], Function(sandbox, self._journal, f"{FUNCTION}-{name}"))
            for queue, name in (("IntakeQueue", "intake"), ("ChangeQueue", "worker"))
        )
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self.gateway.close()

    def _live(self) -> None:
        while not self._ended.wait(0.05):
            self._intake.poll()
            if self.taken < self.takes:
                self.taken += self._worker.poll() is not None
            if self.taken <= self.logs:
                self._ship()

    def is_frozen(self) -> bool:
        answer = requests.get(f"{self.sandbox.function}/freeze", timeout=30)
        return answer.status_code == 200 and answer.json().get("frozen") is not False

    def _ship(self) -> None:
        lines = [line for line in self.log.read_text().split("\n")[:-1] if line.startswith("{")]
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
