"""The rules that template.yaml must keep, held against its expansion."""

import json
import re
from typing import Any

import pytest
import yaml

from expansion import (
    EVERY,
    ROOT,
    as_list,
    default,
    expanded,
    filled,
    named,
    policy_documents,
    resources,
    rust_functions,
    statements,
)

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
FUNCTIONS = {"ApiFunction": "http", "WorkerFunction": "sqs"}


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
    """API Gateway and the SQS poller wait for the answer; any other hop would need a queue of its own.

    CloudFormation invokes the start check asynchronously: it waits for the answer at its URL.
    """
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
    either = {"Fn::If": ["HasDataKey", False, True]}
    assert [name for name, queue in queues.items() if queue.get("SqsManagedSseEnabled") != either] == []
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


def test_only_its_own_rule_and_bus_may_send_to_a_queue_as_a_service() -> None:
    senders = {}
    for name, policy in resources("AWS::SQS::QueuePolicy").items():
        for statement in statements(policy["PolicyDocument"]):
            if statement["Effect"] == "Allow":
                assert statement["Principal"] == {"Service": "events.amazonaws.com"}
                sources = as_list(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
                senders[name] = [named(source) for source in sources]
    assert senders == {"ChangeQueuePolicy": ["ChangeRule"], "ParkedQueuePolicy": ["ChangeRule", "Bus"]}


def test_a_producer_account_may_use_only_sources_that_end_with_its_own_id() -> None:
    """ForAllValues as in AWS's own example for several sources: one call may put events of several.

    "Using IAM policy conditions in Amazon EventBridge" has the keys, and policy variables such as this one.
    """
    policies = {
        name: resource["Properties"]
        for name, resource in filled(EVERY)["Resources"].items()
        if resource["Type"] == "AWS::Events::EventBusPolicy"
    }
    of_changes = {"events:detail-type": "Attachment Policy Change Requested"}
    producers = policies["BusPolicy"]["Statement"]
    assert producers["Principal"] == {"AWS": EVERY["ProducerAccounts"].split(",")}
    assert producers["Condition"] == {
        "StringEquals": of_changes,
        "ForAllValues:StringLike": {"events:source": "*.${aws:PrincipalAccount}"},
        "Null": {"events:source": "false"},
    }
    forwarders = policies["ForwardingPolicy"]["Statement"]
    assert forwarders["Principal"] == {"AWS": EVERY["ForwardingAccounts"].split(",")}
    assert forwarders["Condition"] == {"StringEquals": of_changes}
    assert len({policy["StatementId"] for policy in policies.values()}) == len(policies) == 2
    assert not [name for name in filled({})["Resources"] if name in policies]


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


def test_a_later_stack_of_the_same_name_finds_no_log_group_in_its_way() -> None:
    """They are kept, and end with a part of the stack's id, which no other stack has."""
    stack = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
    names = []
    for group in resources("AWS::Logs::LogGroup").values():
        name, variables = group["LogGroupName"]["Fn::Sub"]
        assert variables == {"Id": {"Fn::Select": [0, {"Fn::Split": ["-", stack]}]}}
        names.append(name)
    assert sorted(names) == [
        "/aws/lambda/${AWS::StackName}-api-${Id}",
        "/aws/lambda/${AWS::StackName}-worker-${Id}",
        # API Gateway may write to this prefix without a resource policy of CloudWatch Logs
        "/aws/vendedlogs/${AWS::StackName}-access-${Id}",
    ]


def test_every_function_and_the_api_log_as_json_to_a_group_of_the_template() -> None:
    functions = rust_functions()
    written = {name: named(function["LoggingConfig"]["LogGroup"]) for name, function in functions.items()}
    assert written == {"ApiFunction": "ApiLog", "WorkerFunction": "WorkerLog"}
    assert {function["LoggingConfig"]["LogFormat"] for function in functions.values()} == {"JSON"}
    assert {function["TracingConfig"]["Mode"] for function in functions.values()} == {"Active"}
    [stage] = resources("AWS::ApiGatewayV2::Stage").values()
    assert named(stage["AccessLogSettings"]["DestinationArn"]) == "AccessLog"
    assert isinstance(json.loads(stage["AccessLogSettings"]["Format"]), dict)


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
        assert integration["timeoutInMillis"] == 30_000
        assert "${ApiFunction.Arn}" in integration["uri"]["Fn::Sub"]


def test_the_api_is_throttled_and_its_function_bounded() -> None:
    [stage] = resources("AWS::ApiGatewayV2::Stage").values()
    assert default(stage["DefaultRouteSettings"]["ThrottlingRateLimit"]) == 10
    assert default(stage["DefaultRouteSettings"]["ThrottlingBurstLimit"]) == 20
    function = resources("AWS::Lambda::Function")["ApiFunction"]
    # 30 s is all that an HTTP API waits, a cold start included, which the function's timeout does not count
    assert function["Timeout"] == 28
    assert function["ReservedConcurrentExecutions"]["Fn::If"][:2] == ["IsFrozen", 0]


def test_a_warning_of_the_import_fails_no_deployment() -> None:
    """SAM writes `$default` and path parameters of which the import warns: aws/serverless-application-model, 2297."""
    [api] = resources("AWS::ApiGatewayV2::Api").values()
    assert "FailOnWarnings" not in api


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


def test_every_parameter_is_explained() -> None:
    explained = (ROOT / "docs/deploy.md").read_text()
    assert [name for name in expanded()["Parameters"] if f"| `{name}` |" not in explained] == []
