"""CloudFormation of a stranger (ministack), with the function of template.yaml that takes declarations.

ministack runs the real bootstrap as a child process. The table, the queues, Amazon Connect and the workers are those of
the sandbox.
"""

import io
import json
import os
import re
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import yaml
from aws import ACCOUNT, REGION, client, instance_id
from child_process import free_port, running
from conftest import Sandbox
from expansion import ROOT, filled

MINISTACK = ROOT / ".venv-ministack" / "bin" / "ministack"
FUNCTION = ROOT / "target" / "debug" / "connect-attachment-policy"
FUNCTIONS_STACK = "attachment-policy"
SECONDS_TO_START = 60
SECONDS_TO_END = 120


class CloudFormation:
    """Stacks, and what the stacks declare of the sandbox's Amazon Connect."""

    def __init__(self, url: str, sandbox: Sandbox) -> None:
        self.url = url
        self.sandbox = sandbox
        # ministack takes a key of twelve digits for the account
        self.keys = {"region_name": REGION, "aws_access_key_id": ACCOUNT, "aws_secret_access_key": "any"}
        self.api = boto3.client("cloudformation", endpoint_url=url, **self.keys)
        self.connect = client("connect", sandbox.connect)

    def deploy_functions(self) -> None:
        """The function that takes declarations, and its exported name, as template.yaml has them."""
        template = filled({})
        properties = dict(template["Resources"]["DeclareFunction"]["Properties"])
        for name in ("Role", "LoggingConfig", "Code"):
            properties.pop(name)
        queues = client("sqs", self.sandbox.queues)
        [table] = client("dynamodb", self.sandbox.table).list_tables()["TableNames"]
        here = {
            "LEDGER_TABLE": table,
            "INTAKE_QUEUE_URL": queues.get_queue_url(QueueName="intake.fifo")["QueueUrl"],
            "CHANGE_QUEUE_URL": queues.get_queue_url(QueueName="changes.fifo")["QueueUrl"],
            "AWS_ENDPOINT_URL_DYNAMODB": self.sandbox.table,
            "AWS_ENDPOINT_URL_SQS": self.sandbox.queues,
            "ANSWER_LOOPBACK": "true",
        }
        variables = properties["Environment"]["Variables"]
        # who ends the change tells the bus, and that is a worker
        variables.pop("OUTCOME_BUS")
        # CloudFormation makes text of each
        properties["Environment"] = {"Variables": {name: str(value) for name, value in (variables | here).items()}}
        storage = boto3.client("s3", endpoint_url=self.url, **self.keys)
        storage.create_bucket(Bucket="code")
        storage.put_object(Bucket="code", Key="declare.zip", Body=bootstrap())
        function = {
            "Type": "AWS::Lambda::Function",
            "Properties": properties
            | {"Code": {"S3Bucket": "code", "S3Key": "declare.zip"}, "Role": f"arn:aws:iam::{ACCOUNT}:role/declare"},
        }
        output = template["Outputs"]["DeclareFunctionArn"]
        made = {"Resources": {"DeclareFunction": function}, "Outputs": {"DeclareFunctionArn": output}}
        assert self.create(FUNCTIONS_STACK, json.dumps(made)) == "CREATE_COMPLETE", self.reasons(FUNCTIONS_STACK)

    def create(self, stack: str, template: str, **parameters: str) -> str:
        self.api.create_stack(StackName=stack, TemplateBody=template, Parameters=given(parameters))
        return self.ended(stack)

    def update(self, stack: str, template: str, **parameters: str) -> str:
        self.api.update_stack(StackName=stack, TemplateBody=template, Parameters=given(parameters))
        return self.ended(stack)

    def delete(self, stack: str) -> str:
        """By its id, because a deleted stack has no name any more."""
        id_ = self.described(stack)["StackId"]
        self.api.delete_stack(StackName=stack)
        return self.ended(id_)

    def ended(self, stack: str) -> str:
        """The status that an operation leads to."""
        deadline = time.monotonic() + SECONDS_TO_END
        while time.monotonic() < deadline:
            status = self.described(stack)["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.1)
        raise AssertionError(f"{stack} does not end: {self.events(stack)}")

    def described(self, stack: str) -> dict[str, Any]:
        [described] = self.api.describe_stacks(StackName=stack)["Stacks"]
        return described

    def outputs(self, stack: str) -> dict[str, str]:
        return {output["OutputKey"]: output["OutputValue"] for output in self.described(stack).get("Outputs", [])}

    def physical_ids(self, stack: str) -> dict[str, str]:
        resources = self.api.describe_stack_resources(StackName=stack)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}

    def events(self, stack: str) -> list[tuple[str, str, str]]:
        """Resource, status and reason, oldest first."""
        events = self.api.describe_stack_events(StackName=stack)["StackEvents"]
        told = [
            (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", "")) for event in events
        ]
        return told[::-1]

    def reasons(self, stack: str) -> list[tuple[str, str]]:
        """Why resources failed."""
        return [(name, why) for name, status, why in self.events(stack) if status.endswith("_FAILED")]

    def held(self, instance: int, scope: str) -> tuple[int, tuple[str, ...]]:
        """What Amazon Connect has: bytes and extensions."""
        found = self.connect.describe_attached_files_configuration(InstanceId=instance_id(instance), AttachmentScope=scope)
        held = found["AttachedFilesConfiguration"]
        extensions = held["ExtensionConfiguration"]["AllowedExtensions"]
        return held["MaximumSizeLimitInBytes"], tuple(entry["Extension"] for entry in extensions)


def given(parameters: dict[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]


def bootstrap() -> bytes:
    """The code of the function: a bootstrap that becomes the debug build, which is too large to be packed each time."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, f"#!/bin/sh\nexec '{FUNCTION}'\n")
    return packed.getvalue()


class ShortForms(yaml.SafeLoader):
    """Reads `!Sub` and the like as CloudFormation does."""


def long_form(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {"Fn::GetAtt": value.split(".", 1)} if name == "GetAtt" else {named(name): value}
    construct = loader.construct_sequence if isinstance(node, yaml.SequenceNode) else loader.construct_mapping
    return {named(name): construct(node, deep=True)}


def named(short: str) -> str:
    return short if short in ("Ref", "Condition") else f"Fn::{short}"


ShortForms.add_multi_constructor("!", long_form)


def read(template: Path) -> dict[str, Any]:
    return yaml.load(template.read_text(), ShortForms)  # noqa: S506


@contextmanager
def ministack(directory: Path) -> Iterator[str]:
    """Its URL. It listens on 127.0.0.1 alone, and keeps what it writes in the directory."""
    assert MINISTACK.is_file(), "no ministack: `make environments` installs conformance/requirements-ministack.txt"
    port = free_port()
    log = directory / "ministack.log"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "AWS_DEFAULT_REGION": REGION,
    }
    with running([MINISTACK], log, environment, directory) as process:
        deadline = time.monotonic() + SECONDS_TO_START
        while not re.search(rf"Running on http://127\.0\.0\.1:{port}\b", log.read_text()):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
