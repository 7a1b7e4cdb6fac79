"""The templates beside template.yaml: the role for other accounts, the export of the audit, what CloudTrail says elsewhere."""

import json
import re
from pathlib import Path

import pytest
from expansion import ROOT, expanded, filled
from linters import beside_python, run
from pages import every
from plain_template import Made
from test_audit import PATTERN
from test_grants import called, sources

SPOKE = ROOT / "packaging/spoke-role.yaml"
EXPORT = ROOT / "packaging/audit-export.yaml"
FORWARDING = ROOT / "packaging/drift-forwarding.yaml"
HUB_ROLES = ",".join(
    f"arn:aws:iam::111122223333:role/{name}" for name in ("hub-ApiRole-1", "teams/hub-WorkerRole-2", "hub-SweepRole-3")
)
INSTANCES = "arn:aws:connect:us-east-1:222233334444:instance/1,arn:aws:connect:eu-west-2:222233334444:instance/2"
EXPORTED = ("Api", "Intake", "Worker", "Sweep", "Widget", "Declare")
BUS = "arn:aws:events:us-east-1:111122223333:event-bus/attachment-policy"
NEEDED = {
    SPOKE: {"HubRoleArns": HUB_ROLES},
    EXPORT: {f"{name}LogGroup": f"/aws/lambda/hub-{name.lower()}" for name in EXPORTED},
    FORWARDING: {"BusArn": BUS, "HubRoleArns": HUB_ROLES},
}
OPTIONAL = {
    SPOKE: {
        "OrganizationId": "o-a1b2c3d4e5", "InstanceArns": INSTANCES, "GrantListing": "true", "RoleName": "policies",
        "RolePath": "/teams/", "PermissionsBoundaryArn": "arn:aws:iam::222233334444:policy/boundary",
    },
    EXPORT: {
        "RetentionMode": "COMPLIANCE", "RetentionDays": "3650",
        "AlarmTopicArn": "arn:aws:sns:us-east-1:222233334444:alarms",
        "PermissionsBoundaryArn": "arn:aws:iam::222233334444:policy/boundary",
    },
    FORWARDING: {
        "SpokeRoleName": "policies", "SpokeRolePath": "/teams/", "RolePath": "/teams/",
        "PermissionsBoundaryArn": "arn:aws:iam::222233334444:policy/boundary",
    },
}  # fmt: skip
EACH = pytest.mark.parametrize("path", NEEDED, ids=lambda path: path.stem)


# ---- What the tools say ----


def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    result = run(beside_python("cfn-lint"), *NEEDED, home=tmp_path)
    assert (result.returncode, result.stdout) == (0, "")


@EACH
@pytest.mark.parametrize("optional", [False, True], ids=["no optional parameter", "every parameter"])
def test_cfn_lint_finds_nothing_once_parameters_are_given(path: Path, optional: bool, tmp_path: Path) -> None:
    made = Made(path, **NEEDED[path], **(OPTIONAL[path] if optional else {}))
    assert made.refused() == []
    if optional:
        assert made.parameters.keys() == NEEDED[path].keys() | OPTIONAL[path].keys(), "a parameter that nobody tries"
    resources = json.dumps(made.resources())
    # what refers to a resource is a reference again
    resources = re.sub(r'"<(\w+)>"', r'{"Ref": "\1"}', resources)
    resources = re.sub(r'"<(\w+)\.(\w+)>"', r'{"Fn::GetAtt": ["\1", "\2"]}', resources)
    resources = re.sub(r'"(<\w+\.\w+>[^"]*)"', r'{"Fn::Sub": "\1"}', resources)
    resources = re.sub(r"<(\w+\.\w+)>", r"${\1}", resources)
    filled = tmp_path / "filled.json"
    filled.write_text(f'{{"AWSTemplateFormatVersion": "2010-09-09", "Resources": {resources}}}')
    # W3005, W1020 and the like are about how a person writes it
    result = run(beside_python("cfn-lint"), "--ignore-checks", "W", "--", filled, home=tmp_path)
    assert (result.returncode, result.stdout) == (0, "")


@EACH
def test_the_documented_commands_give_parameters_that_it_has(path: Path) -> None:
    commands = [block.text for block in every("sh") if str(path.relative_to(ROOT)) in block.text]
    assert commands
    for command in commands:
        # of `deploy`, and of `create-stack-set`
        named = re.findall(r'[ "]([A-Z][a-z]\w+)=', command.partition("--parameter-overrides")[2])
        named += re.findall(r"ParameterKey=(\w+)", command)
        assert NEEDED[path].keys() <= set(named) <= Made(path, **NEEDED[path]).parameters.keys()


# ---- The role for other accounts ----


def role(**given: str) -> dict:
    return Made(SPOKE, **NEEDED[SPOKE], **given).one("AWS::IAM::Role")


def trust(**given: str) -> dict:
    [statement] = role(**given)["AssumeRolePolicyDocument"]["Statement"]
    return statement


def test_only_the_functions_roles_may_assume_it_and_only_under_their_session_name() -> None:
    statement = trust()
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
    assert statement["Action"] == "sts:AssumeRole"
    [session] = re.findall(r'SESSION_NAME: &str = "(.+)";', sources("."))
    assert statement["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": HUB_ROLES.split(",")},
        "StringEquals": {"sts:RoleSessionName": session},
    }


def test_the_functions_must_belong_to_the_organization_that_is_named() -> None:
    condition = trust(OrganizationId="o-a1b2c3d4e5")["Condition"]
    assert condition["StringEquals"]["aws:PrincipalOrgID"] == "o-a1b2c3d4e5"


@pytest.mark.parametrize("wrong", ["*", "arn:aws:iam::111122223333:root", "arn:aws:iam::*:role/x", ""])
def test_what_is_no_role_is_refused(wrong: str) -> None:
    assert Made(SPOKE, HubRoleArns=wrong).refused() == ["HubRoleArns"]


def granted(**given: str) -> dict[str, list[str] | str]:
    [policy] = role(**given)["Policies"]
    found = {}
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = statement["Action"]
        found |= dict.fromkeys([actions] if isinstance(actions, str) else actions, statement["Resource"])
    return found


# for what names no instance of this account
LISTING = {"connect:ListInstances", "connect:DescribeInstance", "connect:ListTagsForResource"}


def test_it_may_do_what_the_functions_do_there_and_nothing_else() -> None:
    calls = called("connect", sources("."))
    assert granted().keys() == calls - LISTING
    assert granted(GrantListing="true").keys() == (calls | LISTING)


def test_it_reaches_the_instances_that_are_named_or_all_of_its_account() -> None:
    everywhere = "arn:aws:connect:*:222233334444:instance/*"
    assert set(granted().values()) == {everywhere}
    for action, on in granted(InstanceArns=INSTANCES, GrantListing="true").items():
        expected = {"connect:ListInstances": "*"}.get(action, everywhere if action in LISTING else INSTANCES.split(","))
        assert on == expected, action


def test_its_name_is_the_same_in_every_account() -> None:
    assert (role()["RoleName"], role(RoleName="policies")["RoleName"]) == ("attachment-policy-spoke", "policies")
    assert "PermissionsBoundary" not in role()


# ---- The export of the audit ----


def export(**given: str) -> Made:
    return Made(EXPORT, **NEEDED[EXPORT], **given)


def subscriptions() -> dict[str, dict]:
    made = export().resources().values()
    found = [one["Properties"] for one in made if one["Type"] == "AWS::Logs::SubscriptionFilter"]
    return {subscription["LogGroupName"]: subscription for subscription in found}


def test_every_log_group_of_the_stack_that_has_an_audit_is_subscribed() -> None:
    assert set(subscriptions()) == set(NEEDED[EXPORT].values())
    # the access log has none
    groups = {name for name in expanded()["Outputs"] if name.endswith("LogGroup")} - {"AccessLogGroup"}
    assert groups == NEEDED[EXPORT].keys()


def test_each_subscription_hands_its_lines_to_the_archive() -> None:
    assert {subscription["FilterPattern"] for subscription in subscriptions().values()} == {PATTERN}
    assert {subscription["DestinationArn"] for subscription in subscriptions().values()} == {"<Stream.Arn>"}


def test_nobody_can_change_or_delete_what_is_archived() -> None:
    bucket = export(RetentionMode="COMPLIANCE", RetentionDays="3650").one("AWS::S3::Bucket")
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"]["Rule"] == {
        "DefaultRetention": {"Mode": "COMPLIANCE", "Days": "3650"}
    }
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    for name in ("Archive", "ArchiveKey"):
        resource = export().resources()[name]
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate", "a key that is gone takes the archive with it"
    [statement] = export().one("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_the_stream_may_add_to_the_archive_and_not_remove_from_it() -> None:
    roles = [one["Properties"] for one in export().resources().values() if one["Type"] == "AWS::IAM::Role"]
    actions = {
        action
        for role in roles
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert "s3:PutObject" in actions
    assert [action for action in actions if re.search(r"Delete|Bypass|Retention|LegalHold|\*", action)] == []


def test_the_lines_are_archived_as_they_were_written() -> None:
    destination = export().one("AWS::KinesisFirehose::DeliveryStream")["ExtendedS3DestinationConfiguration"]
    # the second reads what the first makes
    kinds = [processor["Type"] for processor in destination["ProcessingConfiguration"]["Processors"]]
    assert kinds == ["Decompression", "CloudWatchLogProcessing"]
    assert destination["EncryptionConfiguration"]["KMSEncryptionConfig"]["AWSKMSKeyARN"] == "<ArchiveKey.Arn>"


def test_its_alarms_have_a_section_of_the_page() -> None:
    page = (ROOT / "docs/audit.md").read_text()
    alarms = [one["Properties"] for one in export().resources().values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(alarms) == 2
    for alarm in alarms:
        [section] = re.findall(r"docs/audit\.md: (.+)$", alarm["AlarmDescription"])
        assert f"\n### {section}\n" in page
        assert "AlarmActions" not in alarm


# ---- What CloudTrail says in other accounts and Regions ----


def forwarding(**given: str) -> Made:
    return Made(FORWARDING, **NEEDED[FORWARDING], **given)


def test_it_may_put_events_on_the_one_bus_and_nothing_else() -> None:
    role = forwarding().one("AWS::IAM::Role")
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "222233334444"}}
    [policy] = role["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": BUS}]
    [target] = forwarding().one("AWS::Events::Rule")["Targets"]
    assert (target["Arn"], target["RoleArn"]) == (BUS, "<ForwardingRole.Arn>")
    # a StackSet makes it in each Region, and a role's name is the account's
    assert "RoleName" not in role


def issuers(pattern: dict) -> list[str]:
    """The roles whose calls a rule leaves out."""
    _, other = pattern["detail"]["$or"]
    [arns] = other["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"]
    return arns["anything-but"]


def test_it_forwards_what_the_stack_s_own_rule_takes_but_for_the_roles() -> None:
    ours = forwarding().one("AWS::Events::Rule")["EventPattern"]
    theirs = filled({})["Resources"]["SeenElsewhereRule"]["Properties"]["EventPattern"]
    spoke = "arn:aws:iam::222233334444:role/attachment-policy-spoke"
    assert issuers(ours) == [*HUB_ROLES.split(","), spoke]
    given = forwarding(SpokeRoleName="policies", SpokeRolePath="/teams/").one("AWS::Events::Rule")["EventPattern"]
    assert issuers(given)[-1] == "arn:aws:iam::222233334444:role/teams/policies"
    for pattern in (ours, theirs):
        issuers(pattern).clear()
    assert ours == theirs
    # and the bus takes it from the accounts that are named
    accepts = filled({"ForwardingAccounts": "222233334444"})["Resources"]["ForwardingPolicy"]["Properties"]["Statement"]
    assert ours["detail-type"][0] in accepts["Condition"]["StringEquals"]["events:detail-type"]


@pytest.mark.parametrize("wrong", ["arn:aws:events:us-east-1:111122223333:rule/x", "attachment-policy", ""])
def test_what_is_no_bus_is_refused(wrong: str) -> None:
    assert Made(FORWARDING, BusArn=wrong, HubRoleArns=HUB_ROLES).refused() == ["BusArn"]
