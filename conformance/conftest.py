"""The sandbox: Amazon Connect and a function on loopback, started for a test and ended by it."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from child_process import running

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / "target" / "debug" / "sandbox"

# No quota on either side: these tests are about answers, not about the pace.
UNPACED = (
    "--rate=0",
    "--env=CONNECT_REQUESTS_PER_SECOND=1000",
    "--env=CONNECT_BURST=1000",
)
# One function whose variables are the test's; a whole stack; what its functions call, without them; Amazon Connect.
COMMANDS = {
    "serve": ("serve", "--standalone", "--raw"),
    "govern": ("serve", "--raw"),
    "services": ("services",),
    "connect": ("connect",),
}
# As the sandbox prints them
NAMES = ("Amazon Connect", "Function URL", "Lambda Invoke", "DynamoDB", "Amazon SQS", "Pages")
SECONDS_TO_START = 30


def pytest_configure(config: pytest.Config) -> None:
    """`make test` is without these, `make ci` runs them."""
    config.addinivalue_line("markers", "release: what only the release build of `make sam-build` can show")


# Files whose tests take longest: begun late, they would still run when everything else is done.
LONGEST = ("test_schemathesis.py", "test_acceptance.py")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each worker gets an equal part of the list, as pytest-xdist cuts it, and begins with its share of the longest tests."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    longest = [item for item in items if item.path.name in LONGEST]
    others = [item for item in items if item.path.name not in LONGEST]
    left = len(items)
    items.clear()
    for worker in range(workers):
        size = left // (workers - worker)
        first = longest[worker::workers]
        more = max(0, size - len(first))
        items += first + others[:more]
        del others[:more]
        left -= size
    items += others


@dataclass(frozen=True)
class Sandbox:
    """Where it listens: Amazon Connect, the function's URL, Lambda's Invoke, the table, the queues, the pages; its process.

    What a command does not serve is empty.
    """

    connect: str
    function: str
    invoke: str
    pid: int
    table: str = ""
    queues: str = ""
    pages: str = ""


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for every test that sends what it names and changes nothing else."""
    log = tmp_path_factory.mktemp("sandbox") / "log"
    with serving(log, *UNPACED) as started:
        yield started


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The same as a whole stack, with a ledger and workers."""
    log = tmp_path_factory.mktemp("recording") / "log"
    with serving(log, *UNPACED, command="govern") as started:
        yield started


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The same with guardrails that `enforceGuardrails` can enforce, and that no document of these tests breaks.

    A whole stack, because some fields need a ledger.
    """
    log = tmp_path_factory.mktemp("guarded") / "log"
    guardrails = ("--env=POLICY_BLOCKED_EXTENSIONS=exe", "--env=POLICY_MAX_SIZE_BYTES=104857600")
    with serving(log, *UNPACED, *guardrails, command="govern") as started:
        yield started


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """Starts a sandbox of the test's own with one function, with more flags."""
    with ExitStack() as started:

        def start(*flags: str) -> Sandbox:
            log = tmp_path / f"log{len(list(tmp_path.iterdir()))}"
            return started.enter_context(serving(log, *flags))

        yield start


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Sandbox]:
    """The table and the queues of a governed stack, without a function that would empty the queues."""
    with serving(tmp_path / "services.log", command="services") as started:
        yield started


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Starts an Amazon Connect of the test's own, without a function."""
    with ExitStack() as started:

        def start(*flags: str) -> str:
            log = tmp_path / f"log{len(list(tmp_path.iterdir()))}"
            return started.enter_context(serving(log, *flags, command="connect")).connect

        yield start


@contextmanager
def serving(log: Path, *flags: str, command: str = "serve") -> Iterator[Sandbox]:
    """One of the commands, from its first words to its end."""
    assert PROGRAM.is_file(), "no sandbox: build it with `cargo build --workspace`"
    with running([PROGRAM, *COMMANDS[command], *flags], log) as process:
        yield where(process, log)


def where(process: subprocess.Popen, log: Path) -> Sandbox:
    """Waits until it has said where it listens."""
    deadline = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        said = log.read_text()
        # Its URLs come before the list of instances.
        url = dict(re.findall(rf"^({'|'.join(NAMES)}) +(http://\S+)$", said, re.MULTILINE))
        is_whole = NAMES[0] in url or "services" in process.args
        if is_whole and re.search(r"^Instances$", said, re.MULTILINE):
            connect, function, invoke, table, queues, pages = (url.get(name, "") for name in NAMES)
            return Sandbox(connect, function, invoke, process.pid, table, queues, pages)
        time.sleep(0.02)
    raise AssertionError(f"the sandbox did not start; it said:\n{log.read_text()}")
