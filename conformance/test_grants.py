"""What the functions may do is what the code can ask for, and nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from expansion import EVERY, ROOT, default, expanded, filled, named, resources, rust_functions
from iam import granted, on

# "Using Lambda with Amazon SQS": what the poller does with the function's role
POLLER = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
# Either tells an instance's tags. The service authorization reference gives only the first the resource type
# `instance` (cfn-lint's data of it says so too), so the second alone may be denied.
TAGS = {"connect:DescribeInstance", "connect:ListTagsForResource"}
# "Giving Lambda functions access to resources in an Amazon VPC"
NETWORK = {
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}
KEY = {"kms:GenerateDataKey", "kms:Decrypt"}
# granted where a parameter asks for it
BY_PARAMETER = {"ds:DescribeDirectories", "sts:AssumeRole"} | NETWORK | KEY
ANNOUNCES = {"events:PutEvents"}
READS = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
RECORDS = {"dynamodb:PutItem", "dynamodb:UpdateItem"}
WRITES = RECORDS | {"dynamodb:DeleteItem"}
# what IAM asks for where the operation has no action of its own ("Using IAM with DynamoDB transactions", of which a
# condition that is checked alone is left out, since nobody checks one; "Amazon SQS API permissions")
ASKED_FOR = {
    "dynamodb:TransactWriteItems": WRITES,
    "sqs:SendMessageBatch": {"sqs:SendMessage"},
    "sqs:ChangeMessageVisibilityBatch": {"sqs:ChangeMessageVisibility"},
}
# set by Lambda or by the SDK's own rules, not by the template
NOT_OURS = {"AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME"}
# read by the SDK's own rules (src/sdk.rs), not by the settings
OF_THE_SDK = {"AWS_USE_FIPS_ENDPOINT", "SSL_CERT_FILE"}
# a default that no deployment has needed to change
LEFT_TO_DEFAULT = {"CONNECT_MAX_ATTEMPTS", "ANSWER_LOOPBACK"}


def sources(*roots: str) -> str:
    """The Rust under these paths, without tests and comments."""
    files: list[Path] = []
    for root in roots:
        path = ROOT / "src" / root
        files += [path] if path.is_file() else sorted(path.rglob("*.rs"))
    kept = [file for file in files if file.name != "tests.rs"]
    texts = [file.read_text().split("#[cfg(test)]\nmod tests {")[0] for file in kept]
    return re.sub(r"//.*", "", "\n".join(texts))


def called(service: str, text: str) -> set[str]:
    """The actions of a service that the text asks for: those of the operations whose fluent builders it calls."""
    model = botocore.session.get_session().get_service_model(service)
    calls = set(re.findall(r"\.\s*([a-z_]+)\(\)", text))
    operations = {f"{service}:{name}" for name in model.operation_names if xform_name(name) in calls}
    return set().union(*(ASKED_FOR.get(operation, {operation}) for operation in operations))


def asked_of_connect() -> set[str]:
    """The calls of the code, and both ways to an instance's tags."""
    return called("connect", sources("connect.rs", "connect")) | TAGS


def test_the_code_uses_no_service_that_this_test_does_not_look_at() -> None:
    assert set(re.findall(r"aws_sdk_(\w+)", sources("."))) == {
        "connect", "dynamodb", "eventbridge", "sqs", "sts",
    }  # fmt: skip


def test_the_code_looks_for_credentials_at_nobody_whom_iam_knows() -> None:
    assert not {"sts", "sso", "imds", "profile"} & set(re.findall(r"aws_config::(\w+)::", sources(".")))


def test_what_the_code_calls_is_found() -> None:
    connect = called("connect", sources("connect.rs", "connect"))
    assert connect - TAGS == {
        "connect:UpdateAttachedFilesConfiguration",
        "connect:DescribeAttachedFilesConfiguration",
        "connect:ListAttachedFilesConfigurations",
        "connect:ListInstances",
    }
    assert connect & TAGS != set()
    assert called("sqs", sources("queue.rs")) == {"sqs:SendMessage", "sqs:ChangeMessageVisibility"}
    assert called("events", sources("bus.rs")) == ANNOUNCES
    assert called("sts", sources("connect/role.rs")) == {"sts:AssumeRole"}


def test_what_the_ledger_calls_is_what_the_roles_grant() -> None:
    assert called("dynamodb", sources("ledger.rs", "ledger")) == READS | WRITES


CONNECT_READS = {"connect:DescribeAttachedFilesConfiguration", "connect:ListAttachedFilesConfigurations"}
BY_EVERY_FUNCTION = LOGS | TRACES | READS
BY_PARAMETER_EVERYWHERE = NETWORK | KEY
TAKES = POLLER | {"sqs:ChangeMessageVisibility"}
GRANTED = {
    # sends what takes too long to the lanes; shows no message again
    "ApiRole": (ANNOUNCES | asked_of_connect() | WRITES | {"sqs:SendMessage"}, BY_PARAMETER),
    # records and plans; calls Amazon Connect never, in no account
    "IntakeRole": (ANNOUNCES | RECORDS | TAKES | {"sqs:SendMessage"}, BY_PARAMETER_EVERYWHERE),
    "WorkerRole": (ANNOUNCES | asked_of_connect() | WRITES | TAKES | {"sqs:SendMessage"}, BY_PARAMETER),
    # looks what became of an update, and sends none
    "SweepRole": (
        ANNOUNCES | CONNECT_READS | WRITES | TAKES | {"sqs:SendMessage"}, BY_PARAMETER_EVERYWHERE | {"sts:AssumeRole"},
    ),
    # shows what the ledger remembers
    "WidgetRole": (set(), BY_PARAMETER_EVERYWHERE),
    # records, plans and answers; calls Amazon Connect never
    "DeclareRole": (RECORDS | {"sqs:SendMessage"}, BY_PARAMETER_EVERYWHERE),
}


@pytest.mark.parametrize("role", GRANTED)
@pytest.mark.parametrize("values", [{}, EVERY], ids=["none", "every"])
def test_a_function_may_do_what_it_does_and_nothing_else(role: str, values: dict[str, str]) -> None:
    own, by_parameter = GRANTED[role]
    assert set(granted(role, values)) == own | BY_EVERY_FUNCTION | (by_parameter if values else set())


def test_what_is_granted_to_some_function_is_what_the_code_calls() -> None:
    """So that no role keeps what nobody needs any more."""
    of_sqs = {action for role in GRANTED for action in granted(role, EVERY) if action.startswith("sqs:")}
    assert of_sqs == called("sqs", sources("queue.rs")) | POLLER


def test_what_starts_a_function_may_do_that_and_nothing_else() -> None:
    functions = [{"Fn::GetAtt": [name, "Arn"]} for name in rust_functions()]
    assert on("StartCheckRole", EVERY).keys() == {"lambda:InvokeFunction"}
    asked = on("StartCheckRole", EVERY)["lambda:InvokeFunction"]
    assert sorted(map(named, asked)) == sorted(map(named, functions))
    assert on("EveryMinuteRole", EVERY) == {"lambda:InvokeFunction": [{"Fn::GetAtt": ["SweepFunction", "Arn"]}]}


def test_each_function_has_a_role_of_its_own() -> None:
    functions = resources("AWS::Lambda::Function")
    roles = {name: named(function["Role"]) for name, function in functions.items()}
    assert roles == {name: name.replace("Function", "Role") for name in (*rust_functions(), "StartCheckFunction")}


ALL_INSTANCES = {"Fn::Sub": "arn:${AWS::Partition}:connect:*:${AWS::AccountId}:instance/*"}


@pytest.mark.parametrize("role", GRANTED)
@pytest.mark.parametrize(("values", "instances"), [({}, ALL_INSTANCES), (EVERY, EVERY["InstanceArns"])])
def test_only_what_has_no_resource_is_granted_on_everything(
    role: str, values: dict[str, str], instances: Any
) -> None:
    everywhere = {"connect:ListInstances", "ds:DescribeDirectories"} | TRACES | NETWORK
    for action, resources_ in on(role, values).items():
        if action in everywhere:
            assert resources_ == ["*"]
        elif action in TAGS:
            assert resources_ == [ALL_INSTANCES]
        elif action.startswith("connect:"):
            assert resources_ == [instances]
        else:
            assert "*" not in resources_, action


@pytest.mark.parametrize("role", ["ApiRole", "WorkerRole", "SweepRole"])
def test_a_tag_narrows_what_is_changed_and_not_what_is_looked_at(role: str) -> None:
    tagged = {"StringEquals": {"aws:ResourceTag/attachment-policy": "governed"}}
    for values, condition in ((EVERY, tagged), ({}, None)):
        for action, found in granted(role, values).items():
            if action.startswith("connect:"):
                policies = action.endswith(("Configuration", "Configurations"))
                expected = condition if policies else None
                assert [statement.get("Condition") for statement in found] == [expected], action


def test_the_longest_lists_fit_their_policies() -> None:
    """A managed policy has 6,144 characters without white space ("IAM and AWS STS quotas"), a parameter 4,096."""
    instances = "arn:aws:connect:us-east-1:111122223333:instance/00000001-0000-4000-8000-000000000001"
    role = "arn:aws:iam::444455556666:role/attachment-policy-AttachmentRole"
    longest = {"InstanceArns": 48 * [instances], "ConnectRoleArns": 64 * [role]}
    values = EVERY | {name: ",".join(arns) for name, arns in longest.items()}
    assert [name for name in longest if len(values[name]) > 4_096] == []
    for resource in filled(values)["Resources"].values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            document = json.dumps(resource["Properties"]["PolicyDocument"], separators=(",", ":"))
            assert len(document) <= 6_144


def queues_of(role: str) -> dict[str, list[str]]:
    """What a role may do with which queue."""
    return {
        action: [named(queue) for queue in queues]
        for action, queues in on(role, EVERY).items()
        if action.startswith("sqs:")
    }


def test_queues_are_granted_one_by_one() -> None:
    allowed = {role: queues_of(role) for role in (*GRANTED, "DriftRole")}
    assert allowed == {
        "ApiRole": {"sqs:SendMessage": ["ChangeQueue"]},
        "IntakeRole": dict.fromkeys(TAKES, ["IntakeQueue"]) | {"sqs:SendMessage": ["ChangeQueue", "ParkedQueue"]},
        "WorkerRole": dict.fromkeys(TAKES, ["ChangeQueue"]) | {"sqs:SendMessage": ["ParkedQueue"]},
        "SweepRole": dict.fromkeys(TAKES, ["SeenQueue"]) | {"sqs:SendMessage": ["ChangeQueue", "ParkedQueue"]},
        "WidgetRole": {},
        "DeclareRole": {"sqs:SendMessage": ["ChangeQueue"]},
        "DriftRole": {"sqs:SendMessage": ["IntakeQueue", "ParkedQueue"]},
    }


def test_every_sender_to_an_encrypted_queue_may_use_its_key() -> None:
    """SendMessage needs both actions, ReceiveMessage the second ("Amazon SQS key management").

    DynamoDB asks for the second in the name of whoever reads or writes a table ("Using AWS KMS with DynamoDB").
    """
    for role in (*GRANTED, "DriftRole"):
        assert {action: on(role, EVERY)[action] for action in KEY} == dict.fromkeys(KEY, [EVERY["DataKeyArn"]])


def test_the_settings_of_the_template_are_those_the_code_reads() -> None:
    read = set(re.findall(r'reader\s*\.read\(\s*"(\w+)"', sources("settings.rs", "settings")))
    functions = rust_functions().values()
    variables = {name for function in functions for name in function["Environment"]["Variables"]}
    assert variables - OF_THE_SDK == read - NOT_OURS - LEFT_TO_DEFAULT


def test_what_the_template_sets_for_the_sdk_is_read_by_its_rules() -> None:
    sdk = sources("sdk.rs", "sdk") + sources("settings.rs")
    assert [name for name in OF_THE_SDK if name not in sdk] == []


def test_settings_that_are_enumerations_offer_what_the_code_takes() -> None:
    parameters = expanded()["Parameters"]
    assert parameters["QuotaScope"]["AllowedValues"] == ["per-operation", "shared"]
    assert parameters["AllowEmptyExtensions"]["AllowedValues"] == ["true", "false"]
    for function in rust_functions().values():
        variables = function["Environment"]["Variables"]
        assert default(variables["CONNECT_QUOTA"]) == "per-operation"
