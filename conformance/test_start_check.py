"""The start check of template.yaml: its code is taken from the template and asks the production binary."""

import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber
from conftest import serving, UNPACED, Sandbox
from expansion import EVERY, ROOT, TEMPLATE, NoManagedPolicies, expanded, filled, named, resources, rust_functions
from functions import FUNCTIONS
from recorded_aws import ANYBODY
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse
from start_check import NAME, payloads, program


def deployed(client: Any, kind: str = "Update") -> list[tuple]:
    """The answers that CloudFormation gets."""
    answers: list[tuple] = []
    asked = {"Name": NAME, "Payload": payloads()["ApiFunction"]}
    event = {"RequestType": kind, "ResourceProperties": {"Functions": [asked]}}
    program(client, answers).handler(event, None)
    return answers


def refusing(*codes: str) -> Any:
    client = boto3.client("lambda", **ANYBODY)
    stub = Stubber(client)
    for code in codes:
        stub.add_client_error("invoke", code)
    stub.activate()
    return client


def test_a_function_that_starts_lets_the_deployment_go_on(serve: Callable[..., Sandbox]) -> None:
    client = boto3.client("lambda", endpoint_url=serve(*UNPACED).invoke, **ANYBODY)
    assert deployed(client) == [("SUCCESS", "start-check", None)]


@pytest.mark.parametrize(
    "wrong",
    [
        "POLICY_ALLOWED_INSTANCES=nonsense",
        # two roles of one account: each is a role, so no pattern sees it
        "CONNECT_ROLE_ARNS=arn:aws:iam::444455556666:role/a,arn:aws:iam::444455556666:role/b",
    ],
)
def test_a_function_that_does_not_start_fails_the_deployment(serve: Callable[..., Sandbox], wrong: str) -> None:
    sandbox = serve(*UNPACED, f"--env={wrong}")
    client = boto3.client("lambda", endpoint_url=sandbox.invoke, **ANYBODY)
    [(status, physical_id, reason)] = deployed(client, "Create")
    assert (status, physical_id) == ("FAILED", "start-check")
    assert reason.startswith(f"{NAME} does not start: ")
    assert "Runtime.ExitError" in reason


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_answers_what_it_is_asked_without_an_error(tmp_path: Path, name: str) -> None:
    """By its own trigger: an error would be counted, and raise an alarm with each deployment."""
    function = f"{NAME}-{name.removesuffix('Function').lower()}"
    with serving(tmp_path / "log", *UNPACED, command="govern") as sandbox:
        client = boto3.client("lambda", endpoint_url=sandbox.invoke, **ANYBODY)
        answer = client.invoke(FunctionName=function, Payload=payloads()[name])
    assert "FunctionError" not in answer, answer["Payload"].read()
    assert json.loads(answer["Payload"].read()) is not None


def test_every_function_is_asked() -> None:
    check = resources("AWS::CloudFormation::CustomResource")["StartCheck"]
    assert [named(one["Name"]) for one in check["Functions"]] == list(FUNCTIONS)


def test_one_that_does_not_start_is_enough() -> None:
    answers = {"one": None, "two": "Runtime.ExitError", "three": None}
    asked: list[str] = []

    def invoke(FunctionName: str, Payload: str) -> dict[str, Any]:
        asked.append(FunctionName)
        error = answers[FunctionName]
        said = json.dumps({"errorType": error} if error else {}).encode()
        return {"Payload": io.BytesIO(said)} | ({"FunctionError": "Unhandled"} if error else {})

    told: list[tuple] = []
    names = [{"Name": name, "Payload": "{}"} for name in answers]
    client = SimpleNamespace(invoke=invoke, exceptions=boto3.client("lambda", **ANYBODY).exceptions)
    program(client, told).handler({"RequestType": "Create", "ResourceProperties": {"Functions": names}}, None)
    [(status, _, reason)] = told
    assert (status, reason) == ("FAILED", 'two does not start: {"errorType": "Runtime.ExitError"}')
    assert asked == ["one", "two"]


@pytest.mark.parametrize(
    ("said", "starts"),
    [
        # Lambda's, where the process ends or cannot be started ("Lambda Runtime API", "Sandbox" for its time)
        ('{"errorType": "Runtime.ExitError", "errorMessage": "exit status 1"}', False),
        ('{"errorType": "Runtime.InvalidEntrypoint", "errorMessage": "no such file"}', False),
        ('{"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out"}', False),
        # its own: it has started, and what is wrong now is no matter of the deployment
        ('{"errorType": "LedgerUnavailable", "errorMessage": "DynamoDB does not answer"}', True),
        # what is no answer of Lambda's
        ("null", False),
        ("not JSON", False),
        ('{"errorMessage": "no type"}', False),
    ],
)
def test_a_function_that_has_an_error_of_its_own_has_started(said: str, starts: bool) -> None:
    answer = {"FunctionError": "Unhandled", "Payload": io.BytesIO(said.encode())}
    client = SimpleNamespace(invoke=lambda **_: answer, exceptions=boto3.client("lambda", **ANYBODY).exceptions)
    [(status, _, reason)] = deployed(client)
    assert (status == "SUCCESS", reason is None) == (starts, starts)


def test_a_sweep_that_takes_long_has_started() -> None:
    def invoke(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="lambda")

    client = SimpleNamespace(invoke=invoke, exceptions=boto3.client("lambda", **ANYBODY).exceptions)
    assert deployed(client) == [("SUCCESS", "start-check", None)]


def test_a_removal_asks_nothing() -> None:
    assert deployed(refusing(), "Delete") == [("SUCCESS", "start-check", None)]


def test_a_function_that_is_busy_is_not_asked_again() -> None:
    assert deployed(refusing("TooManyRequestsException")) == [("SUCCESS", "start-check", None)]


def test_a_new_role_is_given_a_minute_to_be_known() -> None:
    [(status, _, reason)] = deployed(refusing(*["AccessDeniedException"] * 6))
    assert (status, "AccessDeniedException" in reason) == ("FAILED", True)
    assert deployed(refusing("AccessDeniedException", "TooManyRequestsException"))[0][0] == "SUCCESS"


def test_an_unexpected_error_is_answered_too() -> None:
    """Without an answer the deployment would wait for its timeout."""
    [(status, _, reason)] = deployed(SimpleNamespace(), "Create")
    assert (status, "AttributeError" in reason) == ("FAILED", True)


def test_it_waits_longer_than_it_asks_and_less_long_than_it_is_waited_for() -> None:
    function = resources("AWS::Lambda::Function")["StartCheckFunction"]
    check = resources("AWS::CloudFormation::CustomResource")["StartCheck"]
    # each function 6 times with 10 s between, and the last time for as long as an answer may take
    asks = len(FUNCTIONS) * (6 * 10 + 60)
    assert asks <= function["Timeout"] < check["ServiceTimeout"]


def parameters(value: Any) -> set[str]:
    """The parameters that a value refers to."""
    match value:
        case {"Ref": name}:
            return {name} & expanded()["Parameters"].keys()
        case {"Fn::If": [condition, *branches]}:
            return parameters(expanded()["Conditions"][condition]) | parameters(branches)
        case dict():
            return set().union(*map(parameters, value.values()))
        case list():
            return set().union(*map(parameters, value))
    return set()


def test_it_runs_again_where_anything_changes_that_a_function_starts_with() -> None:
    kept = ("Architectures", "Environment", "Layers", "MemorySize", "VpcConfig")
    started = [{name: function[name] for name in kept} for function in rust_functions().values()]
    check = resources("AWS::CloudFormation::CustomResource")["StartCheck"]
    assert parameters(started) == parameters(check["Settings"])


def test_it_runs_again_with_every_release() -> None:
    [version] = [line for line in (ROOT / "Cargo.toml").read_text().splitlines() if line.startswith("version = ")]
    check = resources("AWS::CloudFormation::CustomResource")["StartCheck"]
    assert version == f'version = "{check["Version"]}"'


@pytest.mark.parametrize(
    ("values", "there"), [({}, True), ({"CheckStart": "false"}, False), (EVERY, True)]
)
def test_it_is_there_unless_it_is_switched_off(values: dict[str, str], there: bool) -> None:
    assert ("StartCheck" in filled(values)["Resources"]) is there


def test_an_alias_would_hide_changed_parameters() -> None:
    """Why there is a check and no alias with a canary: SAM makes a version for new code, not for new parameters."""
    def versions(values: dict[str, str]) -> set[str]:
        template = yaml_parse(TEMPLATE.read_text())
        template["Globals"]["Function"] |= {
            "CodeUri": "s3://artifacts/function.zip", "AutoPublishAlias": "live", "AutoPublishAliasAllProperties": True
        }  # fmt: skip
        made = transform(template, values, NoManagedPolicies())["Resources"]
        return {name for name, resource in made.items() if resource["Type"] == "AWS::Lambda::Version"}

    assert versions({"AllowedInstances": "nonsense"}) == versions({})
    assert len(versions({})) == len(FUNCTIONS)
