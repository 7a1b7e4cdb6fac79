"""What the dashboard of template.yaml shows, and which metrics of the function's own it and the alarms rely on."""

import json
import re
from typing import Any

from expansion import EVERY, ROOT, filled, resources
from functions import FUNCTIONS

OWN = "ConnectAttachmentPolicy"
# of a function without a ledger, too
WRITTEN = {
    "TargetsApplied", "TargetsUnchanged", "TargetsBlocked", "TargetsFailed", "TargetsUnknown", "TargetsPending",
    "ThrottledCalls", "UpdateAttempts",
}  # fmt: skip
# the metrics of the ledger: which functions write them, and their dimension besides the function's name
OF_THE_LEDGER = {
    "UnfinishedRuns": ({"Sweep"}, None),
    "OldestRunAge": ({"Sweep"}, None),
    "RunsOverdue": ({"Sweep"}, None),
    "AnswersOverdue": ({"Sweep", "Worker", "Declare"}, None),
    "LongestStall": ({"Sweep"}, None),
    "TargetsDrifted": ({"Api", "Worker", "Sweep"}, None),
    "OldestEventAge": ({"Sweep"}, None),
    "LaneBacklog": ({"Sweep"}, "Lane"),
    "LaneAge": ({"Sweep"}, "Lane"),
    "LanesParked": ({"Worker", "Sweep"}, None),
    "RunsEnded": ({"Api", "Intake", "Worker", "Sweep"}, "Status"),
    "LedgerFailures": ({"Api", "Intake", "Worker", "Sweep", "Widget", "Declare"}, None),
}
# of each search: its dimension, metric and functions
SEARCH = re.compile(
    rf"""^SEARCH\('\{{{OWN},FunctionName,(\w+)\}} MetricName="(\w+)" FunctionName=\((.+)\)', '(?:Sum|Maximum)', \d+\)$"""
)


def body(values: dict[str, str] | None = None) -> dict[str, Any]:
    """The dashboard, each name of the template's standing for itself."""
    text = filled(values or {})["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][0]
    named = re.sub(r"\$\{([\w:.]+)\}", r"\1", text).replace("${!", "${")
    return json.loads(named)


def metrics() -> list[list[Any]]:
    return [metric for widget in body()["widgets"] for metric in widget["properties"].get("metrics", [])]


def shown() -> set[tuple[str, str, str | None]]:
    """Every metric of the function's own that the dashboard shows: its name, the function, the dimension besides it."""
    found = set()
    for metric in metrics():
        match metric:
            case [{"expression": expression}]:
                dimension, name, functions = SEARCH.match(expression).groups()
                found |= {(name, function, dimension) for function in re.findall(r'"(\w+)Function"', functions)}
            case [namespace, name, "FunctionName", str(function), *_] if namespace == OWN:
                found.add((name, function.removesuffix("Function"), None))
    return found


def watched() -> set[tuple[str, str, str | None]]:
    """The same of the alarms."""
    found = set()
    for alarm in resources("AWS::CloudWatch::Alarm").values():
        for metric in [alarm, *(query.get("MetricStat", {}).get("Metric", {}) for query in alarm.get("Metrics", []))]:
            if metric.get("Namespace") == OWN:
                [dimension] = metric["Dimensions"]
                found.add((metric["MetricName"], dimension["Value"]["Ref"].removesuffix("Function"), None))
    return found


def agreed() -> set[tuple[str, str, str | None]]:
    return {(name, function, of) for name, (functions, of) in OF_THE_LEDGER.items() for function in functions}


def test_what_is_shown_and_watched_of_the_ledger_is_what_has_been_agreed() -> None:
    used = {metric for metric in shown() | watched() if metric[0] not in WRITTEN}
    assert used == agreed()
    assert watched() - shown() == {("UpdateAttempts", "Worker", None)}


def sources() -> str:
    return "\n".join(file.read_text() for file in sorted((ROOT / "src").rglob("*.rs")))


def test_every_metric_of_our_own_that_is_watched_is_one_the_function_writes() -> None:
    assert f'NAMESPACE: &str = "{OWN}"' in sources()
    assert {name for name, _, _ in shown() | watched()} - OF_THE_LEDGER.keys() == WRITTEN
    assert [name for name in sorted(WRITTEN) if f'"{name}"' not in sources()] == []


def test_every_metric_of_the_ledger_is_one_the_function_writes() -> None:
    assert [name for name in OF_THE_LEDGER if f'"{name}"' not in sources()] == []
    assert [name for name in ("Lane", "Status") if f'"{name}"' not in sources()] == []


def test_the_dashboard_shows_what_became_of_changes_the_lanes_and_the_ledger_before_all_else() -> None:
    titles = [widget["properties"]["title"] for widget in body()["widgets"]]
    assert titles[:9] == [
        "Changes that have not ended", "Changes that have ended, by status", "Queues",
        "Lanes: unfinished work", "Lanes: age of the oldest work, s", "Lanes: without progress, parked",
        "Ledger: requests that failed", "Ledger: throttled", "Ledger: units consumed",
    ]  # fmt: skip
    assert titles[-3:] == ["Audit: what did not succeed", "Attachment policies", "Changes"]
    assert len(titles) == 18


def test_the_pages_are_shown_by_the_function_that_only_reads() -> None:
    pages = [widget["properties"] for widget in body()["widgets"] if widget["type"] == "custom"]
    assert [(page["endpoint"], page["params"]) for page in pages] == [
        ("WidgetFunction.Arn", {"view": "fleet"}),
        ("WidgetFunction.Arn", {"view": "changes"}),
    ]


def test_no_widget_covers_another() -> None:
    fields = [
        {(x, y) for x in range(w["x"], w["x"] + w["width"]) for y in range(w["y"], w["y"] + w["height"])}
        for w in body()["widgets"]
    ]
    assert len(set().union(*fields)) == sum(map(len, fields))
    assert max(x for field in fields for x, _ in field) < 24


def test_every_function_and_every_queue_is_shown() -> None:
    functions = {metric[3] for metric in metrics() if metric[0] == "AWS/Lambda"}
    assert functions == FUNCTIONS.keys()
    queues = {metric[3].removesuffix(".QueueName") for metric in metrics() if metric[0] == "AWS/SQS"}
    assert queues == resources("AWS::SQS::Queue").keys()
    [log] = [widget for widget in body()["widgets"] if widget["type"] == "log"]
    groups = set(re.findall(r"SOURCE '(\w+)'", log["properties"]["query"]))
    assert groups == {name.replace("Function", "Log") for name in FUNCTIONS}


def test_it_shows_the_table_that_is_used() -> None:
    for values, table in (({}, {"Ref": "LedgerTable"}), (EVERY, "restored")):
        variables = filled(values)["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][1]
        assert variables == {"Table": table}
    assert {metric[3] for metric in metrics() if metric[0] == "AWS/DynamoDB"} == {"Table"}
