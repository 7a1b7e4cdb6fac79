"""The sandbox's own record of the calls that its Amazon Connect answered (`--journal`)."""

import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests

SECONDS_TO_WRITE = 10


def answered(connect: str, journal: Path) -> list[dict[str, Any]]:
    """Every call that has been answered, in order.

    A client may have its answer before the line is in the file. The lines are written in the order of the answers:
    when a call of our own is the last line, the lines of all calls before it are there.
    """
    mark = f"/{uuid4()}"
    requests.get(connect + mark, timeout=10)
    deadline = time.monotonic() + SECONDS_TO_WRITE
    while time.monotonic() < deadline:
        entries = [json.loads(line) for line in journal.read_text().splitlines()]
        if entries and entries[-1]["path"] == mark:
            return [entry for entry in entries if entry["operation"]]
        time.sleep(0.01)
    raise AssertionError("the journal is not written")
