"""boto3 against the sandbox: what a Python program sees."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws import SCOPES, client, instance_arn, instance_id
from botocore.exceptions import ClientError, ConnectionClosedError, ParamValidationError, ReadTimeoutError
from conftest import Sandbox

INSTANCE = instance_id(1)
NOBODY = instance_id(9)
DEFAULT_SIZE = 20_971_520
DEFAULT_EXTENSIONS = "csv doc docx heic jfif jpeg jpg mov mp4 pdf png ppt pptx rtf txt wav xls xlsx".split()
ONE = {"InstanceId": INSTANCE, "AttachmentScope": "CHAT"}

# The required parameters of each of the five operations.
CALLS: dict[str, dict[str, Any]] = {
    "update_attached_files_configuration": ONE,
    "describe_attached_files_configuration": ONE,
    "list_attached_files_configurations": {"InstanceId": INSTANCE},
    "list_instances": {},
    "describe_instance": {"InstanceId": INSTANCE},
}

Connect = Callable[..., str]


def extensions(*names: str) -> dict[str, Any]:
    return {"AllowedExtensions": [{"Extension": name} for name in names]}


@pytest.fixture
def boto(connect: Connect) -> Any:
    """A client of an Amazon Connect without any changes."""
    return client("connect", connect("--rate=0"))


# ---- The calls of the documentation's page ----


@pytest.mark.parametrize("scope", SCOPES)
def test_an_update_with_every_parameter_answers_with_every_member(boto: Any, scope: str) -> None:
    began = datetime.now(UTC)
    answer = boto.update_attached_files_configuration(
        InstanceId=INSTANCE,
        AttachmentScope=scope,
        MaximumSizeLimitInBytes=5_242_880,
        ExtensionConfiguration=extensions("pdf", "png"),
    )
    assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
    modified = answer.pop("LastModifiedTime")
    assert began - timedelta(seconds=1) <= modified <= datetime.now(UTC) + timedelta(seconds=1)
    held = {
        "InstanceId": INSTANCE,
        "AttachmentScope": scope,
        "MaximumSizeLimitInBytes": 5_242_880,
        "ExtensionConfiguration": extensions("pdf", "png"),
    }
    assert answer == held
    described = boto.describe_attached_files_configuration(InstanceId=INSTANCE, AttachmentScope=scope)
    assert described["AttachedFilesConfiguration"] == {**held, "LastModifiedTime": modified}


@pytest.mark.parametrize(
    ("sent", "size", "names"),
    [
        ({"MaximumSizeLimitInBytes": 1}, 1, DEFAULT_EXTENSIONS),
        ({"MaximumSizeLimitInBytes": 104_857_600}, 104_857_600, DEFAULT_EXTENSIONS),
        ({"ExtensionConfiguration": extensions("a", "B-_9", "x" * 10)}, DEFAULT_SIZE, ["a", "B-_9", "x" * 10]),
        ({}, DEFAULT_SIZE, DEFAULT_EXTENSIONS),
    ],
    ids=["smallest size", "largest size", "extensions only", "neither"],
)
def test_what_an_update_does_not_name_keeps_its_value(
    boto: Any, sent: dict[str, Any], size: int, names: list[str]
) -> None:
    answer = boto.update_attached_files_configuration(**ONE, **sent)
    assert answer["MaximumSizeLimitInBytes"] == size
    assert answer["ExtensionConfiguration"] == extensions(*names)


def test_a_list_has_every_scope_and_no_time(boto: Any) -> None:
    boto.update_attached_files_configuration(**ONE, MaximumSizeLimitInBytes=1_048_576)
    listed = boto.list_attached_files_configurations(InstanceId=INSTANCE)["AttachedFilesConfigurations"]
    assert [entry["AttachmentScope"] for entry in listed] == list(SCOPES)
    sizes = [DEFAULT_SIZE, 1_048_576, DEFAULT_SIZE, DEFAULT_SIZE]
    assert [entry["MaximumSizeLimitInBytes"] for entry in listed] == sizes
    assert all(entry["ExtensionConfiguration"] == extensions(*DEFAULT_EXTENSIONS) for entry in listed)
    assert not any("LastModifiedTime" in entry for entry in listed)


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_boto3s_paginator_sees_every_scope_once_whatever_the_page(boto: Any, size: int) -> None:
    pages = boto.get_paginator("list_attached_files_configurations").paginate(
        InstanceId=INSTANCE, PaginationConfig={"PageSize": size}
    )
    pages = [page["AttachedFilesConfigurations"] for page in pages]
    assert [entry["AttachmentScope"] for page in pages for entry in page] == list(SCOPES)
    assert max(map(len, pages)) == min(size, len(SCOPES))


def test_boto3s_paginator_sees_every_instance_once(connect: Connect) -> None:
    boto = client("connect", connect("--rate=0", "--instances=23"))
    pages = [page["InstanceSummaryList"] for page in boto.get_paginator("list_instances").paginate()]
    assert [len(page) for page in pages] == [10, 10, 3]
    found = [(entry["Id"], entry["Arn"], entry["InstanceStatus"]) for page in pages for entry in page]
    assert found == [(instance_id(n), instance_arn(n), "ACTIVE") for n in range(1, 24)]


def test_tags_are_a_dictionary(boto: Any) -> None:
    assert boto.describe_instance(InstanceId=INSTANCE)["Instance"]["Tags"] == {}


# ---- Names ----


@pytest.mark.parametrize("named", [INSTANCE, instance_arn(1)], ids=["id", "ARN"])
def test_an_instance_is_named_by_id_or_arn_and_answered_by_id(boto: Any, named: str) -> None:
    update = boto.update_attached_files_configuration(
        InstanceId=named, AttachmentScope="CASE", MaximumSizeLimitInBytes=7
    )
    described = boto.describe_attached_files_configuration(InstanceId=named, AttachmentScope="CASE")
    listed = boto.list_attached_files_configurations(InstanceId=named)["AttachedFilesConfigurations"]
    entries = [update, described["AttachedFilesConfiguration"], *listed]
    assert {entry["InstanceId"] for entry in entries} == {INSTANCE}
    assert listed[2]["MaximumSizeLimitInBytes"] == 7


@pytest.mark.parametrize("name", ["a/b", "a%2Fb", "../instance", "?maxResults=1", "#", "ä", "a b", "+", "."])
def test_what_needs_percent_encoding_arrives_as_one_name(boto: Any, name: str) -> None:
    with pytest.raises(boto.exceptions.ResourceNotFoundException) as caught:
        boto.describe_attached_files_configuration(InstanceId=name, AttachmentScope="CHAT")
    assert caught.value.response["Error"]["Message"] == f"there is no instance `{name}`"


def test_another_region_has_instances_of_its_own(connect: Connect) -> None:
    url = connect("--rate=0", f"--instance={instance_arn(7, 'eu-central-1')}")
    listed = client("connect", url, "eu-central-1").list_instances()["InstanceSummaryList"]
    assert [entry["Arn"] for entry in listed] == [instance_arn(7, "eu-central-1")]
    here = client("connect", url).list_instances()["InstanceSummaryList"]
    assert [entry["Id"] for entry in here] == [instance_id(n) for n in (1, 2, 3)]


# ---- Errors ----


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    ("fault", "name", "status"),
    [
        ("throttle", "ThrottlingException", 429),
        ("500", "InternalServiceException", 500),
        ("access-denied", "AccessDeniedException", 403),
        ("not-found", "ResourceNotFoundException", 404),
    ],
)
def test_a_fault_is_the_exception_of_its_class(
    connect: Connect, fault: str, name: str, status: int, operation: str
) -> None:
    boto = client("connect", connect("--rate=0", f"--fault={fault}=1"))
    with pytest.raises(getattr(boto.exceptions, name)) as caught:
        getattr(boto, operation)(**CALLS[operation])
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (name, status)
    assert answer["Error"]["Message"] != ""
    assert len(answer["ResponseMetadata"]["RequestId"]) == 36


@pytest.mark.parametrize(
    ("operation", "sent", "name"),
    [
        ("update_attached_files_configuration", {"AttachmentScope": "FAX"}, "InvalidParameterException"),
        ("update_attached_files_configuration", {"AttachmentScope": "chat"}, "InvalidParameterException"),
        ("update_attached_files_configuration", {"MaximumSizeLimitInBytes": 104_857_601}, "InvalidParameterException"),
        ("update_attached_files_configuration", {"ExtensionConfiguration": extensions("x" * 11)}, "InvalidParameterException"),
        ("update_attached_files_configuration", {"ExtensionConfiguration": extensions(".pdf")}, "InvalidParameterException"),
        ("update_attached_files_configuration", {"InstanceId": "x" * 101}, "InvalidParameterException"),
        ("update_attached_files_configuration", {"InstanceId": NOBODY}, "ResourceNotFoundException"),
        ("update_attached_files_configuration", {"InstanceId": instance_arn(1, "us-west-2")}, "InvalidParameterException"),
        ("describe_attached_files_configuration", {"AttachmentScope": "FAX"}, "InvalidParameterException"),
        ("describe_attached_files_configuration", {"InstanceId": NOBODY}, "ResourceNotFoundException"),
        ("list_attached_files_configurations", {"MaxResults": 101}, "InvalidParameterException"),
        ("list_attached_files_configurations", {"NextToken": "forged"}, "InvalidParameterException"),
        ("list_attached_files_configurations", {"InstanceId": NOBODY}, "ResourceNotFoundException"),
        ("list_instances", {"MaxResults": 11}, "InvalidRequestException"),
        ("list_instances", {"NextToken": "forged"}, "InvalidRequestException"),
        ("describe_instance", {"InstanceId": "arn:aws:s3:::bucket"}, "InvalidRequestException"),
        ("describe_instance", {"InstanceId": instance_arn(9)}, "ResourceNotFoundException"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_the_exception_of_its_class(
    boto: Any, operation: str, sent: dict[str, Any], name: str
) -> None:
    with pytest.raises(getattr(boto.exceptions, name)):
        getattr(boto, operation)(**{**CALLS[operation], **sent})


def test_every_modelled_exception_of_the_three_operations_is_among_those_seen_above(boto: Any) -> None:
    model = boto.meta.service_model
    names = ("Update{}Configuration", "Describe{}Configuration", "List{}Configurations")
    modelled = [model.operation_model(name.format("AttachedFiles")).error_shapes for name in names]
    seen = {
        "AccessDeniedException",
        "InternalServiceException",
        "InvalidParameterException",
        "ResourceNotFoundException",
        "ThrottlingException",
    }
    assert [{shape.name for shape in shapes} for shapes in modelled] == [seen] * 3


def test_boto3_itself_refuses_what_its_model_refuses(boto: Any) -> None:
    for wrong in ({"MaximumSizeLimitInBytes": 0}, {"MaximumSizeLimitInBytes": "1"}, {"ExtensionConfiguration": {}}):
        with pytest.raises(ParamValidationError):
            boto.update_attached_files_configuration(**ONE, **wrong)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("reset-before", ConnectionClosedError),
        ("reset-after", ConnectionClosedError),
        ("slow:5000", ReadTimeoutError),
    ],
)
def test_an_answer_that_never_came_whole_is_no_answer(
    connect: Connect, fault: str, expected: type[Exception]
) -> None:
    boto = client("connect", connect("--rate=0", f"--fault={fault}=1"), read_timeout=1)
    with pytest.raises(expected) as caught:
        boto.describe_attached_files_configuration(**ONE)
    assert not isinstance(caught.value, ClientError)


@pytest.mark.parametrize("fault", ["truncated", "wrong-content-type"])
def test_boto3_takes_a_body_that_is_no_json_for_an_empty_answer(connect: Connect, fault: str) -> None:
    """How botocore behaves. The function must behave differently: it treats neither as an answer."""
    boto = client("connect", connect("--rate=0", f"--fault={fault}=1"))
    assert list(boto.describe_attached_files_configuration(**ONE)) == ["ResponseMetadata"]


@pytest.mark.parametrize("fault", ["truncated", "wrong-content-type"])
def test_the_function_does_not(serve: Callable[..., Sandbox], fault: str) -> None:
    sandbox = serve("--rate=0", f"--fault={fault}=1", "--env=CONNECT_MAX_ATTEMPTS=1")
    change = {"instanceId": INSTANCE, "attachmentScope": "CHAT", "maximumSize": "1 MB"}
    answer = client("lambda", sandbox.invoke).invoke(
        FunctionName="connect-attachment-policy", Payload=json.dumps(change)
    )
    report = json.loads(json.load(answer["Payload"])["errorMessage"])
    assert (report["status"], report["summary"]) == ("incomplete", {"failed": 1})


# ---- What the function did ----


def test_boto3_reads_what_the_function_changed(sandbox: Sandbox) -> None:
    change = {"instanceId": instance_id(2), "attachmentScope": "TASK", "maximumSize": "3 MB", "allowedExtensions": ["PDF"]}
    answer = client("lambda", sandbox.invoke).invoke(
        FunctionName="connect-attachment-policy", Payload=json.dumps(change)
    )
    assert (answer["StatusCode"], answer.get("FunctionError")) == (200, None)
    report = json.load(answer["Payload"])
    described = client("connect", sandbox.connect).describe_attached_files_configuration(
        InstanceId=instance_id(2), AttachmentScope="TASK"
    )["AttachedFilesConfiguration"]
    assert described["MaximumSizeLimitInBytes"] == 3 * 1_048_576
    assert described["ExtensionConfiguration"] == extensions("pdf")
    modified = datetime.fromisoformat(report["results"][0]["lastModifiedTime"])
    assert described["LastModifiedTime"] == modified
