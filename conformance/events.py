"""The payloads of events/, whose names announce the answer: `<trigger>.<ending>[.<note>].json`."""

import json
import subprocess
from pathlib import Path
from typing import Any

from conftest import PROGRAM, ROOT

def trigger(event: Path) -> str:
    """What sends a payload of this shape."""
    return event.name.split(".")[0]


ALL = sorted((ROOT / "events").glob("*.json"))
# those that are answered at their `ResponseURL`, and those that are answered where they were sent from
OF_STACKS = [event for event in ALL if trigger(event) == "cloudformation"]
INVOKED = [event for event in ALL if event not in OF_STACKS]


def is_malformed(event: Path) -> bool:
    """Whether there is no document in it to read."""
    return ".malformed." in event.name


def check(event: Path, answer: Any) -> None:
    """Fails unless this is the announced answer; the sandbox knows which that is."""
    verdict = subprocess.run([PROGRAM, "check", event], input=json.dumps(answer), capture_output=True, text=True)
    assert verdict.returncode == 0, verdict.stderr
