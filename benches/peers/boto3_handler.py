"""The same work in Python: validate, describe, compare, update, audit.

What a careful team would write as a Lambda handler. benches/cost.py runs it with the smallest possible runtime: the
Runtime API over http.client, without AWS's own interface client.
"""

import http.client
import json
import os
import re
import sys
from datetime import UTC, datetime

import boto3

INSTANCE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EXTENSION = re.compile(r"[a-z0-9_-]{1,10}")
LIMITS = {"EMAIL": 20_971_520, "CHAT": 104_857_600, "CASE": 104_857_600, "TASK": 104_857_600}

connect = boto3.client("connect")


def audit(kind: str, **what: object) -> None:
    print(json.dumps({"time": datetime.now(UTC).isoformat(), "event": kind, **what}), flush=True)


def validate(change: dict) -> list[str]:
    violations = []
    if not INSTANCE.fullmatch(change.get("instanceId", "")):
        violations.append("/instanceId")
    limit = LIMITS.get(change.get("attachmentScope", ""))
    if limit is None:
        violations.append("/attachmentScope")
    elif not 1_048_576 <= change.get("maximumSizeLimitInBytes", 0) <= limit:
        violations.append("/maximumSizeLimitInBytes")
    for index, extension in enumerate(change.get("allowedExtensions", [])):
        if not EXTENSION.fullmatch(extension):
            violations.append(f"/allowedExtensions/{index}")
    return violations


def handle(change: dict) -> dict:
    violations = validate(change)
    if violations:
        audit("refusal", violations=violations)
        return {"status": "rejected", "violations": violations}
    target = {"InstanceId": change["instanceId"], "AttachmentScope": change["attachmentScope"]}
    held = connect.describe_attached_files_configuration(**target)["AttachedFilesConfiguration"]
    before = {
        "size": held["MaximumSizeLimitInBytes"],
        "extensions": sorted(each["Extension"] for each in held["ExtensionConfiguration"]["AllowedExtensions"]),
    }
    wanted = {"size": change["maximumSizeLimitInBytes"], "extensions": sorted(change["allowedExtensions"])}
    if before == wanted:
        audit("outcome", target=target, outcome="unchanged")
        return {"status": "succeeded", "outcome": "unchanged"}
    audit("intent", target=target, before=before, after=wanted)
    connect.update_attached_files_configuration(
        **target,
        MaximumSizeLimitInBytes=wanted["size"],
        ExtensionConfiguration={"AllowedExtensions": [{"Extension": name} for name in wanted["extensions"]]},
    )
    audit("outcome", target=target, outcome="applied")
    return {"status": "succeeded", "outcome": "applied"}


def main() -> None:
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        api.request("GET", "/2018-06-01/runtime/invocation/next")
        event = api.getresponse()
        answer = json.dumps(handle(json.load(event)))
        api.request("POST", f"/2018-06-01/runtime/invocation/{event.headers['Lambda-Runtime-Aws-Request-Id']}/response", answer)
        api.getresponse().read()


if __name__ == "__main__":
    sys.exit(main())
