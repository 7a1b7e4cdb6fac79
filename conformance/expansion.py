"""template.yaml as AWS CloudFormation receives it: expanded by AWS's own SAM translator."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "template.yaml"

Properties = dict[str, Any]


class NoManagedPolicies:
    """The template uses no AWS managed policies, so the translator needs no list of them."""

    def load(self) -> dict[str, str]:
        return {}


@cache
def expanded() -> Properties:
    """The whole template. It is shared, so do not modify it."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    template = yaml_parse(TEMPLATE.read_text())
    # as `sam package` leaves it
    template["Globals"]["Function"]["CodeUri"] = "s3://artifacts/function.zip"
    return transform(template, {}, NoManagedPolicies())


def resources(kind: str) -> dict[str, Properties]:
    """The properties of every resource of a type, by name."""
    found = expanded()["Resources"].items()
    return {
        name: resource["Properties"]
        for name, resource in found
        if resource["Type"] == kind
    }


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
            case {"Fn::If": [_, chosen, {"Ref": "AWS::NoValue"}]}:
                yield chosen
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
