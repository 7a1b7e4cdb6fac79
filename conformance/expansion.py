"""A SAM template as AWS CloudFormation receives it: expanded by AWS's own translator. template.yaml unless another is
named."""

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "template.yaml"
STANDALONE = ROOT / "packaging/standalone.yaml"

Properties = dict[str, Any]

# A value for every parameter that is empty or off by default, as a landing zone would give it
EVERY = {
    "InstanceArns": "arn:aws:connect:us-east-1:111122223333:instance/00000001-0000-4000-8000-000000000001",
    "InstanceTagValue": "governed",
    "ConnectRoleArns": ",".join(f"arn:aws:iam::{id_}:role/attachment-policy" for id_ in (444455556666, 777788889999)),
    "ConnectRegions": "eu-central-1,us-east-1",
    "GrantDescribeDirectories": "true",
    "AllowedInstances": "00000001-0000-4000-8000-000000000001",
    "BlockedExtensions": "exe,js",
    "MaxSizeBytes": "20971520",
    "AllowEmptyExtensions": "true",
    "LedgerTableName": "restored",
    "ProducerAccounts": "444455556666,777788889999",
    "ForwardingAccounts": "222233334444",
    "DriftPolicy": '{"instanceId": "*", "attachmentScope": "CHAT", "maximumSize": "20 MB"}',
    "AlarmTopicArn": "arn:aws:sns:us-east-1:111122223333:alarms",
    "PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/boundary",
    "RolePath": "/attachment-policy/",
    "SubnetIds": "subnet-00000000000000001,subnet-00000000000000002",
    "SecurityGroupIds": "sg-00000000000000001",
    "DataKeyArn": "arn:aws:kms:us-east-1:111122223333:key/00000001-0000-4000-8000-000000000001",
    "LogKmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/00000001-0000-4000-8000-000000000002",
    "CaBundleFile": "/opt/ca.pem",
    "CaBundleLayerArn": "arn:aws:lambda:us-east-1:111122223333:layer:ca:1",
    "FipsEndpoints": "true",
}


class NoManagedPolicies:
    """The template uses no AWS managed policies, so the translator needs no list of them."""

    def load(self) -> dict[str, str]:
        return {}


@cache
def expanded(path: Path = TEMPLATE) -> Properties:
    """The whole template. It is shared, so do not modify it."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    template = yaml_parse(path.read_text())
    # as `sam package` leaves it
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://artifacts/function.zip"
    return transform(template, {}, NoManagedPolicies())


def filled(values: dict[str, str], path: Path = TEMPLATE) -> Properties:
    """The template as it is deployed with these parameters: each condition decided, each parameter a value."""
    template = expanded(path)
    known: dict[str, Any] = {}
    for name, definition in template["Parameters"].items():
        value = values.get(name, definition["Default"])
        known[name] = str(value).split(",") if definition["Type"] == "CommaDelimitedList" else value
    decided = {name: bool(chosen(rule, known, template["Conditions"])) for name, rule in template["Conditions"].items()}
    kept = {}
    for name, resource in template["Resources"].items():
        if decided.get(resource.get("Condition"), True):
            rest = {key: value for key, value in resource.items() if key != "Condition"}
            kept[name] = chosen(rest, known, decided)
    top = {key: template[key] for key in ("AWSTemplateFormatVersion", "Description")}
    return {**top, "Resources": kept, "Outputs": chosen(template["Outputs"], known, decided)}


NOTHING = object()


def chosen(value: Any, known: dict[str, Any], conditions: dict[str, Any]) -> Any:
    """A value with its parameters and conditions filled in; `NOTHING` for AWS::NoValue."""

    def inner(nested: Any) -> Any:
        return chosen(nested, known, conditions)

    match value:
        case {"Ref": "AWS::NoValue"}:
            return NOTHING
        case {"Ref": name} if name in known:
            return known[name]
        case {"Condition": str(name), **others} if not others:
            rule = conditions[name]
            return rule if isinstance(rule, bool) else inner(rule)
        case {"Fn::Equals": [left, right]}:
            return inner(left) == inner(right)
        case {"Fn::Not": [rule]}:
            return not inner(rule)
        case {"Fn::And": rules}:
            return all(inner(rule) for rule in rules)
        case {"Fn::If": [name, true, false]}:
            return inner(true if conditions[name] else false)
        case {"Fn::Join": [str(separator), parts]}:
            parts = inner(parts)
            literal = isinstance(parts, list) and all(isinstance(part, str) for part in parts)
            return separator.join(parts) if literal else {"Fn::Join": [separator, parts]}
        case {"Fn::Sub": str(text)}:
            text = re.sub(r"\$\{(\w+)\}", lambda found: str(known.get(found[1], found[0])), text)
            return {"Fn::Sub": text} if re.search(r"\$\{[^!]", text) else text
        case dict():
            pairs = ((key, inner(nested)) for key, nested in value.items())
            return {key: nested for key, nested in pairs if nested is not NOTHING}
        case list():
            return [nested for nested in map(inner, value) if nested is not NOTHING]
    return value


def is_allowed(name: str, value: str, path: Path = TEMPLATE) -> bool:
    """As CloudFormation does: the pattern must match all of the value, or of each entry of a list."""
    definition = expanded(path)["Parameters"][name]
    entries = value.split(",") if definition["Type"] == "CommaDelimitedList" else [value]
    return all(re.fullmatch(definition.get("AllowedPattern", ".*"), entry) for entry in entries)


def resources(kind: str, path: Path = TEMPLATE) -> dict[str, Properties]:
    """The properties of every resource of a type, by name."""
    found = expanded(path)["Resources"].items()
    return {
        name: resource["Properties"]
        for name, resource in found
        if resource["Type"] == kind
    }


def rust_functions() -> dict[str, Properties]:
    """The functions that are this project's program; the start check is a few lines of the template's own."""
    functions = resources("AWS::Lambda::Function").items()
    return {name: function for name, function in functions if function["Runtime"] == "provided.al2023"}


def named(value: Any) -> str:
    """The resource that a Ref or GetAtt refers to."""
    match value:
        case {"Ref": name}:
            return name
        case {"Fn::GetAtt": [name, *_]}:
            return name
    raise AssertionError(f"{value} names no resource")


def default(value: Any) -> Any:
    """A literal, or the default of the parameter that a Ref refers to."""
    match value:
        case {"Ref": name}:
            return expanded()["Parameters"][name]["Default"]
    return value


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(document: Properties) -> Iterator[Properties]:
    """Every statement of a policy, including those that a condition adds."""
    for statement in as_list(document["Statement"]):
        match statement:
            case {"Fn::If": [_, statement, {"Ref": "AWS::NoValue"}]}:
                yield statement
            case _:
                yield statement


def policy_documents() -> Iterator[tuple[str, Properties]]:
    """Every policy of the template, with the resource that contains it."""
    for name, resource in expanded()["Resources"].items():
        properties = resource["Properties"]
        match resource["Type"]:
            case "AWS::IAM::Role":
                yield name, properties["AssumeRolePolicyDocument"]
                for policy in properties.get("Policies", []):
                    yield name, policy["PolicyDocument"]
            case "AWS::IAM::ManagedPolicy" | "AWS::SQS::QueuePolicy":
                yield name, properties["PolicyDocument"]
            case "AWS::Events::EventBusPolicy":
                yield name, {"Statement": properties["Statement"]}
