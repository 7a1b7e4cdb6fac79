"""What a start and an invocation cost, compared with a minimal function and a boto3 handler, in one run.

Each runs as a process under a Runtime API and calls the sandbox's Amazon Connect over HTTPS. The sandbox's CA is added
to the CAs that each trusts when it is deployed: the system's full bundle, and for this function Amazon's own CAs.
Extra rows show what the full bundle would cost this function. The three are started in turn; the figures are medians.

    make bench
"""

import argparse
import os
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
from zipfile import ZIP_DEFLATED, ZipFile

from lambda_service import Cost, CpuShare, cpu_share, run

ROOT = Path(__file__).parent.parent
RELEASE = ROOT / "target" / "release"
SANDBOX = ROOT / "target" / "debug" / "sandbox"
INSTANCE = "00000001-0000-4000-8000-000000000001"
MEGABYTE = 1_048_576
AMAZON_ROOTS = ROOT / "src" / "sdk" / "amazon_trust_services.pem"
OWN_BUNDLE = "own.pem"
ZIP_AIM = 6_000_000


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


@contextmanager
def amazon_connect(folder: Path) -> Iterator[dict[str, str]]:
    """Amazon Connect over TLS. Returns the environment with which a function calls it."""
    ca, log, bundle, own = (folder / name for name in ("ca.pem", "log", "bundle.pem", OWN_BUNDLE))
    with log.open("w") as output:
        process = subprocess.Popen([SANDBOX, "connect", "--rate=0", f"--tls-ca={ca}"], stdout=output)
    try:
        while "https://" not in log.read_text():
            assert process.poll() is None, "the sandbox does not start"
            time.sleep(0.02)
        url = next(word for word in log.read_text().split() if word.startswith("https://"))
        system = Path(ssl.get_default_verify_paths().openssl_cafile).resolve()
        system = next(file for file in (system, *SYSTEM_BUNDLES) if file.is_file())
        bundle.write_text(system.read_text() + ca.read_text())
        own.write_text(AMAZON_ROOTS.read_text() + ca.read_text())
        yield {
            "AWS_ENDPOINT_URL_CONNECT": url,
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
        Cost(*(median(getattr(cost, field) for cost in costs[peer.name]) for field in ("cpu", "wall", "memory")))
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
    with tempfile.TemporaryDirectory() as name, amazon_connect(Path(name)) as environment:
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
    for megabytes in (128, 512):
        with cpu_share(megabytes) as share:
            figure = f"cold start, wall, CPU share of {megabytes} MB"
            aim = "≤ 1.25 × floor" if megabytes == 128 else ""
            if share is None:
                print(f"| {figure} | not measured: no control group can be made here | | | | | {aim} |")
                continue
            shared = medians(peers, starts, lambda peer: peer.run([change(next(turn))], share))
            rows(figure, [1e3 * each.wall for each in shared], aim)
    per = [1e3 * (after.cpu - before.cpu) / warm for before, after in zip(cold, long, strict=True)]
    print(row("warm invocation, CPU, one read and one update", "ms", per[:3], "≤ 1.3 × floor", 3))
    print(row("peak memory, one invocation", "MiB", [each.memory / 1_024 for each in cold[:3]], "≤ 1.4 × floor"))
    print(row(f"peak memory, {warm + 1} invocations", "MiB", [each.memory / 1_024 for each in long[:3]], ""))
    binaries = [peer.binary for peer in peers if peer.binary]
    print(row("bootstrap, stripped", "MB", [file.stat().st_size / 1e6 for file in binaries], "≤ 1.25 × floor"))
    print(row("bootstrap, zipped", "MB", [zipped(file, folder) / 1e6 for file in binaries], f"≤ {ZIP_AIM / 1e6:.0f} MB"))


def rows(figure: str, milliseconds: list[float], aim: str) -> None:
    """A figure as deployed, followed by the same figure with the full bundle."""
    ours, floor, boto3, whole = milliseconds
    print(row(figure, "ms", [ours, floor, boto3], aim))
    print(row("… made to trust the system's whole bundle", "ms", [whole, floor, boto3], ""))


if __name__ == "__main__":
    main()
