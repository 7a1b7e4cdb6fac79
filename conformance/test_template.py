"""The rules that template.yaml must keep, held against its expansion."""

import json

from expansion import (
    EVERY,
    ROOT,
    Properties,
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
from functions import FUNCTIONS, mappings

# ---- Nothing is lost ----


def targets() -> list[Properties]:
    """What rules and schedules send changes to."""
    rules = resources("AWS::Events::Rule").values()
    found = [target for rule in rules for target in rule["Targets"]]
    schedules = resources("AWS::Scheduler::Schedule")
    return found + [schedule["Target"] for name, schedule in schedules.items() if name != "EveryMinute"]


def test_every_asynchronous_hop_of_a_change_has_a_dead_letter_queue() -> None:
    queues = resources("AWS::SQS::Queue")
    assert len(targets()) == 5
    for target in targets():
        parked = queues[named(target["DeadLetterConfig"]["Arn"])]
        assert "FifoQueue" not in parked, "only a standard queue can be one of a rule or schedule"
    letters = {}
    for name, mapping in mappings().items():
        source = queues[named(mapping["EventSourceArn"])]
        letters[name] = named(source["RedrivePolicy"]["deadLetterTargetArn"])
        assert queues[letters[name]].get("FifoQueue") == source.get("FifoQueue")
        assert queues[letters[name]]["MessageRetentionPeriod"] >= source["MessageRetentionPeriod"]
    assert letters == {
        "IntakeFunction": "IntakeDeadLetterQueue", "WorkerFunction": "DeadLetterQueue", "SweepFunction": "ParkedQueue",
    }  # fmt: skip


def test_a_dead_letter_queue_takes_from_its_own_source_only() -> None:
    queues = resources("AWS::SQS::Queue")
    for source in ("IntakeQueue", "ChangeQueue", "SeenQueue"):
        letters = queues[named(queues[source]["RedrivePolicy"]["deadLetterTargetArn"])]
        [allowed] = letters["RedriveAllowPolicy"]["sourceQueueArns"]
        assert allowed["Fn::Sub"].endswith(":" + queues[source]["QueueName"]["Fn::Sub"])


def test_only_the_sweep_and_declarations_are_invoked_asynchronously() -> None:
    """API Gateway and the SQS pollers wait for the answer. The sweep's next turn does what a lost one left. A declaration's
    request is kept for 300 s only, so that none comes after a rollback.

    CloudFormation invokes the start check asynchronously: it waits for the answer at its URL.
    """
    principals = {grant["Principal"] for grant in resources("AWS::Lambda::Permission").values()}
    assert principals == {"apigateway.amazonaws.com"}
    schedule = resources("AWS::Scheduler::Schedule")["EveryMinute"]
    assert (schedule["ScheduleExpression"], schedule["Target"]["Input"]) == ("rate(1 minute)", '{"sweep": true}')
    assert named(schedule["Target"]["Arn"]) == "SweepFunction"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert "State" not in schedule, "the sweep is never stopped"
    kept, declared = sorted(
        resources("AWS::Lambda::EventInvokeConfig").values(), key=lambda kept: kept["MaximumEventAgeInSeconds"]
    )
    assert named(declared["FunctionName"]) == "DeclareFunction"
    assert (declared["MaximumRetryAttempts"], declared["MaximumEventAgeInSeconds"]) == (2, 300)
    waits = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    assert named(kept["FunctionName"]) == "SweepFunction"
    assert {name: kept[name] for name in waits} == schedule["Target"]["RetryPolicy"] == waits


def test_a_queue_hides_a_message_six_times_as_long_as_its_function_may_take() -> None:
    hidden = {}
    for name, mapping in mappings().items():
        source = resources("AWS::SQS::Queue")[named(mapping["EventSourceArn"])]
        function = resources("AWS::Lambda::Function")[name]
        hidden[name] = source["VisibilityTimeout"]
        assert hidden[name] == 6 * function["Timeout"]
        assert mapping["BatchSize"] == 1
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert hidden == {"IntakeFunction": 360, "WorkerFunction": 1800, "SweepFunction": 1800}


def test_events_arrive_in_one_group_and_with_a_deduplication_id() -> None:
    of_changes = [target for target in targets() if named(target["Arn"]) == "IntakeQueue"]
    assert [target["SqsParameters"]["MessageGroupId"] for target in of_changes] == ["attachment-policy"] * 3
    # what CloudTrail has seen needs no order
    assert [named(target["Arn"]) for target in targets() if target not in of_changes] == ["SeenQueue"] * 2
    queues = resources("AWS::SQS::Queue")
    for name in ("IntakeQueue", "ChangeQueue"):
        assert (queues[name]["FifoQueue"], queues[name]["ContentBasedDeduplication"]) == (True, True)


def test_a_change_may_be_taken_up_again_as_often_as_it_goes_on() -> None:
    """The ledger counts what makes no progress; in the change queue each continuation is a receive."""
    queues = resources("AWS::SQS::Queue")
    receives = {name: queues[name]["RedrivePolicy"]["maxReceiveCount"] for name in ("IntakeQueue", "ChangeQueue")}
    assert receives == {"IntakeQueue": 100, "ChangeQueue": 1000}
    stalled = expanded()["Parameters"]["MaxStalledDeliveries"]
    # so that the sixteenth begin, and any beyond it, come before the queue gives up
    assert (stalled["Default"], stalled["MaxValue"]) == (15, 900)


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
    seen = ["SeenRule", "SeenElsewhereRule"]
    assert senders == {
        "IntakeQueuePolicy": ["ChangeRule"], "SeenQueuePolicy": seen, "ParkedQueuePolicy": ["ChangeRule", *seen, "Bus"],
    }  # fmt: skip


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
    forwarded = ["Attachment Policy Change Requested", "AWS API Call via CloudTrail"]
    assert forwarders["Condition"] == {"StringEquals": {"events:detail-type": forwarded}}
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
    assert len(groups) == 7
    for name, group in groups.items():
        assert default(group["RetentionInDays"]) == 545
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
        "/aws/lambda/${AWS::StackName}-declare-${Id}",
        "/aws/lambda/${AWS::StackName}-intake-${Id}",
        "/aws/lambda/${AWS::StackName}-sweep-${Id}",
        "/aws/lambda/${AWS::StackName}-widget-${Id}",
        "/aws/lambda/${AWS::StackName}-worker-${Id}",
        # API Gateway may write to this prefix without a resource policy of CloudWatch Logs
        "/aws/vendedlogs/${AWS::StackName}-access-${Id}",
    ]


def test_every_function_and_the_api_log_as_json_to_a_group_of_the_template() -> None:
    functions = rust_functions()
    written = {name: named(function["LoggingConfig"]["LogGroup"]) for name, function in functions.items()}
    assert written == {name: name.replace("Function", "Log") for name in FUNCTIONS}
    assert {function["LoggingConfig"]["LogFormat"] for function in functions.values()} == {"JSON"}
    assert {function["TracingConfig"]["Mode"] for function in functions.values()} == {"Active"}
    [stage] = resources("AWS::ApiGatewayV2::Stage").values()
    assert named(stage["AccessLogSettings"]["DestinationArn"]) == "AccessLog"
    assert isinstance(json.loads(stage["AccessLogSettings"]["Format"]), dict)


def test_every_parameter_is_explained() -> None:
    explained = (ROOT / "docs/deploy.md").read_text()
    assert [name for name in expanded()["Parameters"] if f"| `{name}` |" not in explained] == []
