"""What the alarms of template.yaml watch, and whom they tell."""

import json
import re
from typing import Any

import pytest
from expansion import EVERY, ROOT, expanded, filled, resources

TOPIC = {"Fn::If": ["HasTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
OWN = "ConnectAttachmentPolicy"
API, INTAKE, WORKER, SWEEP, WIDGET, DECLARE = (
    {"FunctionName": {"Ref": f"{name}Function"}} for name in ("Api", "Intake", "Worker", "Sweep", "Widget", "Declare")
)
INTAKE_QUEUE = {"QueueName": {"Fn::GetAtt": ["IntakeQueue", "QueueName"]}}
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


def alarm_of(name: str, values: dict[str, str] | None = None) -> dict[str, Any]:
    return filled(values or {})["Resources"][name]["Properties"]


def minutes(name: str) -> int:
    """For how long it must be so before the alarm is raised, by default."""
    alarm = alarm_of(name)
    queries = [query["MetricStat"]["Period"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    [period] = set(queries) or {alarm["Period"]}
    return period * alarm["EvaluationPeriods"] // 60


def test_every_alarm_tells_the_topic_and_has_a_section_in_the_runbook() -> None:
    sections = set(re.findall(r"^## (.+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE))
    alarms = resources("AWS::CloudWatch::Alarm")
    assert len(alarms) == 21
    for alarm in alarms.values():
        [section] = re.findall(r"docs/runbook\.md: (.+)$", alarm["AlarmDescription"])
        assert section in sections
        assert (alarm["AlarmActions"], alarm["OKActions"]) == (TOPIC, TOPIC)
        assert "ActionsEnabled" not in alarm, "a freeze leaves the functions running, so no alarm is silenced"


def test_only_a_sweep_that_is_not_heard_of_is_an_alarm_by_its_silence() -> None:
    alarms = resources("AWS::CloudWatch::Alarm").items()
    assert [name for name, alarm in alarms if alarm["TreatMissingData"] == "breaching"] == ["SweepAlarm"]
    assert {alarm["TreatMissingData"] for _, alarm in alarms} == {"breaching", "notBreaching"}


def test_a_sweep_that_fails_or_is_not_started_is_noticed() -> None:
    """Its metrics are its last act: one that does not end writes none."""
    alarm = alarm_of("SweepAlarm")
    assert (alarm["Namespace"], alarm["MetricName"], dimensions(alarm)) == (OWN, "UnfinishedRuns", SWEEP)
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "SampleCount", "LessThanThreshold", 1,
    )  # fmt: skip
    # each period has at least one turn of a sweep, though one may take its whole timeout
    assert alarm["Period"] >= resources("AWS::Lambda::Function")["SweepFunction"]["Timeout"]
    assert minutes("SweepAlarm") == 15


def test_no_alarm_goes_by_the_age_of_the_oldest_message() -> None:
    """SQS leaves out of it what was received three times and not deleted: the change that blocks its group."""
    assert "ApproximateAgeOfOldestMessage" not in json.dumps(expanded()["Resources"])


def test_an_event_that_stays_in_the_intake_queue_is_noticed_whether_it_is_visible_or_taken_up() -> None:
    expression, names = watched("WaitingAlarm")
    assert expression == "waiting + taken"
    assert names == {
        "waiting": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", INTAKE_QUEUE),
        "taken": ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", INTAKE_QUEUE),
    }
    assert minutes("WaitingAlarm") == 60


def test_a_lane_that_gets_nowhere_is_noticed_whatever_the_others_do() -> None:
    """One metric over all lanes, so that a lane that is served hides none that is not."""
    expression, names = watched("NoProgressAlarm")
    assert expression == "stall / 60"
    assert names == {"stall": (OWN, "LongestStall", SWEEP)}
    [stat] = [query["MetricStat"]["Stat"] for query in alarm_of("NoProgressAlarm")["Metrics"] if "MetricStat" in query]
    assert stat == "Minimum", "a moment in which a change begins is no stall"
    for values, threshold in (({}, 60), ({"WaitingMinutes": "90"}, "90")):
        alarm = alarm_of("NoProgressAlarm", values)
        assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (threshold, 1)


def test_a_lane_that_is_given_up_is_noticed_whoever_gives_it_up() -> None:
    expression, names = watched("LanesParkedAlarm")
    assert expression == "worker + sweep"
    assert names == {"worker": (OWN, "LanesParked", WORKER), "sweep": (OWN, "LanesParked", SWEEP)}


def test_a_change_that_does_not_end_is_noticed() -> None:
    alarm = alarm_of("OverdueAlarm")
    assert (alarm["Namespace"], alarm["MetricName"], dimensions(alarm)) == (OWN, "RunsOverdue", SWEEP)
    assert (alarm["Statistic"], alarm["Threshold"], minutes("OverdueAlarm")) == ("Maximum", 0, 15)


def test_a_stack_that_is_not_answered_is_noticed_whoever_should_have_answered() -> None:
    expression, names = watched("AnswersOverdueAlarm")
    assert expression == "SUM([sweep, worker, declare])"
    of = {name: {"FunctionName": {"Ref": f"{name.title()}Function"}} for name in ("sweep", "worker", "declare")}
    assert names == {name: (OWN, "AnswersOverdue", function) for name, function in of.items()}
    assert (alarm_of("AnswersOverdueAlarm")["Threshold"], minutes("AnswersOverdueAlarm")) == (0, 5)


def test_a_drift_is_noticed_at_once() -> None:
    expression, names = watched("DriftAlarm")
    # a function that has found none writes none: SUM leaves out what is missing
    assert expression == "SUM([sweep, worker, api])"
    of = {"sweep": SWEEP, "worker": WORKER, "api": API}
    assert names == {name: (OWN, "TargetsDrifted", function) for name, function in of.items()}
    assert (alarm_of("DriftAlarm")["Threshold"], minutes("DriftAlarm")) == (0, 5)


def test_an_event_that_the_bus_does_not_take_is_noticed() -> None:
    alarm = alarm_of("OutcomesAlarm")
    assert (alarm["Namespace"], alarm["MetricName"], dimensions(alarm)) == (OWN, "OldestEventAge", SWEEP)
    # of several debts the oldest is left until it is paid: the least of five minutes is no debt of a moment
    assert (alarm["Statistic"], alarm["Threshold"], minutes("OutcomesAlarm")) == ("Minimum", 900, 5)


def test_a_message_in_a_dead_letter_queue_is_noticed_in_either() -> None:
    expression, names = watched("DeadLetterAlarm")
    assert expression == "intake + changes"
    queues = {name: metric[2]["QueueName"]["Fn::GetAtt"][0] for name, metric in names.items()}
    letters = {
        source: queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for source, queue in resources("AWS::SQS::Queue").items()
        if "RedrivePolicy" in queue
    }
    assert queues == {"intake": letters["IntakeQueue"], "changes": letters["ChangeQueue"]}


# ---- The ledger ----


def test_a_request_that_the_ledger_does_not_take_is_noticed_whichever_function_made_it() -> None:
    expression, names = watched("LedgerFailuresAlarm")
    functions = {
        "api": API, "intake": INTAKE, "worker": WORKER, "sweep": SWEEP, "widget": WIDGET, "declare": DECLARE,
    }  # fmt: skip
    assert expression == " + ".join(functions)
    assert names == {name: (OWN, "LedgerFailures", function) for name, function in functions.items()}


@pytest.mark.parametrize(("values", "table"), [({}, {"Ref": "LedgerTable"}), (EVERY, "restored")], ids=["own", "other"])
def test_a_throttled_table_is_noticed_by_each_operation_that_the_functions_ask(
    values: dict[str, str], table: Any
) -> None:
    """ThrottledRequests has the dimensions TableName and Operation ("DynamoDB metrics and dimensions")."""
    queries = alarm_of("LedgerThrottlesAlarm", values)["Metrics"]
    metrics = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]
    assert {(metric["Namespace"], metric["MetricName"]) for metric in metrics} == {("AWS/DynamoDB", "ThrottledRequests")}
    assert [dimensions(metric)["TableName"] for metric in metrics] == [table] * 7
    granted = {"GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}
    assert {dimensions(metric)["Operation"] for metric in metrics} == granted


def test_an_alarm_on_dynamodb_ends_by_itself() -> None:
    """It ignores TreatMissingData ("PutMetricAlarm"): without a value for each period it would stay raised.

    Two of three periods, because FILL also fills the newest while its value is still on its way ("Using metric math").
    """
    expression, _ = watched("LedgerThrottlesAlarm")
    assert expression == "SUM(FILL(METRICS(), 0))"
    alarm = alarm_of("LedgerThrottlesAlarm")
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (2, 3)


# ---- The functions and what they call ----


def test_calls_that_amazon_connect_throttles_are_noticed() -> None:
    expression, names = watched("ThrottledCallsAlarm")
    throttled = "worker + api + sweep"
    assert expression == f"IF({throttled} > 30 AND {throttled} > updates / 10, {throttled}, 0)"
    assert names == {
        "worker": (OWN, "ThrottledCalls", WORKER),
        "api": (OWN, "ThrottledCalls", API),
        "sweep": (OWN, "ThrottledCalls", SWEEP),
        "updates": (OWN, "UpdateAttempts", WORKER),
    }


def test_every_function_that_ends_without_an_answer_is_noticed() -> None:
    """The sweep's are noticed by its silence: one that fails is repeated within a minute."""
    errors = {
        name: dimensions(alarm)["FunctionName"]["Ref"]
        for name, alarm in resources("AWS::CloudWatch::Alarm").items()
        if (alarm.get("Namespace"), alarm.get("MetricName")) == ("AWS/Lambda", "Errors")
    }
    assert errors == {f"{name}ErrorsAlarm": f"{name}Function" for name in ("Api", "Intake", "Worker", "Declare")}


def test_a_function_that_cannot_be_started_is_noticed() -> None:
    expression, names = watched("WorkerThrottlesAlarm")
    assert expression == "worker + intake"
    assert names == {"worker": ("AWS/Lambda", "Throttles", WORKER), "intake": ("AWS/Lambda", "Throttles", INTAKE)}
    alarm = alarm_of("ApiThrottlesAlarm")
    assert (alarm["MetricName"], dimensions(alarm)) == ("Throttles", API)


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


def test_the_docs_count_what_the_alarms_cost() -> None:
    """An alarm is billed for each metric that it reads."""
    alarms = resources("AWS::CloudWatch::Alarm").values()
    metrics = sum(len([q for q in alarm.get("Metrics", [{"MetricStat": 1}]) if "MetricStat" in q]) for alarm in alarms)
    line = f"| {len(alarms)} alarms over {metrics} metrics | $0.10 a metric | ${metrics / 10:.2f} |"
    assert line in (ROOT / "docs/deploy.md").read_text()
