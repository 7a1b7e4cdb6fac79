"""What the functions may do is what the code can ask for, and nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name

import pytest
from expansion import EVERY, ROOT, Properties, as_list, default, expanded, filled, named, resources, rust_functions

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
# set by Lambda or by the SDK's own rules, not by the template
NOT_OURS = {"AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME"}
# read by the SDK's own rules (src/sdk.rs), not by the settings
OF_THE_SDK = {"AWS_USE_FIPS_ENDPOINT", "SSL_CERT_FILE"}
# a default that no deployment has needed to change
LEFT_TO_DEFAULT = {"CONNECT_MAX_ATTEMPTS"}


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
    """The operations of a service whose fluent builders the text calls."""
    model = botocore.session.get_session().get_service_model(service)
    calls = set(re.findall(r"\.\s*([a-z_]+)\(\)", text))
    return {f"{service}:{name}" for name in model.operation_names if xform_name(name) in calls}


def documents(role: str, template: Properties) -> list[Properties]:
    """Every policy document of a role."""
    properties = template["Resources"][role]["Properties"]
    found = [policy["PolicyDocument"] for policy in properties["Policies"]]
    for policy in properties.get("ManagedPolicyArns", []):
        found.append(template["Resources"][named(policy)]["Properties"]["PolicyDocument"])
    return found


def granted(role: str, values: dict[str, str]) -> dict[str, list[Properties]]:
    """Every action that a role's policies allow with these parameters, and the statements that do."""
    found: dict[str, list[Properties]] = {}
    for document in documents(role, filled(values)):
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            for action in as_list(statement["Action"]):
                found.setdefault(action, []).append(statement)
    return found


def on(role: str, values: dict[str, str]) -> dict[str, list[Any]]:
    """Every action that a role's policies allow, and on what."""
    return {
        action: [resource for statement in found for resource in as_list(statement["Resource"])]
        for action, found in granted(role, values).items()
    }


def asked_of_connect() -> set[str]:
    """The calls of the code, and both ways to an instance's tags."""
    return called("connect", sources("connect.rs", "connect")) | TAGS


def test_the_code_uses_no_service_that_this_test_does_not_look_at() -> None:
    assert set(re.findall(r"aws_sdk_(\w+)", sources("."))) == {"connect", "sqs", "sts"}
    # where credentials are looked for calls nobody that IAM knows
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
    assert called("sts", sources("connect/role.rs")) == {"sts:AssumeRole"}


@pytest.mark.parametrize(("values", "more"), [({}, set()), (EVERY, BY_PARAMETER)], ids=["none", "every"])
def test_the_api_may_do_what_it_calls_and_nothing_else(values: dict[str, str], more: set[str]) -> None:
    """It sends changes that take too long to the queue; nothing is made visible again by it."""
    assert set(granted("ApiRole", values)) == asked_of_connect() | {"sqs:SendMessage"} | LOGS | TRACES | more


@pytest.mark.parametrize(("values", "more"), [({}, set()), (EVERY, BY_PARAMETER)], ids=["none", "every"])
def test_the_worker_may_do_what_it_calls_and_its_poller_does_and_nothing_else(
    values: dict[str, str], more: set[str]
) -> None:
    queues = called("sqs", sources("queue.rs")) | POLLER
    assert set(granted("WorkerRole", values)) == asked_of_connect() | queues | LOGS | TRACES | more


def test_the_start_check_may_ask_the_api_function_and_nothing_else() -> None:
    assert on("StartCheckRole", EVERY) == {"lambda:InvokeFunction": [{"Fn::GetAtt": ["ApiFunction", "Arn"]}]}


def test_each_function_has_a_role_of_its_own() -> None:
    functions = resources("AWS::Lambda::Function")
    roles = {name: named(function["Role"]) for name, function in functions.items()}
    own = {"ApiFunction": "ApiRole", "WorkerFunction": "WorkerRole", "StartCheckFunction": "StartCheckRole"}
    assert roles == own


ALL_INSTANCES = {"Fn::Sub": "arn:${AWS::Partition}:connect:*:${AWS::AccountId}:instance/*"}


@pytest.mark.parametrize("role", ["ApiRole", "WorkerRole"])
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
            assert "*" not in resources_


def test_a_tag_narrows_what_is_changed_and_not_what_is_looked_at() -> None:
    tagged = {"StringEquals": {"aws:ResourceTag/attachment-policy": "governed"}}
    for action, found in granted("WorkerRole", EVERY).items():
        policies = action.startswith("connect:") and action.endswith(("Configuration", "Configurations"))
        assert [statement.get("Condition") for statement in found] == [tagged if policies else None], action
    for action, found in granted("WorkerRole", {}).items():
        assert [statement.get("Condition") for statement in found] == [None], action


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
    allowed = {role: queues_of(role) for role in ("ApiRole", "WorkerRole", "DriftRole")}
    taken = dict.fromkeys(POLLER | {"sqs:ChangeMessageVisibility"}, ["ChangeQueue"])
    assert allowed == {
        "ApiRole": {"sqs:SendMessage": ["ChangeQueue"]},
        "WorkerRole": taken | {"sqs:SendMessage": ["ParkedQueue"]},
        "DriftRole": {"sqs:SendMessage": ["ChangeQueue", "ParkedQueue"]},
    }


def test_every_sender_to_an_encrypted_queue_may_use_its_key() -> None:
    """SendMessage needs both actions, ReceiveMessage the second ("Amazon SQS key management")."""
    for role in ("ApiRole", "WorkerRole", "DriftRole"):
        assert {action: on(role, EVERY)[action] for action in KEY} == dict.fromkeys(KEY, [EVERY["DataKeyArn"]])


def test_the_settings_of_the_template_are_those_the_code_reads() -> None:
    read = set(re.findall(r'reader\s*\.read\(\s*"(\w+)"', sources("settings.rs")))
    functions = rust_functions().values()
    variables = {name for function in functions for name in function["Environment"]["Variables"]}
    assert variables - OF_THE_SDK == read - NOT_OURS - LEFT_TO_DEFAULT
    sdk = sources("sdk.rs", "sdk") + sources("settings.rs")
    assert [name for name in OF_THE_SDK if name not in sdk] == []


def test_settings_that_are_enumerations_offer_what_the_code_takes() -> None:
    parameters = expanded()["Parameters"]
    assert parameters["QuotaScope"]["AllowedValues"] == ["per-operation", "shared"]
    assert parameters["AllowEmptyExtensions"]["AllowedValues"] == ["true", "false"]
    for function in rust_functions().values():
        variables = function["Environment"]["Variables"]
        assert default(variables["CONNECT_QUOTA"]) == "per-operation"
