"""The event path of template.yaml, created in moto from the template's expansion.

moto's own CloudFormation cannot create a rule on a bus that is a reference, so the resources are created one by one,
with the calls that CloudFormation would make.
"""

import json
import re
from typing import Any

import boto3

from expansion import filled

REGION = "us-east-1"
NAME = "attachment-policy"
MADE = (
    "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::Events::EventBus", "AWS::Events::Rule", "AWS::SQS::QueuePolicy",
)  # fmt: skip
# what of a table CreateTable takes; the rest CloudFormation sets by calls of their own
OF_CREATE_TABLE = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")


class Stack:
    """The table, the queues, the bus and the rule, under the names that the template gives them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.references: dict[str, str] = {}
        self.arns: dict[str, str] = {}
        self.sqs = self.client("sqs")
        self.events = self.client("events")
        self.account = self.client("sts").get_caller_identity()["Account"]
        self.resources = filled({})["Resources"]
        for kind in MADE:
            for name, resource in self.resources.items():
                if resource["Type"] == kind:
                    self.make(name)

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def make(self, name: str) -> None:
        """Creates a resource once, after the resources that it refers to."""
        if name in self.references:
            return
        resource = self.resources[name]
        if resource["Type"] == "AWS::IAM::Role":
            # only named, in a pattern
            self.references[name] = name
            self.arns[name] = f"arn:aws:iam::{self.account}:role/{NAME}-{name}"
            return
        properties = self.filled(resource["Properties"])
        match resource["Type"]:
            case "AWS::DynamoDB::Table":
                made = {key: properties[key] for key in OF_CREATE_TABLE}
                described = self.client("dynamodb").create_table(TableName=f"{NAME}-{name}", **made)
                self.references[name], self.arns[name] = f"{NAME}-{name}", described["TableDescription"]["TableArn"]
            case "AWS::SQS::Queue":
                queue_name = properties.pop("QueueName")
                attributes = {key: text(value) for key, value in properties.items()}
                url = self.sqs.create_queue(QueueName=queue_name, Attributes=attributes)["QueueUrl"]
                described = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
                self.references[name], self.arns[name] = url, described["Attributes"]["QueueArn"]
            case "AWS::SQS::QueuePolicy":
                policy = {"Policy": text(properties["PolicyDocument"])}
                for queue in properties["Queues"]:
                    self.sqs.set_queue_attributes(QueueUrl=queue, Attributes=policy)
                self.references[name] = name
            case "AWS::Events::EventBus":
                arn = self.events.create_event_bus(**properties)["EventBusArn"]
                self.references[name], self.arns[name] = properties["Name"], arn
            case "AWS::Events::Rule":
                targets, bus = properties.pop("Targets"), properties.get("EventBusName", "default")
                properties["EventPattern"] = text(properties["EventPattern"])
                self.arns[name] = self.events.put_rule(**properties)["RuleArn"]
                self.references[name] = properties["Name"]
                refused = self.events.put_targets(Rule=properties["Name"], EventBusName=bus, Targets=targets)
                assert refused["FailedEntryCount"] == 0
            case other:
                raise AssertionError(f"{name} is not of the event path: {other}")

    def filled(self, value: Any) -> Any:
        """The value without references; parameters and conditions are filled in already."""
        match value:
            case {"Ref": name}:
                return self.reference(name)
            case {"Fn::GetAtt": [name, "Arn"]}:
                self.make(name)
                return self.arns[name]
            case {"Fn::Sub": str(template)}:
                return re.sub(r"\$\{([\w:]+)\}", lambda found: self.reference(found[1]), template)
            case dict():
                return {key: self.filled(nested) for key, nested in value.items()}
            case list():
                return [self.filled(nested) for nested in value]
        return value

    def reference(self, name: str) -> Any:
        pseudo = {
            "AWS::StackName": NAME,
            "AWS::Region": REGION,
            "AWS::AccountId": self.account,
            "AWS::Partition": "aws",
        }
        if name in pseudo:
            return pseudo[name]
        self.make(name)
        return self.references[name]


def text(value: Any) -> str:
    """As SQS and EventBridge take attributes: strings, some of them JSON."""
    match value:
        case str():
            return value
        case bool() | dict() | list():
            return json.dumps(value)
    return str(value)
