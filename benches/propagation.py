"""Propagation at the quota, compared with a plain boto3 loop, in one run.

100 instances × 4 scopes, none with the requested values, 20 calls per second, burst 5. Prints the wall time relative
to the quota's lower bound, (updates − burst) / rate; how many calls were throttled; and how many targets were not
updated. Then the same change again, which changes nothing, and the memory for 1 and 1,000 targets.

    make bench
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.config import Config

ROOT = Path(__file__).parent.parent
SANDBOX = ROOT / "target" / "debug" / "sandbox"
RATE, BURST, SCOPES = 20, 5, 4
CREDENTIALS = {
    "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key": "secret",
    "region_name": "us-east-1",
}


class Sandbox:
    """A running `sandbox serve`, its journal, and a lambda client for its function."""

    def __init__(self, process: subprocess.Popen, log: Path, journal: Path) -> None:
        self.process = process
        self.journal = journal
        said = await_urls(process, log)
        self.connect = said["Amazon Connect"]
        retries = {"total_max_attempts": 1}
        config = Config(retries=retries, read_timeout=900)
        self.lambda_ = boto3.client("lambda", endpoint_url=said["Lambda Invoke"], config=config, **CREDENTIALS)

    def invoke(self, change: dict) -> tuple[dict, float]:
        """The report of a bare change, and the seconds it took."""
        started = time.monotonic()
        answer = self.lambda_.invoke(FunctionName="connect-attachment-policy", Payload=json.dumps(change))
        report = json.loads(answer["Payload"].read())
        seconds = time.monotonic() - started
        assert "FunctionError" not in answer, report
        return report, seconds

    def calls(self) -> list[dict]:
        """What Amazon Connect has received so far."""
        return [json.loads(line) for line in self.journal.read_text().splitlines()]

    def peak_memory(self) -> int:
        """The function process's VmHWM in KiB (proc(5))."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        status = "".join(Path(f"/proc/{child}/status").read_text() for child in children)
        return max(int(kib) for kib in re.findall(r"VmHWM:\s+(\d+) kB", status))


def await_urls(process: subprocess.Popen, log: Path) -> dict[str, str]:
    """The URLs that the sandbox prints when it listens."""
    names = ("Amazon Connect", "Lambda Invoke")
    for _ in range(1_000):
        text = log.read_text()
        found = {name: re.search(rf"^{name} +(http://\S+)$", text, re.MULTILINE) for name in names}
        if all(found.values()):
            return {name: match[1] for name, match in found.items() if match}
        assert process.poll() is None, text
        time.sleep(0.02)
    raise TimeoutError(log.read_text())


@contextmanager
def serving(function: Path, instances: int, *flags: str) -> Iterator[Sandbox]:
    """A fresh sandbox."""
    with tempfile.TemporaryDirectory() as folder:
        log, journal = Path(folder) / "log", Path(folder) / "journal"
        journal.touch()
        command = [SANDBOX, "serve", "--standalone", f"--function={function}", f"--instances={instances}",
                   f"--journal={journal}", "--timeout=900", *flags]
        with log.open("w") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield Sandbox(process, log, journal)
        finally:
            process.terminate()
            process.wait(30)


def quota() -> list[str]:
    return [f"--rate={RATE}", f"--burst={BURST}", f"--env=CONNECT_REQUESTS_PER_SECOND={RATE}", f"--env=CONNECT_BURST={BURST}"]


def change(size: str) -> dict:
    return {"instanceId": "*", "attachmentScope": "*", "maximumSize": size, "allowedExtensions": ["pdf"]}


def row(name: str, seconds: float, bound: float, calls: list[dict], undone: int) -> str:
    throttled = sum(call["status"] == 429 for call in calls)
    share = 100 * throttled / max(1, len(calls))
    return f"| {name} | {seconds:.2f} | {seconds / bound:.3f} | {len(calls)} | {throttled} ({share:.1f} %) | {undone} |"


def ours(function: Path, instances: int, bound: float) -> list[str]:
    with serving(function, instances, *quota()) as sandbox:
        report, seconds = sandbox.invoke(change("10 MB"))
        assert report["summary"] == {"applied": instances * SCOPES}, report["summary"]
        first = sandbox.calls()
        rows = [row("this function", seconds, bound, first, 0)]
        report, seconds = sandbox.invoke(change("10 MB"))
        assert report["summary"] == {"unchanged": instances * SCOPES}, report["summary"]
        again = Counter(call["operation"] for call in sandbox.calls()[len(first):])
        summary = ", ".join(f"{count} {name}" for name, count in sorted(again.items()))
        rows.append(f"\nThe same change again, when every target has the values: {summary}; {seconds:.2f} s.")
        return rows


def peer(mode: str, instances: int, bound: float, function: Path) -> str:
    with serving(function, instances, f"--rate={RATE}", f"--burst={BURST}") as sandbox:
        command = [sys.executable, ROOT / "benches" / "peers" / "boto3_loop.py", sandbox.connect, mode, "10485760"]
        environment = {name.upper(): value for name, value in CREDENTIALS.items() if name != "region_name"}
        environment["AWS_DEFAULT_REGION"] = CREDENTIALS["region_name"]
        output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        result = json.loads(output)
        return row(f"boto3 loop, {mode} retries", result["seconds"], bound, sandbox.calls(), result["failed"])


def memory(function: Path, targets: int) -> int:
    """Peak memory after one change of this many targets, in KiB."""
    unpaced = ["--rate=0", "--env=CONNECT_REQUESTS_PER_SECOND=1000", "--env=CONNECT_BURST=1000", "--quiet"]
    with serving(function, max(1, targets // SCOPES), *unpaced) as sandbox:
        one = {"instanceId": "00000001-0000-4000-8000-000000000001", "attachmentScope": "CHAT", "maximumSize": "10 MB"}
        sandbox.invoke(one if targets == 1 else change("10 MB"))
        return sandbox.peak_memory()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--function", type=Path, default=ROOT / "target" / "release" / "connect-attachment-policy")
    arguments.add_argument("--instances", type=int, default=100)
    given = arguments.parse_args()
    bound = (given.instances * SCOPES - BURST) / RATE
    print(f"{given.instances} instances × {SCOPES} scopes, {RATE} calls a second, burst {BURST}; bound {bound:.2f} s\n")
    print("| who | seconds | over the bound | calls | throttled | targets left undone |")
    print("| --- | --- | --- | --- | --- | --- |")
    function_row, *rest = ours(given.function, given.instances, bound)
    print(function_row, flush=True)
    for mode in ("standard", "adaptive"):
        print(peer(mode, given.instances, bound, given.function), flush=True)
    print("\n".join(rest))
    one, thousand = memory(given.function, 1), memory(given.function, 1_000)
    print(f"\nPeak memory: {one / 1024:.1f} MiB for 1 target, {thousand / 1024:.1f} MiB for 1,000: × {thousand / one:.2f}.")


if __name__ == "__main__":
    main()
