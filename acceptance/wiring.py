"""What each alarm watches and whom it tells."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from .report import Failed, Report
from .stack import Stack


# the most that DescribeAlarms takes
AT_ONCE = 100


class Alarms:
    """Those among the stack's resources: names that begin like the stack's may be another stack's."""

    def __init__(self, stack: Stack, report: Report, put_back: ExitStack) -> None:
        self._stack = stack
        self._report = report
        self._put_back = put_back
        self._cloudwatch = stack.client("cloudwatch")
        self._found: list[dict[str, Any]] = []

    def run(self) -> None:
        self._report.step("alarms", self._wired)
        if self._stack.options.ring:
            self._report.step("an alarm that rings", self._rings)
        else:
            self._report.line("not asked for", "an alarm that rings", "RING=yes tells the topic's subscribers once")

    def _wired(self) -> str:
        names = list(self._names())
        if not names:
            raise Failed("the stack has no alarms")
        for first in range(0, len(names), AT_ONCE):
            answer = self._cloudwatch.describe_alarms(AlarmNames=names[first : first + AT_ONCE], MaxRecords=AT_ONCE)
            self._found += answer["MetricAlarms"]
        gone = sorted(set(names) - {alarm["AlarmName"] for alarm in self._found})
        lost = [f"{name}: it is gone" for name in gone]
        lost += [f"{alarm['AlarmName']}: {reason}" for alarm in self._found for reason in self._lost(alarm)]
        if lost:
            raise Failed("; ".join(lost))
        silent = [alarm["AlarmName"] for alarm in self._found if not alarm["AlarmActions"]]
        actions = "each has an action" if not silent else f"{len(silent)} notify nobody (AlarmTopicArn)"
        return f"{len(self._found)}, what they watch exists, {actions}"

    def _names(self) -> Iterator[str]:
        pages = self._stack.client("cloudformation").get_paginator("list_stack_resources")
        for page in pages.paginate(StackName=self._stack.options.stack):
            for resource in page["StackResourceSummaries"]:
                if resource["ResourceType"] == "AWS::CloudWatch::Alarm":
                    yield resource["PhysicalResourceId"]

    def _lost(self, alarm: dict[str, Any]) -> Iterator[str]:
        """What an alarm watches or tells, and is not there."""
        statistics = [metric["MetricStat"]["Metric"] for metric in alarm.get("Metrics", []) if "MetricStat" in metric]
        for metric in [*statistics, *([alarm] if "MetricName" in alarm else [])]:
            dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions", [])}
            if not dimensions:
                yield f"{metric['MetricName']} of everything"
            for name, value in dimensions.items():
                if not self._exists(name, value):
                    yield f"no {name} {value}"
        for topic in alarm["AlarmActions"]:
            if not self._exists("topic", topic):
                yield f"no topic {topic}"

    def _exists(self, kind: str, name: str) -> bool:
        look = {
            "QueueName": lambda: self._stack.client("sqs").get_queue_url(QueueName=name),
            "FunctionName": lambda: self._stack.client("lambda").get_function_configuration(FunctionName=name),
            "EventBusName": lambda: self._stack.client("events").describe_event_bus(Name=name),
            "TableName": lambda: self._stack.client("dynamodb").describe_table(TableName=name),
            "topic": lambda: self._stack.client("sns").get_topic_attributes(TopicArn=name),
        }.get(kind)
        if look is None:
            return True
        client = {
            "QueueName": "sqs", "FunctionName": "lambda", "EventBusName": "events", "TableName": "dynamodb",
            "topic": "sns",
        }[kind]  # fmt: skip
        try:
            look()
        except self._stack.client(client).exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 404):
                return False
            raise
        return True

    def _rings(self) -> str:
        self._stack.needs_account("CloudWatch acts on it")
        ringing = next((alarm for alarm in self._found if alarm["AlarmActions"]), None)
        if ringing is None:
            raise Failed("no alarm has an action")
        name, state = ringing["AlarmName"], ringing["StateValue"]
        self._put_back.callback(
            self._cloudwatch.set_alarm_state, AlarmName=name, StateValue=state, StateReason="acceptance test, over"
        )
        self._cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="acceptance test")

        def acted() -> str | None:
            history = self._cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")
            items = [item for item in history["AlarmHistoryItems"] if item["Timestamp"].timestamp() > self._stack.began]
            return items[0]["HistorySummary"] if items else None

        summary = self._stack.wait(f"{name} has not acted", acted)
        if "Successfully" not in summary:
            raise Failed(f"{name}: {summary}")
        return f"{name}: {summary}"
