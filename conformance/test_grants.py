"""What the functions may do is what the code can ask for, and nothing else."""

import re
from pathlib import Path

import botocore.session
from botocore import xform_name

from expansion import ROOT, as_list, default, expanded, named, resources, statements

# "Using Lambda with Amazon SQS": what the poller does with the function's role
POLLER = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
# granted on a parameter only: AWS's tables name it beside ListInstances
BY_PARAMETER = {"ds:DescribeDirectories"}
# set by Lambda or by the SDK's own rules, not by the template
NOT_OURS = {"AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME"}
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


def granted(role: str) -> dict[str, list[dict]]:
    """Every action that a role's policies allow, and on what."""
    properties = resources("AWS::IAM::Role")[role]
    documents = [policy["PolicyDocument"] for policy in properties["Policies"]]
    for policy in properties.get("ManagedPolicyArns", []):
        documents.append(resources("AWS::IAM::ManagedPolicy")[named(policy)]["PolicyDocument"])
    found: dict[str, list[dict]] = {}
    for document in documents:
        for statement in statements(document):
            assert statement["Effect"] == "Allow"
            for action in as_list(statement["Action"]):
                found.setdefault(action, []).extend(as_list(statement["Resource"]))
    return found


def test_the_code_uses_no_service_that_this_test_does_not_look_at() -> None:
    assert set(re.findall(r"aws_sdk_(\w+)", sources("."))) == {"connect", "sqs", "sts"}
    # where credentials are looked for calls nobody that IAM knows
    assert not {"sts", "sso", "imds", "profile"} & set(re.findall(r"aws_config::(\w+)::", sources(".")))


def test_what_the_code_calls_is_found() -> None:
    assert called("connect", sources("connect.rs", "connect")) == {
        "connect:UpdateAttachedFilesConfiguration",
        "connect:DescribeAttachedFilesConfiguration",
        "connect:ListAttachedFilesConfigurations",
        "connect:ListInstances",
        "connect:ListTagsForResource",
    }
    assert called("sqs", sources("queue.rs")) == {"sqs:SendMessage", "sqs:ChangeMessageVisibility"}
    assert called("sts", sources("connect/role.rs")) == {"sts:AssumeRole"}


def test_the_api_may_do_what_it_calls_and_nothing_else() -> None:
    """It sends changes that take too long to the queue; nothing is made visible again by it."""
    connect = called("connect", sources("connect.rs", "connect"))
    expected = connect | {"sts:AssumeRole", "sqs:SendMessage"} | LOGS | TRACES | BY_PARAMETER
    assert set(granted("ApiRole")) == expected


def test_the_worker_may_do_what_it_calls_and_its_poller_does_and_nothing_else() -> None:
    connect = called("connect", sources("connect.rs", "connect"))
    queues = called("sqs", sources("queue.rs")) | POLLER
    assert set(granted("WorkerRole")) == connect | {"sts:AssumeRole"} | queues | LOGS | TRACES | BY_PARAMETER


def test_each_function_has_a_role_of_its_own() -> None:
    functions = resources("AWS::Lambda::Function")
    roles = {name: named(function["Role"]) for name, function in functions.items()}
    assert roles == {"ApiFunction": "ApiRole", "WorkerFunction": "WorkerRole"}


def test_connect_is_granted_on_instances_and_only_what_has_no_resource_on_everything() -> None:
    everywhere = {"connect:ListInstances", "ds:DescribeDirectories"} | TRACES
    instances = {
        "Fn::If": [
            "NamesInstances",
            {"Ref": "InstanceArns"},
            {"Fn::Sub": "arn:${AWS::Partition}:connect:*:${AWS::AccountId}:instance/*"},
        ]
    }
    for role in ("ApiRole", "WorkerRole"):
        for action, on in granted(role).items():
            if action in everywhere:
                assert on == ["*"]
            elif action.startswith("connect:"):
                assert on == [instances]
            else:
                assert "*" not in on


def queues_of(role: str) -> dict[str, list[str]]:
    """What a role may do with which queue."""
    queues = {action: on for action, on in granted(role).items() if action.startswith("sqs:")}
    return {action: [named(queue) for queue in on] for action, on in queues.items()}


def test_queues_are_granted_one_by_one() -> None:
    on = {role: queues_of(role) for role in ("ApiRole", "WorkerRole", "DriftRole")}
    taken = dict.fromkeys(POLLER | {"sqs:ChangeMessageVisibility"}, ["ChangeQueue"])
    assert on == {
        "ApiRole": {"sqs:SendMessage": ["ChangeQueue"]},
        "WorkerRole": taken | {"sqs:SendMessage": ["ParkedQueue"]},
        "DriftRole": {"sqs:SendMessage": ["ChangeQueue", "ParkedQueue"]},
    }


def test_the_settings_of_the_template_are_those_the_code_reads() -> None:
    read = set(re.findall(r'reader\s*\.read\(\s*"(\w+)"', sources("settings.rs")))
    functions = resources("AWS::Lambda::Function").values()
    variables = {name for function in functions for name in function["Environment"]["Variables"]}
    assert variables == read - NOT_OURS - LEFT_TO_DEFAULT


def test_settings_that_are_enumerations_offer_what_the_code_takes() -> None:
    parameters = expanded()["Parameters"]
    assert parameters["QuotaScope"]["AllowedValues"] == ["per-operation", "shared"]
    assert parameters["AllowEmptyExtensions"]["AllowedValues"] == ["true", "false"]
    for function in resources("AWS::Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        assert default(variables["CONNECT_QUOTA"]) == "per-operation"
