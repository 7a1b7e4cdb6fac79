"""What a start and an invocation cost, compared with a minimal function and a boto3 handler, in one run.

Each runs as a process under a Runtime API and calls the sandbox's Amazon Connect over HTTPS. The sandbox's CA is added
to the CAs that each trusts when it is deployed: the system's full bundle, and for this function Amazon's own CAs.
Extra rows show what the full bundle would cost this function. The three are started in turn; the figures are medians.
A second table compares the function as the API of a whole stack, with a ledger and a bus, with itself alone.

    make bench
"""

import argparse
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZipFile

from lambda_service import Cost, CpuShare, cpu_share, run

ROOT = Path(__file__).parent.parent
RELEASE = ROOT / "target" / "release"
SANDBOX = ROOT / "target" / "debug" / "sandbox"
INSTANCE = "00000001-0000-4000-8000-000000000001"
MEGABYTE = 1_048_576
AMAZON_ROOTS = ROOT / "src" / "sdk" / "amazon_trust_services.pem"
OWN_BUNDLE = "own.pem"
ZIP_AIM = 3_500_000
# milliseconds, an hour ago
RECEIVED = count(int(time.time() * 1_000) - 3_600_000)
# as Lambda sells it: the smallest, twice that, a whole CPU
SIZES = (128, 256, 1_769)
GOVERNED = {
    "LEDGER_TABLE": "attachment-policy-ledger",
    "OUTCOME_BUS": "attachment-policies",
    "ACCEPTED_TRIGGERS": "http",
    # not called: the change is carried out at once
    "CHANGE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/111122223333/changes.fifo",
}


@dataclass(frozen=True)
class Peer:
    """What is measured."""

    name: str
    command: list[str]
    binary: Path | None
    environment: dict[str, str]

    def run(self, events: list[dict], share: CpuShare | None = None) -> Cost:
        return run(self.command, self.environment, events, share)


def change(number: int) -> dict:
    """One target. The size alternates, so that each event causes a read and an update."""
    size = (10 + number % 2) * MEGABYTE
    return {"instanceId": INSTANCE, "attachmentScope": "CHAT", "maximumSizeLimitInBytes": size, "allowedExtensions": ["pdf", "png"]}


def requested(document: dict) -> dict:
    """The same as an HTTP request, with an id of its own and received after the one before."""
    event = json.loads((ROOT / "events" / "http.succeeded.json").read_text())
    event["requestContext"]["timeEpoch"] = next(RECEIVED)
    return event | {"body": json.dumps(document | {"changeId": str(uuid4())})}


def refused() -> dict:
    """A size above the API's greatest."""
    return requested(change(0) | {"maximumSizeLimitInBytes": 1_000 * MEGABYTE})


@contextmanager
def services(folder: Path) -> Iterator[dict[str, str]]:
    """Amazon Connect, DynamoDB and EventBridge over TLS. Returns the environment with which a function calls them."""
    ca, log, bundle, own = (folder / name for name in ("ca.pem", "log", "bundle.pem", OWN_BUNDLE))
    with log.open("w") as output:
        process = subprocess.Popen([SANDBOX, "services", "--rate=0", f"--tls-ca={ca}"], stdout=output)
    try:
        while "EventBridge" not in log.read_text():
            assert process.poll() is None, "the sandbox does not start"
            time.sleep(0.02)
        urls = dict(re.findall(r"^(\w[\w ]+\w) +(https?://\S+)$", log.read_text(), re.MULTILINE))
        system = Path(ssl.get_default_verify_paths().openssl_cafile).resolve()
        system = next(file for file in (system, *SYSTEM_BUNDLES) if file.is_file())
        bundle.write_text(system.read_text() + ca.read_text())
        own.write_text(AMAZON_ROOTS.read_text() + ca.read_text())
        yield {
            "AWS_ENDPOINT_URL_CONNECT": urls["Amazon Connect"],
            "AWS_ENDPOINT_URL_DYNAMODB": urls["DynamoDB"],
            "AWS_ENDPOINT_URL_EVENTBRIDGE": urls["EventBridge"],
            "AWS_ENDPOINT_URL_SQS": urls["Amazon SQS"],
            "SSL_CERT_FILE": str(bundle),
            "AWS_CA_BUNDLE": str(bundle),
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "token",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_NAME": "connect-attachment-policy",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "CONNECT_REQUESTS_PER_SECOND": "1000",
            "CONNECT_BURST": "1000",
            "PATH": os.environ["PATH"],
        }
    finally:
        process.terminate()
        process.wait(30)


SYSTEM_BUNDLES = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt"))


def medians(peers: list[Peer], starts: int, measure: Callable[[Peer], Cost]) -> list[Cost]:
    """Each peer's medians over this many rounds, after one round that is not counted."""
    costs: dict[str, list[Cost]] = {peer.name: [] for peer in peers}
    for number in range(starts + 1):
        for peer in peers:
            cost = measure(peer)
            if number:
                costs[peer.name].append(cost)
    return [
        Cost(*(median(getattr(cost, field) for cost in costs[peer.name]) for field in Cost.__annotations__))
        for peer in peers
    ]


def row(figure: str, unit: str, values: list[float], aim: str, digits: int = 2) -> str:
    cells = [f"{value:,.{digits}f}" for value in values] + ["–"] * (3 - len(values))
    ratios = [f"{values[0] / values[1]:.2f}", f"{values[2] / values[0]:.1f}" if len(values) > 2 else "–"]
    return f"| {figure}, {unit} | {' | '.join(cells)} | {' | '.join(ratios)} | {aim} |"


def zipped(binary: Path, folder: Path) -> int:
    """The size of the upload: `bootstrap` alone, deflated."""
    archive = folder / "bootstrap.zip"
    with ZipFile(archive, "w", ZIP_DEFLATED, compresslevel=9) as file:
        file.write(binary, "bootstrap")
    return archive.stat().st_size


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--function", type=Path, default=RELEASE / "connect-attachment-policy")
    arguments.add_argument("--floor", type=Path, default=RELEASE / "floor")
    arguments.add_argument("--starts", type=int, default=15)
    arguments.add_argument("--warm", type=int, default=200, help="invocations of one process")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name, services(Path(name)) as environment:
        # Amazon's roots, as the function trusts them when it is deployed, and the sandbox's
        deployed = environment | {"SSL_CERT_FILE": str(Path(name) / OWN_BUNDLE)}
        handler = [sys.executable, str(ROOT / "benches" / "peers" / "boto3_handler.py")]
        peers = [
            Peer("this function", [str(given.function)], given.function, deployed),
            Peer("floor", [str(given.floor)], given.floor, environment),
            Peer("boto3", handler, None, environment),
            Peer("this function, whole bundle", [str(given.function)], None, environment),
        ]
        table(peers, given.starts, given.warm, Path(name))
        print()
        alone = Peer("alone", [str(given.function)], None, deployed)
        stack = Peer("governed", [str(given.function)], None, deployed | GOVERNED)
        governed([stack, alone], given.starts, given.warm)


def table(peers: list[Peer], starts: int, warm: int, folder: Path) -> None:
    turn = count()
    cold = medians(peers, starts, lambda peer: peer.run([change(next(turn))]))
    # an odd number of events, so that the next process starts with the other size
    warm += warm % 2
    long = medians(peers, 11, lambda peer: peer.run([change(next(turn)) for _ in range(warm + 1)]))
    print(f"Medians of {starts} starts each, in turn; warm: {warm} invocations of one process, 11 times.\n")
    print("| figure | this function | floor | boto3 | ours / floor | boto3 / ours | aim |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    rows("cold start, CPU until the first answer", [1e3 * each.cpu for each in cold], "≤ 1.25 × floor, boto3 ≥ 25 ×")
    rows("cold start, wall, a whole CPU", [1e3 * each.wall for each in cold], "")
    rows("init phase, CPU", [1e3 * (each.cpu - each.first_cpu) for each in cold], "")
    rows("first invocation, CPU", [1e3 * each.first_cpu for each in cold], "")
    for megabytes in SIZES:
        aim = "≤ 0.5 × floor" if megabytes == 128 else ""
        shared = at_share(peers, megabytes, starts, lambda: change(next(turn)))
        rows(f"first answer from the event on, {megabytes} MB", [1e3 * each.first for each in shared], aim)
    ours = [peers[0]]
    for megabytes in SIZES:
        [cost] = at_share(ours, megabytes, starts, refused)
        print(f"| the same of a document that is refused, {megabytes} MB, ms | {1e3 * cost.first:.2f} | – | – | – | – | |")
    per = [1e3 * (after.cpu - before.cpu) / warm for before, after in zip(cold, long, strict=True)]
    print(row("warm invocation, CPU, one read and one update", "ms", per[:3], "≤ 1.15 × floor", 3))
    print(row("peak memory, one invocation", "MiB", [each.memory / 1_024 for each in cold[:3]], "≤ 1.4 × floor"))
    print(row(f"peak memory, {warm + 1} invocations", "MiB", [each.memory / 1_024 for each in long[:3]], ""))
    binaries = [peer.binary for peer in peers if peer.binary]
    print(row("bootstrap, stripped", "MB", [file.stat().st_size / 1e6 for file in binaries], "≤ 8 MB"))
    print(row("bootstrap, zipped", "MB", [zipped(file, folder) / 1e6 for file in binaries], f"≤ {ZIP_AIM / 1e6:.1f} MB"))


def at_share(peers: list[Peer], megabytes: int, starts: int, event: Callable[[], dict]) -> list[Cost]:
    """Each peer's medians when its first invocation has the CPU share of a memory size."""
    with cpu_share(megabytes) as share:
        if share is None:
            sys.exit("no control group can be made here, so a share of a CPU cannot be given")
        return medians(peers, starts, lambda peer: peer.run([event()], share))


def governed(peers: list[Peer], starts: int, warm: int) -> None:
    """One change of one target over HTTP: recorded, carried out and announced, and the same without a ledger."""
    turn = count()
    cold = medians(peers, starts, lambda peer: peer.run([requested(change(next(turn)))]))
    warm += warm % 2
    long = medians(peers, 11, lambda peer: peer.run([requested(change(next(turn))) for _ in range(warm + 1)]))
    print("| figure | governed | alone | governed / alone | aim |")
    print("| --- | --- | --- | --- | --- |")
    per = [1e3 * (after.cpu - before.cpu) / warm for before, after in zip(cold, long, strict=True)]
    shared = at_share(peers, 128, starts, lambda: requested(change(next(turn))))
    for figure, (ours, alone), aim in (
        ("cold start, CPU until the first answer", [1e3 * each.cpu for each in cold], "≤ 1.6"),
        ("init phase, CPU", [1e3 * (each.cpu - each.first_cpu) for each in cold], ""),
        ("first invocation, CPU", [1e3 * each.first_cpu for each in cold], ""),
        ("first answer from the event on, 128 MB", [1e3 * each.first for each in shared], ""),
        ("warm invocation, CPU", per, "≤ 2.5"),
    ):
        print(f"| {figure}, ms | {ours:.2f} | {alone:.2f} | {ours / alone:.2f} | {aim} |")


def rows(figure: str, milliseconds: list[float], aim: str) -> None:
    """A figure as deployed, followed by the same figure with the full bundle."""
    ours, floor, boto3, whole = milliseconds
    print(row(figure, "ms", [ours, floor, boto3], aim))
    print(row("… made to trust the system's whole bundle", "ms", [whole, floor, boto3], ""))


if __name__ == "__main__":
    main()
