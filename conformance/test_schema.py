"""The JSON Schema of an event's detail, against docs/events.md, events/ and the function itself."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema import Draft4Validator

ROOT = Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "docs/schema/policy-change.schema.json").read_text())
VALIDATOR = Draft4Validator(SCHEMA, format_checker=Draft4Validator.FORMAT_CHECKER)
GUIDE = (ROOT / "docs/events.md").read_text()

ID = "00000001-0000-4000-8000-000000000001"
ACCOUNT = "111122223333"
ARN = f"arn:aws:connect:us-east-1:{ACCOUNT}:instance/{ID}"
EVERYWHERE = "arn:aws:connect:*:*:instance/*"
CHAT = {"instanceId": ID, "attachmentScope": "CHAT"}
SIZED = {**CHAT, "maximumSize": "10 MB"}
EMAIL = {"instanceId": ID, "attachmentScope": "EMAIL"}


def blocks(heading: str) -> list[Any]:
    """The JSON of one section of the guide."""
    section = GUIDE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [json.loads(block) for block in re.findall(r"```json\n(.+?)```", section, re.DOTALL)]


def sized(size: Any) -> dict[str, Any]:
    return {**CHAT, "maximumSizeLimitInBytes": size}


def listing(*extensions: Any) -> dict[str, Any]:
    return {**CHAT, "allowedExtensions": list(extensions)}


ACCEPTED: list[Any] = [
    SIZED,
    {"InstanceIds": [ID.upper(), ARN], "AttachmentScopes": ["chat", "Task"], "MaximumSize": "1 KB"},
    {**SIZED, "instanceId": ARN.replace(":", "%3A").replace("/", "%2f")},
    {**SIZED, "instanceId": ARN.replace("aws:", "aws-eusc:").replace("us-east-1", "eusc-de-east-1")},
    {**SIZED, "instanceId": ["*"]},
    {**SIZED, "instanceId": EVERYWHERE},
    {"InstanceId": EVERYWHERE.replace(":", "%3A").replace("*", "%2a").replace("/", "%2F"), "AttachmentScope": "CHAT", "MaximumSize": "1 MB"},
    {**SIZED, "instanceId": ["*", EVERYWHERE, f"arn:aws:connect:sa-east-1:{ACCOUNT}:instance/*", "*"]},
    {**SIZED, "instanceId": f"arn:aws-eusc:connect:eusc-de-east-1:{ACCOUNT}:instance/*", "instanceTags": {"brand": "north"}},
    {**SIZED, "stopAfterFailures": 1},
    {**SIZED, "StopAfterFailures": 10_000.0},
    {"changes": [SIZED], "stopAfterFailures": 10_000},
    {"checkDrift": True},
    {"CheckDrift": True, "InstanceIds": [ID, ARN], "AttachmentScope": "chat", "changeId": "CHECK", "reason": "r", "RequestedBy": "x"},
    {"checkDrift": True, "instanceId": EVERYWHERE, "attachmentScopes": ["CHAT", "*"]},
    {"Changes": [SIZED], "StopAfterFailures": 1},
    {**SIZED, "instanceId": "*", "instanceTags": {"brand": "north", "team": ["a", "b"]}},
    {**SIZED, "attachmentScope": ["CHAT", "*"]},
    sized(1),
    sized(1_048_576.0),
    sized(104_857_600),
    sized("0104857600"),
    {**EMAIL, "maximumSizeLimitInBytes": 20_971_520},
    {**EMAIL, "maximumSizeLimitInBytes": "20971520"},
    {**EMAIL, "maximumSize": "20480 KB"},
    {**CHAT, "maximumSize": " 1.5 mib "},
    {**CHAT, "maximumSize": "100 MB"},
    {**CHAT, "maximumSize": "102400KiB"},
    {**CHAT, "maximumSize": "104857600 B"},
    listing(" .PDF ", "a_b-c", {"extension": "7z"}, {"Extension": ".doc"}),
    listing(*["pdf"] * 256),
    {**CHAT, "extensionConfiguration": {"allowedExtensions": ["pdf"]}},
    {**SIZED, "changeId": "a.b_c:d/e-f", "ifUnmodifiedSince": "2026-11-23T09:00:00.5+01:00"},
    {**SIZED, "reason": "\N{PILE OF POO}" * 1_024, "requestedBy": "x" * 256, "dryRun": False, "force": True},
    {"Changes": [SIZED], "ChangeId": "c"},
    {**CHAT, "addExtensions": [".PNG", {"extension": "jpg"}]},
    {**CHAT, "RemoveExtensions": ["svg"]},
    {**CHAT, "addExtensions": ["png"], "removeExtensions": ["svg"], "maximumSizeAtMost": "10 MB", "enforceGuardrails": True},
    {**SIZED, "removeExtensions": ["svg"]},
    {**listing("pdf"), "MaximumSizeAtMost": 1},
    {**CHAT, "maximumSizeAtMost": "0104857600"},
    {**CHAT, "maximumSizeAtMost": " 1.5 mib "},
    {**EMAIL, "maximumSizeAtMost": "100 MB"},
    {**CHAT, "EnforceGuardrails": True},
    {**SIZED, "enforceGuardrails": True},
    {**SIZED, "enforceGuardrails": False},
    {"changes": [{**CHAT, "removeExtensions": ["svg"]}]},
    {**CHAT, "addExtensions": [f"x{n}" for n in range(238)]},
]

REFUSED: list[Any] = [
    {},
    [],
    "text",
    {"attachmentScope": "CHAT", "maximumSize": "10 MB"},
    {"instanceId": ID, "maximumSize": "10 MB"},
    CHAT,
    {**SIZED, "instanceIds": [ID]},
    {**SIZED, "InstanceId": ID},
    {**SIZED, "attachmentScopes": ["CHAT"]},
    {**SIZED, "maximumSizeLimitInBytes": 5},
    {**listing("pdf"), "extensionConfiguration": {"allowedExtensions": ["pdf"]}},
    {**SIZED, "reason": "a", "Reason": "a"},
    {**SIZED, "maximumsize": "10 MB"},
    {**SIZED, "instanceTags": {"brand": "north"}},
    {**SIZED, "instanceId": "*", "instanceTags": {}},
    {**SIZED, "instanceId": "*", "instanceTags": {"brand": []}},
    {**SIZED, "instanceId": ["*", ID]},
    {**SIZED, "instanceId": [ID, EVERYWHERE]},
    {**SIZED, "instanceId": EVERYWHERE + "/x"},
    {**SIZED, "instanceId": EVERYWHERE.replace("instance/*", "*")},
    {**SIZED, "instanceId": EVERYWHERE.replace("connect:*", "connect:")},
    {**SIZED, "instanceId": EVERYWHERE.replace("connect:*", "connect:eu-*")},
    {**SIZED, "instanceId": EVERYWHERE.replace("aws", "*")},
    {**SIZED, "instanceId": "%2A"},
    {**SIZED, "stopAfterFailures": 0},
    {**SIZED, "stopAfterFailures": 10_001},
    {**SIZED, "stopAfterFailures": 1.5},
    {**SIZED, "stopAfterFailures": "1"},
    {**SIZED, "stopAfterFailures": None},
    {**SIZED, "stopAfterFailures": 1, "StopAfterFailures": 1},
    {"changes": [{**SIZED, "stopAfterFailures": 1}]},
    {"changes": [{**SIZED, "StopAfterFailures": 1}], "stopAfterFailures": 1},
    {"changes": [SIZED], "stopAfterFailures": 0},
    {"changes": [SIZED], "stopAfterFailures": 1, "StopAfterFailures": 1},
    {**SIZED, "instanceId": []},
    {**SIZED, "instanceId": "instance-1"},
    {**SIZED, "instanceId": ARN.replace("connect", "lambda")},
    {**SIZED, "instanceId": ARN + "/contact-flow/x"},
    {**SIZED, "instanceId": 1},
    {**SIZED, "attachmentScope": "VOICE"},
    {**SIZED, "attachmentScope": []},
    sized(0),
    sized(104_857_601),
    sized(1.5),
    sized("104857601"),
    sized("0"),
    sized("10 MB"),
    sized(True),
    sized(None),
    {**CHAT, "maximumSize": "10"},
    {**CHAT, "maximumSize": 10},
    {**CHAT, "maximumSize": "0 MB"},
    {**CHAT, "maximumSize": "100.5 MB"},
    {**CHAT, "maximumSize": "102401 KB"},
    {**CHAT, "maximumSize": "1 TB"},
    {**EMAIL, "maximumSizeLimitInBytes": 20_971_521},
    {**EMAIL, "maximumSizeLimitInBytes": "20971521"},
    {**EMAIL, "maximumSize": "20.5 MB"},
    {**EMAIL, "attachmentScope": "*", "maximumSize": "21 MB"},
    {**EMAIL, "attachmentScope": ["chat", "email"], "maximumSize": "20481 KB"},
    listing(),
    listing("tar.gz"),
    listing("*.pdf"),
    listing(""),
    listing("abcdefghijk"),
    listing("é"),
    listing(None),
    listing({}),
    listing({"extension": "pdf", "Extension": "pdf"}),
    listing({"extension": "pdf", "note": "x"}),
    listing(*["pdf"] * 257),
    {**CHAT, "allowedExtensions": "pdf"},
    {**CHAT, "extensionConfiguration": {}},
    {**CHAT, "extensionConfiguration": ["pdf"]},
    {**SIZED, "changeId": ""},
    {**SIZED, "changeId": "a b"},
    {**SIZED, "changeId": "x" * 129},
    {**SIZED, "ifUnmodifiedSince": "yesterday"},
    {**SIZED, "ifUnmodifiedSince": "2026-11-23"},
    {**SIZED, "reason": "x" * 1_025},
    {**SIZED, "requestedBy": "x" * 257},
    {**SIZED, "dryRun": "true"},
    {**SIZED, "force": 1},
    {**listing("pdf"), "addExtensions": ["png"]},
    {**listing("pdf"), "RemoveExtensions": ["png"]},
    {**CHAT, "ExtensionConfiguration": {"AllowedExtensions": ["pdf"]}, "addExtensions": ["png"]},
    {**SIZED, "maximumSizeAtMost": "10 MB"},
    {**sized(5), "maximumSizeAtMost": 5},
    {**CHAT, "maximumSizeAtMost": 5, "MaximumSizeAtMost": 5},
    {**CHAT, "addExtensions": ["png"], "AddExtensions": ["png"]},
    {**CHAT, "removeExtensions": ["png"], "RemoveExtensions": ["png"]},
    {**SIZED, "enforceGuardrails": True, "EnforceGuardrails": True},
    {**CHAT, "enforceGuardrails": False},
    {**CHAT, "EnforceGuardrails": False},
    {**CHAT, "enforceGuardrails": "true"},
    {**CHAT, "addExtensions": []},
    {**CHAT, "removeExtensions": []},
    {**CHAT, "addExtensions": "png"},
    {**CHAT, "addExtensions": None},
    {**CHAT, "addExtensions": ["tar.gz"]},
    {**CHAT, "removeExtensions": ["png"] * 257},
    {**CHAT, "maximumSizeAtMost": 0},
    {**CHAT, "maximumSizeAtMost": "0 MB"},
    {**CHAT, "maximumSizeAtMost": "101 MB"},
    {**CHAT, "maximumSizeAtMost": 104_857_601},
    {**CHAT, "maximumSizeAtMost": "ten"},
    {**CHAT, "maximumSizeAtMost": 1.5},
    {**CHAT, "maximumSizeAtMost": ""},
    {**CHAT, "maximumSizeAtMost": " 5 "},
    {**CHAT, "maximumSizeAtMost": True},
    {"checkDrift": False},
    {"checkDrift": "true"},
    {"checkDrift": None},
    {"checkDrift": True, "CheckDrift": True},
    {"checkDrift": True, "maximumSize": "10 MB"},
    {"checkDrift": True, "dryRun": True},
    {"checkDrift": True, "stopAfterFailures": 1},
    {"checkDrift": True, "instanceId": "*", "instanceTags": {"brand": "north"}},
    {"checkDrift": True, "instanceId": ID, "instanceIds": [ID]},
    {"checkDrift": True, "attachmentScope": "VOICE"},
    {"changes": [{"checkDrift": True}]},
    {"changes": []},
    {"changes": [SIZED], "maximumSize": "10 MB"},
    {"changes": [CHAT]},
    {"changes": [SIZED] * 101},
]


def test_it_is_a_schema_of_draft_4_in_its_own_words() -> None:
    """EventBridge's registry may reject keywords that draft 4 does not have."""
    Draft4Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-04/schema#"
    assert words(SCHEMA) <= set(Draft4Validator.META_SCHEMA["properties"]) | {"$ref"}


def words(schema: Any) -> set[str]:
    """Every keyword that a schema uses."""
    found = set(schema)
    for name, value in schema.items():
        if name in {"properties", "patternProperties", "definitions"}:
            nested = list(value.values())
        elif name in {"allOf", "anyOf", "oneOf"}:
            nested = value
        elif name in {"items", "not", "additionalProperties"} and isinstance(value, dict):
            nested = [value]
        else:
            nested = []
        found.update(*map(words, nested))
    return found


def verdict_of_the_function(url: str, document: Any) -> bool:
    """Whether the function accepts the document: it answers 422 if not.

    404 and 412 count as accepted: the sandbox has no instance in another partition, and other tests change the
    targets that `ifUnmodifiedSince` is compared with. 202: what is elsewhere is each lane's worker's to find out.
    """
    response = requests.post(f"{url}/policy-changes", params={"dryRun": "true"}, json=document, timeout=30)
    assert response.status_code in {200, 202, 404, 412, 422}, response.text
    return response.status_code != 422


@pytest.mark.parametrize("document", ACCEPTED + blocks("Examples"))
def test_what_it_accepts_the_function_accepts(guarded: Any, document: Any) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    assert verdict_of_the_function(guarded.function, document)


@pytest.mark.parametrize("document", REFUSED + blocks("Refused"))
def test_what_it_refuses_the_function_refuses(guarded: Any, document: Any) -> None:
    assert not VALIDATOR.is_valid(document)
    assert not verdict_of_the_function(guarded.function, document)


def details() -> list[tuple[str, Any]]:
    """The `detail` of every example event, as a rule would deliver it."""
    files = sorted((ROOT / "events").glob("event-bridge.*.json"))
    found = [(file.name, json.loads(file.read_text())["detail"]) for file in files]
    return [(name, json.loads(detail) if isinstance(detail, str) else detail) for name, detail in found]


@pytest.mark.parametrize(("name", "detail"), details())
def test_an_example_event_is_valid_unless_its_document_is_refused(name: str, detail: Any) -> None:
    assert VALIDATOR.is_valid(detail) is not name.startswith("event-bridge.rejected")
