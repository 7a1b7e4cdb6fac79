"""Stacks that declare policies, driven by a CloudFormation that nobody here wrote, with the function's real bootstrap.

ministack sends no Delete after a failed Create and no request twice: tests/it/declared sends both.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hcl2
import pytest
import requests
from aws import ACCOUNT, instance_id
from cdk_example import synthesised, with_every_property
from cloudformation import FUNCTIONS_STACK, CloudFormation, ministack, read
from conftest import UNPACED, serving
from expansion import ROOT
from runbook import under
from shell import TO_MOTO, shell

MIB = 1024 * 1024
EXAMPLE = ROOT / "examples/cloudformation/policies.yaml"
TERRAFORM = ROOT / "examples/terraform"
SERVICE_TOKEN = {"Fn::ImportValue": f"{FUNCTIONS_STACK}-DeclareFunctionArn"}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudFormation]:
    directory = tmp_path_factory.mktemp("account")
    answered_here = "--env=ANSWER_LOOPBACK=true"
    with serving(directory / "log", *UNPACED, answered_here, command="govern") as sandbox, ministack(directory) as url:
        account = CloudFormation(url, sandbox)
        account.deploy_functions()
        yield account


@pytest.fixture
def stacks(account: CloudFormation) -> Iterator[CloudFormation]:
    """Without any stack of another test, and with none left."""
    yield account
    for stack in account.api.describe_stacks()["Stacks"]:
        if stack["StackName"] != FUNCTIONS_STACK:
            account.delete(stack["StackName"])
    assert {account.held(number, scope) for number in (1, 2, 3) for scope in ("CHAT", "EMAIL", "TASK")} == {
        (20 * MIB, DEFAULT)
    }


DEFAULT = tuple("csv doc docx heic jfif jpeg jpg mov mp4 pdf png ppt pptx rtf txt wav xls xlsx".split())


def policy(size: str = "10 MB", scope: str = "CHAT", **others: Any) -> dict[str, Any]:
    """A resource that declares one target of the first instance, and puts back what was there."""
    values = {"InstanceIds": [instance_id(1)], "AttachmentScopes": [scope], "AllowedExtensions": ["pdf"]}
    properties = {"ServiceToken": SERVICE_TOKEN, "MaximumSize": size, "OnDelete": "Restore", **values, **others}
    return {"Type": "Custom::AttachmentPolicy", "Properties": properties}


def set_default(stacks: CloudFormation) -> None:
    """What every other test finds."""
    target = {"instanceId": instance_id(1), "attachmentScope": "CHAT"}
    values = {"maximumSize": "20 MB", "allowedExtensions": DEFAULT}
    answer = requests.post(f"{stacks.sandbox.function}/policy-changes", json=target | values, timeout=60)
    assert answer.json()["summary"] == {"applied": 1}, answer.text


@contextmanager
def frozen(stacks: CloudFormation) -> Iterator[None]:
    url = f"{stacks.sandbox.function}/freeze"
    assert requests.put(url, json={"reason": "INC-7"}, timeout=60).status_code == 200
    try:
        yield
    finally:
        assert requests.delete(url, timeout=60).status_code == 200


def template(**resources: Any) -> str:
    """Resources that are created one after another."""
    names = list(resources)
    for before, name in zip(names, names[1:], strict=False):
        resources[name]["DependsOn"] = before
    return json.dumps({"Resources": resources})


def record(stacks: CloudFormation, change: str) -> dict[str, Any]:
    answer = requests.get(f"{stacks.sandbox.function}/policy-changes/{change}", timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_example_is_created_updated_and_deleted(stacks: CloudFormation) -> None:
    body = EXAMPLE.read_text()
    assert stacks.create("policies", body) == "CREATE_COMPLETE", stacks.events("policies")
    created, physical = stacks.outputs("policies"), stacks.physical_ids("policies")
    assert created["Targets"] == "6"
    recorded = record(stacks, created["Change"])
    assert (recorded["status"], recorded["summary"]) == ("succeeded", {"applied": 6})
    assert stacks.held(3, "TASK") == (10 * MIB, ("docx", "jpg", "pdf", "png"))
    assert stacks.held(3, "EMAIL") == (20 * MIB, DEFAULT)

    assert stacks.update("policies", body.replace("10 MB", "8 MB")) == "UPDATE_COMPLETE", stacks.events("policies")
    updated = stacks.outputs("policies")
    assert record(stacks, updated["Change"])["summary"] == {"applied": 6}
    assert stacks.held(3, "TASK") == (8 * MIB, ("docx", "jpg", "pdf", "png"))
    # another id would be a replacement, and bring a Delete of the old one
    assert (stacks.physical_ids("policies"), created["Change"] == updated["Change"]) == (physical, False)

    assert stacks.delete("policies") == "DELETE_COMPLETE", stacks.events("policies")
    assert stacks.held(3, "TASK") == (20 * MIB, DEFAULT)


def test_what_a_stack_retains_stays(stacks: CloudFormation) -> None:
    kept = template(Policy=policy("9 MB", OnDelete="Retain"))
    assert stacks.create("kept", kept) == "CREATE_COMPLETE"
    assert stacks.delete("kept") == "DELETE_COMPLETE"
    assert stacks.held(1, "CHAT") == (9 * MIB, ("pdf",))
    set_default(stacks)


def test_a_failed_update_is_rolled_back_with_what_was_done_before_it(stacks: CloudFormation) -> None:
    assert stacks.create("two", template(First=policy(), Second=policy("5 MB", "EMAIL"))) == "CREATE_COMPLETE"
    physical = stacks.physical_ids("two")
    too_large = template(First=policy("7 MB"), Second=policy("30 MB", "EMAIL"))
    assert stacks.update("two", too_large) == "UPDATE_ROLLBACK_COMPLETE"
    [(name, why)] = stacks.reasons("two")
    assert name == "Second"
    assert why.startswith("The properties break the rules, and nothing was changed: `/MaximumSize` "), why
    # the first one had got its 7 MB
    sizes = [entry["after"]["maximumSizeLimitInBytes"] for entry in reversed(history(stacks, "CHAT"))][-3:]
    assert sizes == [10 * MIB, 7 * MIB, 10 * MIB]
    assert (stacks.held(1, "CHAT"), stacks.held(1, "EMAIL")) == ((10 * MIB, ("pdf",)), (5 * MIB, ("pdf",)))
    assert stacks.physical_ids("two") == physical


def history(stacks: CloudFormation, scope: str) -> list[dict[str, Any]]:
    """What changed a target of the first instance, newest first."""
    url = f"{stacks.sandbox.function}/instances/{instance_id(1)}/attachment-policies/{scope}/history"
    answer = requests.get(url, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()["history"]


def test_a_failed_create_is_rolled_back_with_what_was_done_before_it(stacks: CloudFormation) -> None:
    missing = instance_id(99)
    both = template(First=policy(), Second=policy(scope="TASK", InstanceIds=[missing]))
    assert stacks.create("failed", both) == "ROLLBACK_COMPLETE"
    [(name, why)] = stacks.reasons("failed")
    assert name == "Second"
    assert why.startswith(f"1 target: 1 failed: TASK of {missing} failed, ResourceNotFoundException: "), why
    assert history(stacks, "CHAT")[0]["after"]["maximumSizeLimitInBytes"] == 20 * MIB
    assert stacks.held(1, "CHAT") == (20 * MIB, DEFAULT)


def test_the_rollback_of_a_stack_leaves_what_a_finished_resource_retains(stacks: CloudFormation) -> None:
    """docs/declare.md says so: the Create of the first one has succeeded, so that OnDelete decides."""
    both = template(First=policy("2 MB", OnDelete="Retain"), Second=policy("30 MB", "EMAIL"))
    assert stacks.create("half", both) == "ROLLBACK_COMPLETE"
    assert stacks.held(1, "CHAT") == (2 * MIB, ("pdf",))
    set_default(stacks)


def test_a_rollback_that_met_a_freeze_is_continued(stacks: CloudFormation) -> None:
    assert stacks.create("continued", template(Policy=policy())) == "CREATE_COMPLETE"
    with frozen(stacks):
        assert stacks.update("continued", template(Policy=policy("7 MB"))) == "UPDATE_ROLLBACK_FAILED"
    *_, continuing = under("A stack that does not end")
    where = {"AWS_ENDPOINT_URL": stacks.url, "AWS_ACCESS_KEY_ID": ACCOUNT}
    shell("\n".join([TO_MOTO, "DECLARING=continued", continuing]), **where)
    assert stacks.ended("continued") == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.held(1, "CHAT") == (10 * MIB, ("pdf",))


def test_a_stack_names_all_instances_of_its_account_and_region(stacks: CloudFormation) -> None:
    star = {"Fn::Sub": "arn:${AWS::Partition}:connect:${AWS::Region}:${AWS::AccountId}:instance/*"}
    assert stacks.create("star", template(Policy=policy("1 MB", InstanceIds=[star]))) == "CREATE_COMPLETE"
    assert {stacks.held(number, "CHAT") for number in (1, 2, 3)} == {(MIB, ("pdf",))}


def test_a_renamed_resource_takes_its_target_over(stacks: CloudFormation) -> None:
    """Of a renamed resource CloudFormation creates the new one, and then deletes the old one."""
    assert stacks.create("renamed", template(Old=policy("6 MB"))) == "CREATE_COMPLETE"
    assert stacks.update("renamed", template(New=policy("4 MB"))) == "UPDATE_COMPLETE", stacks.events("renamed")
    assert stacks.held(1, "CHAT") == (4 * MIB, ("pdf",))
    # of the Delete ministack tells only if it fails; then the old one is still there
    assert (stacks.reasons("renamed"), [*stacks.physical_ids("renamed")]) == ([], ["New"])
    # it remembers what was there before the old one
    assert stacks.delete("renamed") == "DELETE_COMPLETE"
    assert stacks.held(1, "CHAT") == (20 * MIB, DEFAULT)


def test_a_target_of_another_stack_is_refused(stacks: CloudFormation) -> None:
    assert stacks.create("owner", template(Policy=policy())) == "CREATE_COMPLETE"
    assert stacks.create("other", template(Policy=policy("3 MB"))) == "ROLLBACK_COMPLETE"
    [(_, why)] = stacks.reasons("other")
    owner = stacks.described("owner")["StackId"]
    declared = f"the target is declared by `Policy` of the stack `{owner}`"
    assert why == f"1 target: 1 failed: CHAT of {instance_id(1)} failed, DeclaredElsewhere: {declared}"
    assert stacks.held(1, "CHAT") == (10 * MIB, ("pdf",))


def test_frozen_a_stack_fails_with_the_reason(stacks: CloudFormation) -> None:
    with frozen(stacks):
        assert stacks.create("frozen", template(Policy=policy())) == "ROLLBACK_COMPLETE"
    [(name, why)] = stacks.reasons("frozen")
    assert (name, why) == ("Policy", "Changes are frozen; GET /freeze says by whom and why")


def test_the_stack_of_the_cdk_example_is_created_and_deleted(stacks: CloudFormation) -> None:
    assert stacks.create("cdk", json.dumps(synthesised())) == "CREATE_COMPLETE", stacks.events("cdk")
    assert stacks.held(2, "TASK") == (10 * MIB, ("docx", "jpg", "pdf", "png"))
    assert stacks.held(2, "EMAIL") == (5 * MIB, ("docx", "pdf"))
    recorded = record(stacks, stacks.outputs("cdk")["ChangeId"])
    assert (recorded["summary"], recorded["reason"]) == ({"applied": 6}, "documents and images")
    assert stacks.delete("cdk") == "DELETE_COMPLETE"


def test_the_function_takes_every_property_of_the_construct(stacks: CloudFormation) -> None:
    stack = with_every_property()
    stack["Outputs"] = {"ChangeId": {"Value": {"Fn::GetAtt": [*stack["Resources"], "ChangeId"]}}}
    assert stacks.create("every", json.dumps(stack)) == "CREATE_COMPLETE", stacks.events("every")
    change = stacks.outputs("every")["ChangeId"]
    assert record(stacks, change)["document"] == {
        "changeId": change,
        "instanceId": "*",
        "instanceTags": {"team": ["a", "b"], "cost centre": ["7"]},
        "attachmentScopes": ["EMAIL", "CHAT", "CASE", "TASK"],
        "maximumSizeLimitInBytes": 1536 * 1024,
        "allowedExtensions": ["pdf"],
        "reason": "REQ-7",
        "requestedBy": "somebody",
    }


def test_a_property_that_disappears_is_refused_and_rolled_back(stacks: CloudFormation) -> None:
    assert stacks.create("whole", template(Policy=policy())) == "CREATE_COMPLETE"
    part = policy("7 MB")
    del part["Properties"]["AllowedExtensions"]
    assert stacks.update("whole", template(Policy=part)) == "UPDATE_ROLLBACK_COMPLETE"
    [(_, why)] = stacks.reasons("whole")
    assert why.startswith("The properties break the rules, and nothing was changed: "), why
    assert "allowedExtensions" in why, why
    assert stacks.held(1, "CHAT") == (10 * MIB, ("pdf",))


def test_the_stack_of_the_terraform_example_is_created_and_deleted(stacks: CloudFormation) -> None:
    given = parameters()
    body = (TERRAFORM / "policies.yaml").read_text()
    assert stacks.create("terraform", body, **given) == "CREATE_COMPLETE", stacks.events("terraform")
    assert stacks.held(2, "TASK") == (10 * MIB, ("docx", "jpg", "pdf", "png"))
    assert stacks.update("terraform", body, **given | {"AllowedExtensions": "pdf"}) == "UPDATE_COMPLETE"
    assert stacks.held(2, "TASK") == (10 * MIB, ("pdf",))
    assert stacks.delete("terraform") == "DELETE_COMPLETE"


def configuration() -> dict[str, Any]:
    with (TERRAFORM / "main.tf").open() as file:
        return hcl2.load(file)


def parameters() -> dict[str, str]:
    """The stack's parameters, with the defaults of the variables that they are made of."""
    defaults = {name.strip('"'): variable["default"] for entry in configuration()["variable"] for name, variable in entry.items()}
    given = {}
    for name, expression in stack_resource()["parameters"].items():
        match expression.removeprefix("${").removesuffix("}").split("var."):
            case ["", variable]:
                given[name] = defaults[variable].strip('"')
            case ['join(",", ', variable]:
                given[name] = ",".join(entry.strip('"') for entry in defaults[variable.removesuffix(")")])
            case other:
                raise AssertionError(f"{name} is made in another way: {other}")
    return given


def stack_resource() -> dict[str, Any]:
    [resources] = configuration()["resource"]
    return resources['"aws_cloudformation_stack"']['"attachment_policies"']


def test_terraform_gives_the_template_its_parameters_and_enough_time() -> None:
    declared = read(TERRAFORM / "policies.yaml")
    assert parameters().keys() == declared["Parameters"].keys()
    assert stack_resource()["template_body"] == '${file("${path.module}/policies.yaml")}'
    [output] = configuration()["output"]
    read_back = output['"change_id"']["value"]
    assert read_back == '${aws_cloudformation_stack.attachment_policies.outputs["ChangeId"]}'
    assert "ChangeId" in declared["Outputs"]
    [timeouts] = stack_resource()["timeouts"]
    minutes = {name: int(text.strip('"m')) for name, text in timeouts.items() if name in ("create", "update", "delete")}
    service = declared["Resources"]["Policies"]["Properties"]["ServiceTimeout"] // 60
    # what failed is rolled back within the same time
    assert minutes["create"] > 2 * service < minutes["update"]
    assert minutes["delete"] > service
