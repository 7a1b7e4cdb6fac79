"""How an invocation ended, in the words of the file names of events/: `<trigger>.<status>[.<note>].json`."""

import json
from pathlib import Path
from typing import Any

EVENTS = sorted((Path(__file__).parent.parent / "events").glob("*.json"))


def named(event: Path) -> str:
    """What a file's name says."""
    return event.name.split(".")[1]


def of(answer: Any) -> str:
    """What the function's answer, or its error document, says."""
    match answer:
        case {"errorType": "UnrecognisedPayload"}:
            return "unrecognised"
        case {"errorType": "MalformedPayload"} | {"statusCode": 400}:
            return "malformed"
        case {"errorMessage": report}:
            return json.loads(report)["status"]
        case {"batchItemFailures": failures}:
            return "incomplete" if failures else "succeeded"
        case {"statusCode": 422}:
            return "rejected"
        case {"body": text}:
            body = json.loads(text)
            return body.get("report", body)["status"]
        case _:
            return answer["status"]
