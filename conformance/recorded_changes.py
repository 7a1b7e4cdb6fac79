"""The changes that the examples of openapi.yaml are about."""

import time
from typing import Any

import requests

THIRD = {"instanceId": "00000003-0000-4000-8000-000000000003"}
# Of each target one size, so that changing it always changes it
APPLIED = {"CHG-2050": ("CHAT", "4 MB"), "platform/CHG-2051": ("TASK", "5 MB")}
PLANNED = "CHG-2052"
SECONDS_TO_END = 30


def change(base: str, document: dict[str, Any]) -> dict[str, Any]:
    return requests.post(f"{base}/policy-changes", json=THIRD | document, timeout=30).json()


def modify(base: str) -> None:
    """Changes the target of the `ifUnmodifiedSince` example."""
    assert change(base, {"attachmentScope": "CASE", "maximumSize": "3 MB"})["summary"] == {"applied": 1}


def record(base: str) -> None:
    """Has them carried out and planned."""
    for id_, (scope, size) in APPLIED.items():
        report = change(base, {"attachmentScope": scope, "maximumSize": size, "changeId": id_})
        assert report["summary"] == {"applied": 1}
    plan = {"attachmentScope": "EMAIL", "maximumSize": "6 MB", "changeId": PLANNED, "dryRun": True}
    assert change(base, plan)["summary"] == {"planned": 1}


def wait_until_idle(base: str) -> None:
    """Until every run has ended."""
    end = time.monotonic() + SECONDS_TO_END
    while unfinished := [
        run["changeId"]
        for status in ("accepted", "running")
        for run in requests.get(f"{base}/policy-changes?status={status}", timeout=30).json()["policyChanges"]
    ]:
        assert time.monotonic() < end, unfinished
        time.sleep(0.05)
