"""A program that runs as long as a test needs it."""

import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SECONDS_TO_END = 10


@contextmanager
def running(
    command: list[Any], log: Path, environment: dict[str, str] | None = None, directory: Path | None = None
) -> Iterator[subprocess.Popen]:
    """A process until the end of the block.

    Its output goes to a file and not to a pipe: it may write more than anybody here reads.
    """
    with log.open("w") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=directory, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A free port, for a program that has to know its port before it listens.

    None of those that the system gives out itself: until the program listens, any other could get it.
    """
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
