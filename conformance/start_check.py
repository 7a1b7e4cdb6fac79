"""The code of the start check, taken from the template."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
from conftest import Sandbox
from expansion import named, resources
from recorded_aws import ANYBODY

NAME = "connect-attachment-policy"


def program(client: Any, answers: list[tuple]) -> ModuleType:
    """The function of the template, with a Lambda client of ours and a CloudFormation that keeps what it receives."""
    code = resources("AWS::Lambda::Function")["StartCheckFunction"]["Code"]["ZipFile"]
    response = ModuleType("cfnresponse")
    response.SUCCESS, response.FAILED = "SUCCESS", "FAILED"
    response.send = lambda event, context, status, data, physical_id, reason=None: answers.append(
        (status, physical_id, reason)
    )
    module = ModuleType("index")
    known = {
        "cfnresponse": response,
        "boto3": SimpleNamespace(client=lambda service, config: {"lambda": client}[service]),
    }
    before = {name: sys.modules.get(name) for name in known}
    sys.modules.update(known)
    try:
        exec(compile(code, "index.py", "exec"), module.__dict__)  # noqa: S102, it is the template's own
    finally:
        for name, previous in before.items():
            sys.modules.pop(name)
            if previous is not None:
                sys.modules[name] = previous
    module.time = SimpleNamespace(sleep=lambda seconds: None)
    return module


def payloads() -> dict[str, str]:
    """What each function is asked."""
    check = resources("AWS::CloudFormation::CustomResource")["StartCheck"]
    return {named(one["Name"]): one["Payload"] for one in check["Functions"]}


def asked(sandbox: Sandbox) -> str | None:
    """What the check says of the function in a sandbox."""
    client = boto3.client("lambda", endpoint_url=sandbox.invoke, **ANYBODY)
    return program(client, []).failure(NAME, payloads()["ApiFunction"])
