"""A deployed stack as far as moto can be one: its table, queues, bus, roles, functions, logs, alarms, and the outputs.

moto's own CloudFormation cannot make all of template.yaml, so each thing is made by its own call and the stack holds
nothing but its alarms and the template's outputs, filled with the names of these things.
"""

import io
import json
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto.core.common_models import CloudFormationModel

from expansion import default, expanded, resources

REGION = "us-east-1"
NAME = "attachment-policy"
GROUP = "attachment-policy"
FUNCTIONS = ("Api", "Intake", "Worker", "Sweep")
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


class Alarm(CloudFormationModel):
    """moto's CloudFormation knows no alarms. This one only names an alarm that its CloudWatch has."""

    # where moto looks for the name of the service
    __module__ = "moto.cloudwatch"

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        return "AlarmName"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::CloudWatch::Alarm"

    @classmethod
    def create_from_cloudformation_json(cls, resource_name: str, *_: Any, **__: Any) -> "Alarm":
        return cls(resource_name)


@dataclass
class StandIn:
    """The stack at a moto that is empty."""

    url: str
    # the values of outputs that moto has no service for, such as the API's URL
    outputs: dict[str, str] = field(default_factory=dict)
    alarm_actions: tuple[str, ...] = ()
    # making one takes longer than a call
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        # what a Ref or a GetAtt of the template stands for
        self.names: dict[str, str] = {}
        self._table()
        self._queues()
        self._functions()
        self._bus()
        self._alarms()
        of_template = {name: self.filled(output["Value"]) for name, output in expanded()["Outputs"].items()}
        self.outputs = {**of_template, **self.outputs}
        template = {
            "Resources": {
                name: {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": self.names[name]}}
                for name in resources("AWS::CloudWatch::Alarm")
            },
            "Outputs": {name: {"Value": value} for name, value in self.outputs.items()},
        }
        self.client("cloudformation").create_stack(StackName=NAME, TemplateBody=json.dumps(template))

    def client(self, service: str) -> Any:
        if service not in self._clients:
            keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
            self._clients[service] = boto3.client(service, endpoint_url=self.url, region_name=REGION, **keys)
        return self._clients[service]

    def _table(self) -> None:
        dynamodb = self.client("dynamodb")
        properties = resources("AWS::DynamoDB::Table")["LedgerTable"]
        made = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")
        dynamodb.create_table(TableName=f"{NAME}-ledger", **{name: properties[name] for name in made})
        recovery = properties["PointInTimeRecoverySpecification"]
        dynamodb.update_continuous_backups(TableName=f"{NAME}-ledger", PointInTimeRecoverySpecification=recovery)
        self.names["LedgerTable"] = f"{NAME}-ledger"

    def _queues(self) -> None:
        sqs = self.client("sqs")
        names = {
            "IntakeQueue": "intake.fifo", "ChangeQueue": "changes.fifo", "IntakeDeadLetterQueue": "intake-failed.fifo",
            "DeadLetterQueue": "failed.fifo", "ParkedQueue": "parked",
        }  # fmt: skip
        for queue, name in names.items():
            fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if name.endswith(".fifo") else {}
            url = sqs.create_queue(QueueName=f"{NAME}-{name}", Attributes=fifo)["QueueUrl"]
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
            self.names |= {queue: url, f"{queue}.Arn": attributes["QueueArn"], f"{queue}.QueueName": f"{NAME}-{name}"}

    def _functions(self) -> None:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("bootstrap", "")
        for name in FUNCTIONS:
            suffix = name.lower()
            role = self.client("iam").create_role(RoleName=f"{NAME}-{suffix}", AssumeRolePolicyDocument=TRUST)
            group = f"/aws/lambda/{NAME}-{suffix}"
            self.client("logs").create_log_group(logGroupName=group)
            self.client("logs").create_log_stream(logGroupName=group, logStreamName="one")
            made = self.client("lambda").create_function(
                FunctionName=f"{NAME}-{suffix}", Runtime="provided.al2023", Role=role["Role"]["Arn"],
                Handler="bootstrap", Code={"ZipFile": code.getvalue()},
            )  # fmt: skip
            self.names |= {f"{name}Role.Arn": role["Role"]["Arn"], f"{name}Log": group}
            self.names |= {f"{name}Function": f"{NAME}-{suffix}", f"{name}Function.Arn": made["FunctionArn"]}
        self.client("lambda").put_function_concurrency(
            FunctionName=f"{NAME}-api", ReservedConcurrentExecutions=default({"Ref": "ApiConcurrency"})
        )

    def _bus(self) -> None:
        events = self.client("events")
        self.names |= {"Bus": NAME, "Bus.Arn": events.create_event_bus(Name=NAME)["EventBusArn"]}
        pattern = json.dumps({"detail-type": ["Attachment Policy Change Requested"]})
        events.put_rule(Name="changes", EventBusName=NAME, EventPattern=pattern)
        target = {"Id": "changes", "Arn": self.names["IntakeQueue.Arn"], "SqsParameters": {"MessageGroupId": GROUP}}
        events.put_targets(Rule="changes", EventBusName=NAME, Targets=[target])

    def _alarms(self) -> None:
        """Every alarm of the template by its name, each watching the parked queue."""
        for name in resources("AWS::CloudWatch::Alarm"):
            self.names[name] = f"{NAME}-{name}-1"
            self.alarm(self.names[name], self.names["ParkedQueue.QueueName"])

    def alarm(self, name: str, queue: str) -> None:
        """An alarm that watches a queue."""
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=name, Namespace="AWS/SQS", MetricName="ApproximateNumberOfMessagesVisible", Statistic="Maximum",
            Period=300, Dimensions=[{"Name": "QueueName", "Value": queue}], EvaluationPeriods=1, Threshold=0,
            ComparisonOperator="GreaterThanThreshold", AlarmActions=list(self.alarm_actions),
        )  # fmt: skip

    def filled(self, value: Any) -> str:
        """An output's value. What moto does not have gets a name that says so."""
        match value:
            case {"Ref": name}:
                return self.named(name)
            case {"Fn::GetAtt": [name, attribute]}:
                return self.named(f"{name}.{attribute}")
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([\w:.]+)\}", lambda found: self.named(found[1]), text)
            case {"Fn::If": [_, _, otherwise]}:
                # no parameter is given
                return self.filled(otherwise)
        return str(value)

    def named(self, name: str) -> str:
        pseudo = {
            "AWS::Region": REGION, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
            "AWS::AccountId": "123456789012", "AWS::StackName": NAME,
        }  # fmt: skip
        if name in expanded()["Parameters"]:
            return str(default({"Ref": name}))
        return {**pseudo, **self.names}.get(name, f"no-{name.replace('.', '-')}")
