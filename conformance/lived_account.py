"""What AWS does around the deployed functions: API Gateway, Lambda's poller, and the log's way to CloudWatch."""

import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
from conftest import Sandbox
from lambda_service import Function, Poller
from recorded_aws import RecordedAws
from stand_in import NAME, StandIn


class Gateway:
    """API Gateway before the function: it denies what is not signed, and Lambda throttles what is frozen."""

    def __init__(self, function: str, is_throttled: Callable[[], bool]) -> None:
        self.is_down = False
        self.heeds_freeze = True
        # what is throttled has no answer until it is set
        self.answers = threading.Event()
        self.answers.set()
        gateway = self

        class Forward(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if "Authorization" not in self.headers:
                    return self.say(403, b'{"message": "Forbidden"}')
                if gateway.is_down or (gateway.heeds_freeze and is_throttled()):
                    gateway.answers.wait()
                    return self.say(503, b'{"message": "Service Unavailable"}')
                answer = requests.request(self.command, function + self.path, data=body, timeout=30)
                return self.say(answer.status_code, answer.content)

            do_GET = do_POST = answer

            def say(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
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
        self.gateway = Gateway(sandbox.function, lambda: self.concurrency() == 0)
        self.stack = StandIn(aws.url, {"ApiUrl": self.gateway.url})
        self.sandbox = sandbox
        self.function = Function(sandbox, folder / "journal.jsonl")
        # how many messages the worker takes, and of how many the log arrives
        self.taken = 0
        self.takes = self.logs = sys.maxsize
        self._log = folder / "sandbox.log"
        self._shipped = 0
        self._poller = Poller(aws, self.stack.names["ChangeQueue"], self.function)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self.gateway.close()

    def _live(self) -> None:
        while not self._ended.wait(0.05):
            if self.taken < self.takes and self.enabled():
                self.taken += self._poller.poll() is not None
            if self.taken <= self.logs:
                self._ship()

    def enabled(self) -> bool:
        mapping = self.stack.client("lambda").get_event_source_mapping(UUID=self.stack.names["WorkerFunctionChange"])
        return mapping["State"] == "Enabled"

    def concurrency(self) -> int | None:
        answer = self.stack.client("lambda").get_function_concurrency(FunctionName=f"{NAME}-api")
        return answer.get("ReservedConcurrentExecutions")

    def _ship(self) -> None:
        lines = [line for line in self._log.read_text().split("\n")[:-1] if line.startswith("{")]
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines[self._shipped :]]
        self._shipped = len(lines)
        for group in ("WorkerLog", "ApiLog") if events else ():
            self.stack.client("logs").put_log_events(
                logGroupName=self.stack.names[group], logStreamName="one", logEvents=events
            )

    def policies(self, instance: str) -> list[dict[str, Any]]:
        url = f"{self.sandbox.function}/instances/{instance}/attachment-policies"
        kept = ("attachmentScope", "maximumSizeLimitInBytes", "allowedExtensions")
        answer = requests.get(url, timeout=30).json()
        return [{name: policy[name] for name in kept} for policy in answer["attachmentPolicies"]]

    def updates(self) -> list[tuple[str, str]]:
        return [(update["instance_id"], update["scope"]) for update in self.function.updates()]
