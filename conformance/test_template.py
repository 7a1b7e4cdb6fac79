"""The rules that template.yaml must keep, held against its expansion."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from expansion import (
    ROOT,
    TEMPLATE,
    as_list,
    default,
    expanded,
    named,
    policy_documents,
    resources,
    statements,
)

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
FUNCTIONS = {"ApiFunction": "http", "WorkerFunction": "sqs"}


def run(
    program: str | Path, *arguments: str | Path, home: Path
) -> subprocess.CompletedProcess:
    """Runs a tool that must need neither credentials nor a home of its own."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAM_CLI_TELEMETRY": "0",
    }
    command = [str(part) for part in (program, *arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


def beside_python(program: str) -> Path:
    return Path(sys.executable).with_name(program)


def checkov() -> str:
    """checkov has an environment of its own: its pinned boto3 is not the one that sam pins."""
    own = ROOT / ".venv-checkov" / "bin" / "checkov"
    found = os.environ.get("CHECKOV") or (str(own) if own.is_file() else shutil.which("checkov"))
    assert found, "no checkov: install conformance/requirements-checkov.txt or set CHECKOV"
    return found


# ---- What the tools say ----


def test_sam_validates_and_lints_it(tmp_path: Path) -> None:
    result = run(beside_python("sam"), "validate", "--lint", "-t", TEMPLATE, home=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_cfn_lint_finds_nothing_in_it(tmp_path: Path) -> None:
    result = run(beside_python("cfn-lint"), TEMPLATE, home=tmp_path)
    assert (result.returncode, result.stdout) == (0, "")


def test_cfn_lint_finds_nothing_in_its_expansion(tmp_path: Path) -> None:
    """On a SAM template it misses wrong runtimes and IAM actions."""
    path = tmp_path / "expanded.json"
    path.write_text(json.dumps(expanded()))
    result = run(beside_python("cfn-lint"), path, home=tmp_path)
    assert (result.returncode, result.stdout) == (0, "")


def test_checkov_finds_nothing_but_what_is_skipped_with_a_reason(tmp_path: Path) -> None:
    skips = re.findall(r"checkov:skip=(\w+)(?::(.+))?", TEMPLATE.read_text())
    assert [check for check, reason in skips if len(reason) < 40] == []
    result = run(checkov(), "-f", TEMPLATE, "--skip-download", "-o", "json", home=tmp_path)
    report = json.loads(result.stdout)
    failed = [(check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]]
    assert (failed, report["results"]["parsing_errors"]) == ([], [])
    skipped = sorted(check["check_id"] for check in report["results"]["skipped_checks"])
    assert skipped == sorted(check for check, _ in skips), "a skip that skips nothing"


# ---- Nothing is lost ----


def test_every_asynchronous_hop_has_a_dead_letter_queue() -> None:
    queues = resources("AWS::SQS::Queue")
    rules = resources("AWS::Events::Rule").values()
    targets = [target for rule in rules for target in rule["Targets"]]
    targets += [schedule["Target"] for schedule in resources("AWS::Scheduler::Schedule").values()]
    assert len(targets) == 2
    for target in targets:
        parked = queues[named(target["DeadLetterConfig"]["Arn"])]
        assert "FifoQueue" not in parked, "only a standard queue can be one of a rule or schedule"
    for mapping in resources("AWS::Lambda::EventSourceMapping").values():
        source = queues[named(mapping["EventSourceArn"])]
        letters = queues[named(source["RedrivePolicy"]["deadLetterTargetArn"])]
        assert letters.get("FifoQueue") == source.get("FifoQueue")
        assert letters["MessageRetentionPeriod"] >= source["MessageRetentionPeriod"]


def test_nothing_invokes_a_function_asynchronously() -> None:
    """API Gateway and the SQS poller wait for the answer; any other hop would need a queue of its own."""
    principals = {grant["Principal"] for grant in resources("AWS::Lambda::Permission").values()}
    assert principals == {"apigateway.amazonaws.com"}
    assert len(resources("AWS::Lambda::EventSourceMapping")) == 1


def test_the_queue_hides_a_message_six_times_as_long_as_the_worker_may_take() -> None:
    [mapping] = resources("AWS::Lambda::EventSourceMapping").values()
    source = resources("AWS::SQS::Queue")[named(mapping["EventSourceArn"])]
    worker = resources("AWS::Lambda::Function")[named(mapping["FunctionName"])]
    assert source["VisibilityTimeout"] == 6 * worker["Timeout"] == 1800
    assert mapping["BatchSize"] == 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_every_message_has_the_functions_own_group_and_a_deduplication_id() -> None:
    [group] = re.findall(r'const GROUP: &str = "(.+)";', (ROOT / "src/queue.rs").read_text())
    targets = [rule["Targets"][0] for rule in resources("AWS::Events::Rule").values()]
    targets += [schedule["Target"] for schedule in resources("AWS::Scheduler::Schedule").values()]
    assert {target["SqsParameters"]["MessageGroupId"] for target in targets} == {group}
    for target in targets:
        queue = resources("AWS::SQS::Queue")[named(target["Arn"])]
        assert queue["ContentBasedDeduplication"] is True


# ---- Nothing is read by strangers ----


def test_every_queue_is_encrypted_and_takes_encrypted_transport_only() -> None:
    queues = resources("AWS::SQS::Queue")
    assert [name for name, queue in queues.items() if queue.get("SqsManagedSseEnabled") is not True] == []
    policies = resources("AWS::SQS::QueuePolicy").values()
    denying = {
        named(queue)
        for policy in policies
        for queue in policy["Queues"]
        for statement in statements(policy["PolicyDocument"])
        if statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    assert denying == set(queues)


def test_only_its_own_rule_may_send_to_a_queue_as_a_service() -> None:
    for policy in resources("AWS::SQS::QueuePolicy").values():
        for statement in statements(policy["PolicyDocument"]):
            if statement["Effect"] == "Allow":
                assert statement["Principal"] == {"Service": "events.amazonaws.com"}
                assert named(statement["Condition"]["ArnEquals"]["aws:SourceArn"]) == "ChangeRule"


def test_no_policy_allows_a_wildcard_action() -> None:
    actions = [
        action
        for _, document in policy_documents()
        for statement in statements(document)
        for action in as_list(statement["Action"])
    ]
    assert len(actions) > 20
    assert [action for action in actions if "*" in action] == []


# ---- Everything is on record ----


def test_every_log_group_has_a_retention_and_outlives_the_stack() -> None:
    groups = resources("AWS::Logs::LogGroup")
    assert len(groups) == 3
    for name, group in groups.items():
        assert default(group["RetentionInDays"]) == 365
        assert expanded()["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_every_function_and_the_api_log_as_json_to_a_group_of_the_template() -> None:
    functions = resources("AWS::Lambda::Function")
    written = {name: named(function["LoggingConfig"]["LogGroup"]) for name, function in functions.items()}
    assert written == {"ApiFunction": "ApiLog", "WorkerFunction": "WorkerLog"}
    assert {function["LoggingConfig"]["LogFormat"] for function in functions.values()} == {"JSON"}
    assert {function["TracingConfig"]["Mode"] for function in functions.values()} == {"Active"}
    [stage] = resources("AWS::ApiGatewayV2::Stage").values()
    assert named(stage["AccessLogSettings"]["DestinationArn"]) == "AccessLog"
    assert isinstance(json.loads(stage["AccessLogSettings"]["Format"]), dict)


def test_every_alarm_tells_the_topic_and_has_a_section_in_the_runbook() -> None:
    sections = set(re.findall(r"^## (.+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE))
    alarms = resources("AWS::CloudWatch::Alarm")
    assert len(alarms) == 8
    for alarm in alarms.values():
        [section] = re.findall(r"docs/runbook\.md: (.+)$", alarm["AlarmDescription"])
        assert section in sections
        assert alarm["AlarmActions"] == {
            "Fn::If": ["HasTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]
        }


def test_the_dashboard_is_json_once_its_names_are_filled_in() -> None:
    [dashboard] = resources("AWS::CloudWatch::Dashboard").values()
    body = re.sub(r"\$\{[\w:.]+\}", "1", dashboard["DashboardBody"]["Fn::Sub"])
    assert len(json.loads(body)["widgets"]) == 8


# ---- The API ----


def operations(paths: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method, path) for path, item in paths.items() for method in item if method in METHODS}


def test_the_routes_are_those_of_openapi_yaml_each_with_iam() -> None:
    [api] = resources("AWS::ApiGatewayV2::Api").values()
    paths = api["Body"]["paths"]
    documented = yaml.safe_load((ROOT / "openapi.yaml").read_text())["paths"]
    assert operations(paths) == operations(documented)
    for method, path in operations(paths):
        route = paths[path][method]
        assert route["security"] == [{"AWS_IAM": []}]
        integration = route["x-amazon-apigateway-integration"]
        assert integration["payloadFormatVersion"] == "2.0"
        assert integration["timeoutInMillis"] == 29_000
        assert "${ApiFunction.Arn}" in integration["uri"]["Fn::Sub"]


def test_the_api_is_throttled_and_its_function_bounded() -> None:
    [stage] = resources("AWS::ApiGatewayV2::Stage").values()
    assert default(stage["DefaultRouteSettings"]["ThrottlingRateLimit"]) == 10
    assert default(stage["DefaultRouteSettings"]["ThrottlingBurstLimit"]) == 20
    function = resources("AWS::Lambda::Function")["ApiFunction"]
    assert function["Timeout"] == 29
    assert function["ReservedConcurrentExecutions"]["Fn::If"][:2] == ["IsFrozen", 0]


# ---- The functions ----


@pytest.mark.parametrize(("name", "trigger"), FUNCTIONS.items())
def test_a_function_is_one_bootstrap_that_takes_what_its_own_source_sends(name: str, trigger: str) -> None:
    function = resources("AWS::Lambda::Function")[name]
    assert (function["Runtime"], function["Handler"]) == ("provided.al2023", "bootstrap")
    assert default(function["Architectures"][0]) == "arm64"
    assert function["Environment"]["Variables"]["ACCEPTED_TRIGGERS"] == trigger


def test_the_functions_together_keep_to_the_quota() -> None:
    """2 calls a second, burst 5, for the account: one worker, and ApiConcurrency API requests."""
    parameter = {name: definition["Default"] for name, definition in expanded()["Parameters"].items()}
    rate = parameter["WorkerRequestsPerSecond"] + parameter["ApiConcurrency"] * parameter["ApiRequestsPerSecond"]
    burst = parameter["WorkerBurst"] + parameter["ApiConcurrency"] * parameter["ApiBurst"]
    assert (round(rate, 6), burst) == (2.0, 5)


def test_the_dashboard_s_own_metrics_are_those_the_function_writes() -> None:
    source = (ROOT / "src/metrics.rs").read_text()
    [namespace] = re.findall(r'NAMESPACE: &str = "(.+)";', source)
    body = resources("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
    shown = set(re.findall(rf'\["{namespace}", "(\w+)", "FunctionName"', body))
    assert len(shown) == 5
    assert [name for name in shown if f'"{name}"' not in source] == []


def test_every_parameter_is_explained() -> None:
    explained = (ROOT / "docs/deploy.md").read_text()
    assert [name for name in expanded()["Parameters"] if f"| `{name}` |" not in explained] == []
