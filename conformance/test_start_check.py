"""The start check of template.yaml: its code is taken from the template and asks the production binary."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from conftest import UNPACED, Sandbox
from expansion import EVERY, ROOT, TEMPLATE, NoManagedPolicies, expanded, filled, resources, rust_functions
from recorded_aws import ANYBODY
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse
from start_check import NAME, program

def deployed(client: Any, kind: str = "Update") -> list[tuple]:
    """What CloudFormation is told."""
    answers: list[tuple] = []
    event = {"RequestType": kind, "ResourceProperties": {"Function": NAME}}
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
    sandbox = serve(*UNPACED, "--env=ACCEPTED_TRIGGERS=http")
    client = boto3.client("lambda", endpoint_url=sandbox.invoke, **ANYBODY)
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
    sandbox = serve(*UNPACED, "--env=ACCEPTED_TRIGGERS=http", f"--env={wrong}")
    client = boto3.client("lambda", endpoint_url=sandbox.invoke, **ANYBODY)
    [(status, physical_id, reason)] = deployed(client, "Create")
    assert (status, physical_id) == ("FAILED", "start-check")
    assert reason.startswith(f"{NAME} does not start: ")
    assert "Runtime.ExitError" in reason


def test_a_removal_asks_nothing() -> None:
    assert deployed(refusing(), "Delete") == [("SUCCESS", "start-check", None)]


def test_a_function_that_is_frozen_or_busy_is_not_asked_again() -> None:
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
    asks = 6 * 10
    assert asks < function["Timeout"] < check["ServiceTimeout"]


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


def test_it_runs_again_where_anything_changes_that_the_function_starts_with() -> None:
    started = resources("AWS::Lambda::Function")["ApiFunction"]
    with_ = {name: started[name] for name in ("Architectures", "Environment", "Layers", "MemorySize", "VpcConfig")}
    check = resources("AWS::CloudFormation::CustomResource")["StartCheck"]
    assert parameters(with_) == parameters(check["Settings"])


def test_it_runs_again_with_every_release() -> None:
    [version] = [line for line in (ROOT / "Cargo.toml").read_text().splitlines() if line.startswith("version = ")]
    check = resources("AWS::CloudFormation::CustomResource")["StartCheck"]
    assert version == f'version = "{check["Version"]}"'


def test_the_worker_starts_with_nothing_that_the_check_has_not_seen() -> None:
    """Apart from numbers that CloudFormation bounds and an URL that it makes."""
    api, worker = (rust_functions()[name] for name in ("ApiFunction", "WorkerFunction"))
    differ = {
        name
        for name in api["Environment"]["Variables"].keys() | worker["Environment"]["Variables"].keys()
        if api["Environment"]["Variables"].get(name) != worker["Environment"]["Variables"].get(name)
    }
    assert differ == {
        "ACCEPTED_TRIGGERS", "CONNECT_REQUESTS_PER_SECOND", "CONNECT_BURST", "CHANGE_QUEUE_URL", "PARKED_QUEUE_URL",
    }  # fmt: skip
    for name in ("Architectures", "Layers", "MemorySize", "VpcConfig", "Runtime"):
        assert api[name] == worker[name]


@pytest.mark.parametrize(
    ("values", "there"), [({}, True), ({"CheckStart": "false"}, False), ({"Frozen": "true"}, False), (EVERY, True)]
)
def test_it_is_there_unless_it_is_switched_off_or_the_api_is_frozen(values: dict[str, str], there: bool) -> None:
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
    assert len(versions({})) == 2
