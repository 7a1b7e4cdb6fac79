"""What the alarms of template.yaml watch, and what the dashboard shows."""

import json
import re
from typing import Any

import pytest
from expansion import EVERY, ROOT, expanded, filled, resources

TOPIC = {"Fn::If": ["HasTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
OWN = "ConnectAttachmentPolicy"
WORKER = {"FunctionName": {"Ref": "WorkerFunction"}}
API = {"FunctionName": {"Ref": "ApiFunction"}}
QUEUE = {"QueueName": {"Fn::GetAtt": ["ChangeQueue", "QueueName"]}}
RULE = {"EventBusName": {"Ref": "Bus"}, "RuleName": {"Fn::Sub": "${AWS::StackName}-changes"}}


def dimensions(metric: dict[str, Any]) -> dict[str, Any]:
    return {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}


def watched(name: str) -> tuple[str, dict[str, tuple[str, str, dict[str, Any]]]]:
    """The expression of an alarm, and what each of its names stands for."""
    queries = resources("AWS::CloudWatch::Alarm")[name]["Metrics"]
    [expression] = [query["Expression"] for query in queries if "Expression" in query]
    stats = {query["Id"]: query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query}
    assert [query["ReturnData"] for query in queries if "MetricStat" in query] == [False] * len(stats)
    return expression, {
        name: (metric["Namespace"], metric["MetricName"], dimensions(metric)) for name, metric in stats.items()
    }


def minutes(name: str) -> int:
    """For how long it must be so before the alarm is raised, by default."""
    alarm = filled({})["Resources"][name]["Properties"]
    [period] = {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query}
    return period * alarm["EvaluationPeriods"] // 60


def test_every_alarm_tells_the_topic_and_has_a_section_in_the_runbook() -> None:
    sections = set(re.findall(r"^## (.+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE))
    alarms = resources("AWS::CloudWatch::Alarm")
    assert len(alarms) == 11
    for alarm in alarms.values():
        [section] = re.findall(r"docs/runbook\.md: (.+)$", alarm["AlarmDescription"])
        assert section in sections
        assert (alarm["AlarmActions"], alarm["OKActions"]) == (TOPIC, TOPIC)
        assert alarm["TreatMissingData"] == "notBreaching"


def test_no_alarm_goes_by_the_age_of_the_oldest_message() -> None:
    """SQS leaves out of it what was received three times and not deleted: the change that blocks its group."""
    assert "ApproximateAgeOfOldestMessage" not in json.dumps(expanded()["Resources"])


def test_a_change_that_stays_in_the_queue_is_noticed_whether_it_is_visible_or_taken_up() -> None:
    expression, names = watched("WaitingAlarm")
    assert expression == "waiting + taken"
    assert names == {
        "waiting": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", QUEUE),
        "taken": ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", QUEUE),
    }
    assert minutes("WaitingAlarm") == 60


def test_a_change_that_gets_nowhere_is_noticed_by_what_the_function_says_of_it() -> None:
    expression, names = watched("NoProgressAlarm")
    assert expression == "IF(failed + unknown + pending > 0 AND applied < 1, 1, 0)"
    assert names == {
        "failed": (OWN, "TargetsFailed", WORKER),
        "unknown": (OWN, "TargetsUnknown", WORKER),
        "pending": (OWN, "TargetsPending", WORKER),
        "applied": (OWN, "TargetsApplied", WORKER),
    }
    assert minutes("NoProgressAlarm") == 60


def test_each_period_without_progress_has_a_try_in_it() -> None:
    """Else a period without metrics would end the row: the longest delay and one invocation fit in a period."""
    source = "\n".join(file.read_text() for file in sorted((ROOT / "src").rglob("*.rs")))
    [longest] = re.findall(r"LONGEST_DELAY: Duration = Duration::from_mins\((\d+)\)", source)
    [period] = {
        query["MetricStat"]["Period"]
        for query in resources("AWS::CloudWatch::Alarm")["NoProgressAlarm"]["Metrics"]
        if "MetricStat" in query
    }
    timeout = resources("AWS::Lambda::Function")["WorkerFunction"]["Timeout"]
    assert int(longest) * 60 + timeout <= period


def test_calls_that_amazon_connect_throttles_are_noticed() -> None:
    expression, names = watched("ThrottledCallsAlarm")
    assert expression == "worker + api"
    assert names == {"worker": (OWN, "ThrottledCalls", WORKER), "api": (OWN, "ThrottledCalls", API)}


def test_events_that_are_not_delivered_or_not_even_parked_are_noticed() -> None:
    """Metrics of a bus of one's own have both dimensions ("Monitoring Amazon EventBridge")."""
    expression, names = watched("DeliveryAlarm")
    assert expression == "failed + lost"
    assert names == {
        "failed": ("AWS/Events", "FailedInvocations", RULE),
        "lost": ("AWS/Events", "InvocationsFailedToBeSentToDlq", RULE),
    }
    assert resources("AWS::Events::Rule")["ChangeRule"]["Name"] == RULE["RuleName"]


def test_a_throttled_request_is_not_reported_twice() -> None:
    """API Gateway answers it with a 5xx, so that Lambda's throttles are taken off the server errors."""
    expression, names = watched("ApiServerErrorsAlarm")
    assert expression == "errors - throttles"
    assert names == {
        "errors": ("AWS/ApiGateway", "5xx", {"ApiId": {"Ref": "HttpApi"}}),
        "throttles": ("AWS/Lambda", "Throttles", API),
    }


@pytest.mark.parametrize("frozen", ["true", "false"])
def test_a_frozen_api_throttles_without_an_alarm(frozen: str) -> None:
    alarms = {
        name: resource["Properties"]
        for name, resource in filled(EVERY | {"Frozen": frozen})["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    silent = [name for name, alarm in alarms.items() if not alarm.get("ActionsEnabled", True)]
    assert silent == (["ApiThrottlesAlarm"] if frozen == "true" else [])


def test_freezing_by_command_silences_the_same_alarm_and_resuming_wakes_it() -> None:
    outputs = {name: expanded()["Outputs"][name]["Value"]["Fn::Sub"] for name in ("Freeze", "Resume")}
    asked = re.compile(r"aws cloudwatch (\w+)-alarm-actions .*--alarm-names (.+)$")
    assert {name: asked.findall(text) for name, text in outputs.items()} == {
        "Freeze": [("disable", "${ApiThrottlesAlarm}")],
        "Resume": [("enable", "${ApiThrottlesAlarm}")],
    }


def test_every_metric_of_our_own_that_is_watched_is_one_the_function_writes() -> None:
    source = "\n".join(file.read_text() for file in sorted((ROOT / "src").rglob("*.rs")))
    assert f'NAMESPACE: &str = "{OWN}"' in source
    alarms = [watched(name)[1] for name in ("NoProgressAlarm", "ThrottledCallsAlarm")]
    names = {metric for names in alarms for namespace, metric, _ in names.values() if namespace == OWN}
    body = resources("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
    names |= set(re.findall(rf'\["{OWN}", "(\w+)", "FunctionName"', body))
    assert len(names) == 7
    assert [name for name in names if f'"{name}"' not in source] == []


def test_the_dashboard_is_json_once_its_names_are_filled_in() -> None:
    [dashboard] = resources("AWS::CloudWatch::Dashboard").values()
    body = re.sub(r"\$\{[\w:.]+\}", "1", dashboard["DashboardBody"]["Fn::Sub"])
    assert len(json.loads(body)["widgets"]) == 8


def test_the_docs_count_what_the_alarms_cost() -> None:
    """An alarm is billed for each metric that it reads."""
    alarms = resources("AWS::CloudWatch::Alarm").values()
    metrics = sum(len([q for q in alarm.get("Metrics", [{"MetricStat": 1}]) if "MetricStat" in q]) for alarm in alarms)
    line = f"| {len(alarms)} alarms over {metrics} metrics | $0.10 a metric | ${metrics / 10:.2f} |"
    assert line in (ROOT / "docs/deploy.md").read_text()
