"""Runs one process as Lambda would: the Runtime API, its invocations, and their cost as the kernel reports it.

The Runtime API is AWS's documented one ("Using the Lambda runtime API for custom runtimes"): a process asks for the
next event, and posts its answer.
"""

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ARN = "arn:aws:lambda:us-east-1:111122223333:function:connect-attachment-policy"
SECONDS = 60
# "At 1,769 MB, a function has the equivalent of one vCPU" (Lambda, "Configure Lambda function memory")
MEGABYTES_PER_CPU = 1_769
# not documented; published measurements of Lambda's throttling agree on it
PERIOD_MICROSECONDS = 20_000


class RuntimeApi(ThreadingHTTPServer):
    """Returns the given events one after the other, then keeps the process waiting."""

    daemon_threads = True

    def __init__(self, events: list[dict]) -> None:
        super().__init__(("127.0.0.1", 0), Invocations)
        self.events = [json.dumps(event).encode() for event in events]
        self.handed = 0
        self.answers: list[dict] = []
        self.answered = threading.Event()
        self.failed = ""
        self.phases: Future[Phases] = Future()

    def handle_error(self, *_: object) -> None:
        """Ignores the error of a killed process's connection."""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class Invocations(BaseHTTPRequestHandler):
    """One connection of the process."""

    protocol_version = "HTTP/1.1"
    # the head and body of an answer are two writes, and Nagle's algorithm would delay the second
    disable_nagle_algorithm = True
    server: RuntimeApi

    def do_GET(self) -> None:
        api = self.server
        if api.handed == len(api.events):
            threading.Event().wait()
        body = api.events[api.handed]
        if not api.handed:
            api.phases.result(SECONDS).initialised()
        api.handed += 1
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", f"{api.handed:08d}-0000-4000-8000-000000000000")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1_000) + 60_000))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", ARN)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        api = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not api.answers:
            api.phases.result(SECONDS).answered()
        if self.path.endswith("/response"):
            api.answers.append(json.loads(body))
        else:
            api.failed = body.decode()
        if api.failed or len(api.answers) == len(api.events):
            # taken before the answer, so that what the process does next is not measured
            api.answered.set()
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Logs nothing, so that the terminal shows only the table."""


@dataclass(frozen=True)
class Cost:
    """What a process needed until its last answer: seconds, and its peak in KiB. What its first invocation took."""

    cpu: float
    wall: float
    memory: int
    first_cpu: float
    first: float


class CpuShare:
    """A control group with the CPU share of a function's memory size, if one can be created."""

    def __init__(self, megabytes: int) -> None:
        self.quota = PERIOD_MICROSECONDS * megabytes // MEGABYTES_PER_CPU
        version_2 = Path("/sys/fs/cgroup/cgroup.controllers").exists()
        root = Path("/sys/fs/cgroup") if version_2 else Path("/sys/fs/cgroup/cpu")
        self.folder = root / f"bench-{os.getpid()}-{megabytes}"
        self.folder.mkdir()
        try:
            if version_2:
                (self.folder / "cpu.max").write_text(f"{self.quota} {PERIOD_MICROSECONDS}")
            else:
                (self.folder / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
                (self.folder / "cpu.cfs_quota_us").write_text(str(self.quota))
        except OSError:
            self.close()
            raise

    def take(self, pid: int) -> None:
        (self.folder / "cgroup.procs").write_text(str(pid))

    def close(self) -> None:
        self.folder.rmdir()


class Phases:
    """The init phase, which ends when a process asks for its first event, and its first invocation.

    Lambda gives the init phase a whole CPU, whatever the memory size, and the invocation its share.
    """

    def __init__(self, pid: int, share: CpuShare | None) -> None:
        self.pid, self.share = pid, share
        self.began = self.ended = self.cpu_before = self.cpu_after = 0.0

    def initialised(self) -> None:
        self.cpu_before = self.cpu()
        if self.share:
            self.share.take(self.pid)
        self.began = time.monotonic()

    def answered(self) -> None:
        self.ended = time.monotonic()
        self.cpu_after = self.cpu()

    def cpu(self) -> float:
        """Seconds on a CPU so far, of all threads, by the scheduler's own clock."""
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


@contextmanager
def cpu_share(megabytes: int) -> Iterator[CpuShare | None]:
    """The share, or None if control groups cannot be created on this machine."""
    try:
        share = CpuShare(megabytes)
    except OSError:
        yield None
        return
    try:
        yield share
    finally:
        share.close()


def run(command: list[str], environment: dict[str, str], events: list[dict], share: CpuShare | None = None) -> Cost:
    """Starts a process, lets it answer the events, and kills it after the last answer.

    A share begins with the first invocation. CPU time is from wait4(2): all threads, in microseconds, until the kill.
    """
    api = RuntimeApi(events)
    serving = threading.Thread(target=api.serve_forever, daemon=True)
    serving.start()
    environment = environment | {"AWS_LAMBDA_RUNTIME_API": api.address}
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    phases = Phases(process.pid, share)
    api.phases.set_result(phases)
    output: list[bytes] = []
    reading = threading.Thread(target=lambda: output.extend(process.stdout), daemon=True)
    reading.start()
    try:
        in_time = api.answered.wait(SECONDS)
        wall = time.monotonic() - started
        status = Path(f"/proc/{process.pid}/status").read_text()
    finally:
        os.kill(process.pid, signal.SIGKILL)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = -signal.SIGKILL
        reading.join()
        api.shutdown()
        api.server_close()
    # done, or refused as a document that breaks a rule
    wrong = [answer for answer in api.answers if answer.get("statusCode", 200) not in {200, 422}]
    if not in_time or api.failed or wrong:
        raise RuntimeError(f"{command}: {api.failed or wrong or 'no answer'}\n{b''.join(output).decode()}")
    return Cost(
        cpu=usage.ru_utime + usage.ru_stime,
        wall=wall,
        memory=int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]),
        first_cpu=phases.cpu_after - phases.cpu_before,
        first=phases.ended - phases.began,
    )
