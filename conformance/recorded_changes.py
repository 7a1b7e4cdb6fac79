"""The changes that the examples of openapi.yaml are about."""

from typing import Any

import requests

THIRD = {"instanceId": "00000003-0000-4000-8000-000000000003"}
# Of each target one size, so that changing it always changes it
APPLIED = {"CHG-2050": ("CHAT", "4 MB"), "platform/CHG-2051": ("TASK", "5 MB")}
PLANNED = "CHG-2052"


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
