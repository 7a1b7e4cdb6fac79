"""Who may do what with the ledger: decided request by request, the refusals above all."""

import pytest
from expansion import EVERY
from iam import may

ROLES = ("ApiRole", "IntakeRole", "WorkerRole", "SweepRole", "WidgetRole", "DeclareRole")
OWN = "<LedgerTable.Arn>"
RESTORED = "arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table/restored"
TABLES = pytest.mark.parametrize(("values", "table"), [({}, OWN), (EVERY, RESTORED)], ids=["own", "restored"])

# docs/ledger.md, "The table": the partitions, and which function writes there
PARTITIONS = {
    "change#CHG-1": {"ApiRole", "IntakeRole", "WorkerRole", "SweepRole", "DeclareRole"},
    "lane#111122223333/us-east-1": {"ApiRole", "IntakeRole", "WorkerRole", "SweepRole", "DeclareRole"},
    "run#CHG-1#1764000000000": {"ApiRole", "WorkerRole", "SweepRole"},
    "target#0": {"ApiRole", "WorkerRole", "SweepRole", "DeclareRole"},
    "freeze": {"ApiRole"},
    # whoever ends a declared change answers for it
    "declaration#arn:aws:cloudformation:us-east-1:111122223333:stack/a/b": {"WorkerRole", "SweepRole", "DeclareRole"},
    # and what is no partition of the ledger
    "freeze#": set(),
    "anything": set(),
}


@TABLES
@pytest.mark.parametrize("partition", PARTITIONS)
def test_a_function_writes_to_the_partitions_of_its_part(values: dict[str, str], table: str, partition: str) -> None:
    for action in ("dynamodb:PutItem", "dynamodb:UpdateItem"):
        writers = {role for role in ROLES if may(role, action, table, values, dynamodb__LeadingKeys=[partition])}
        assert writers == PARTITIONS[partition], action
    deleting = {
        role for role in ROLES if may(role, "dynamodb:DeleteItem", table, values, dynamodb__LeadingKeys=[partition])
    }
    assert deleting == PARTITIONS[partition] - {"IntakeRole", "DeclareRole"}


@TABLES
def test_a_write_of_several_items_is_refused_for_one_that_is_not_allowed(values: dict[str, str], table: str) -> None:
    for role in ("IntakeRole", "WorkerRole", "SweepRole"):
        def puts(*partitions: str, role: str = role) -> bool:
            return may(role, "dynamodb:PutItem", table, values, dynamodb__LeadingKeys=list(partitions))

        assert puts("change#1", "lane#self/us-east-1")
        assert not puts("change#1", "freeze")


@TABLES
def test_a_write_that_names_no_partition_is_refused(values: dict[str, str], table: str) -> None:
    """ForAllValues alone would hold where there is no value."""
    assert [role for role in ROLES if may(role, "dynamodb:PutItem", table, values)] == []


@TABLES
def test_every_function_reads_the_table_by_its_keys(values: dict[str, str], table: str) -> None:
    for action in ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"):
        assert [role for role in ROLES if not may(role, action, table, values)] == []


@TABLES
def test_each_index_is_read_by_the_functions_that_need_it(values: dict[str, str], table: str) -> None:
    readers = {
        index: [role for role in ROLES if may(role, "dynamodb:Query", f"{table}/index/{index}", values)]
        for index in ("listed", "owed", "another")
    }
    assert readers == {"listed": ["ApiRole", "WidgetRole"], "owed": ["SweepRole"], "another": []}


NOBODY = (
    "Scan", "ConditionCheckItem", "BatchWriteItem", "PartiQLSelect", "PartiQLInsert", "PartiQLUpdate",
    "PartiQLDelete", "DeleteTable", "UpdateTable", "UpdateTimeToLive", "UpdateContinuousBackups", "CreateBackup", "RestoreTableToPointInTime",
    "ExportTableToPointInTime", "PutResourcePolicy", "TagResource",
)  # fmt: skip


@TABLES
@pytest.mark.parametrize("operation", NOBODY)
def test_nobody_reads_all_of_it_or_changes_the_table(values: dict[str, str], table: str, operation: str) -> None:
    for resource in (table, f"{table}/index/listed", f"{table}/index/owed", "*"):
        action = f"dynamodb:{operation}"
        assert [role for role in ROLES if may(role, action, resource, values, dynamodb__LeadingKeys=["change#1"])] == []


@TABLES
def test_no_function_reaches_another_table(values: dict[str, str], table: str) -> None:
    others = (f"{table}-of-somebody", "arn:aws:dynamodb:us-east-1:111122223333:table/somebody-s", "*")
    for action in ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"):
        for other in others:
            found = [role for role in ROLES if may(role, action, other, values, dynamodb__LeadingKeys=["change#1"])]
            assert found == []


def test_with_a_restored_table_the_stack_s_own_is_out_of_reach() -> None:
    for action in ("dynamodb:GetItem", "dynamodb:PutItem"):
        assert [role for role in ROLES if may(role, action, OWN, EVERY, dynamodb__LeadingKeys=["change#1"])] == []


INSTANCE = EVERY["InstanceArns"]


@pytest.mark.parametrize("tag", [["governed"], ["other"], None])
def test_the_sweep_reads_amazon_connect_and_never_updates_it_and_the_intake_does_neither(tag: list[str] | None) -> None:
    def roles(operation: str) -> set[str]:
        context = {"aws__ResourceTag/attachment-policy": tag} if tag else {}
        return {role for role in ROLES if may(role, f"connect:{operation}", INSTANCE, EVERY, **context)}

    is_governed = tag == ["governed"]
    assert roles("UpdateAttachedFilesConfiguration") == ({"ApiRole", "WorkerRole"} if is_governed else set())
    for operation in ("DescribeAttachedFilesConfiguration", "ListAttachedFilesConfigurations"):
        assert roles(operation) == ({"ApiRole", "WorkerRole", "SweepRole"} if is_governed else set())
    for operation in ("DeleteInstance", "CreateInstance", "TagResource", "UpdateInstanceAttribute"):
        assert roles(operation) == set()


SAYS = {"events__source": ["connect-attachment-policy"], "events__detail-type": ["Attachment Policy Change Completed"]}


@pytest.mark.parametrize(
    ("bus", "context", "allowed"),
    [
        ("<Bus.Arn>", SAYS, True),
        ("<Bus.Arn>", SAYS | {"events__detail-type": ["Attachment Policy Drift Detected"]}, True),
        # a change, or somebody else's word
        ("<Bus.Arn>", SAYS | {"events__detail-type": ["Attachment Policy Change Requested"]}, False),
        ("<Bus.Arn>", SAYS | {"events__source": ["com.example.policy"]}, False),
        ("<Bus.Arn>", SAYS | {"events__source": ["connect-attachment-policy", "com.example.policy"]}, False),
        ("<Bus.Arn>", {"events__detail-type": SAYS["events__detail-type"]}, False),
        ("arn:aws:events:us-east-1:111122223333:event-bus/default", SAYS, False),
    ],
)
def test_who_may_end_a_change_may_say_what_became_of_it_and_nothing_else(
    bus: str, context: dict[str, list[str]], allowed: bool
) -> None:
    may_say = [role for role in ROLES if may(role, "events:PutEvents", bus, EVERY, **context)]
    # these end no run
    silent = {"WidgetRole", "DeclareRole"}
    assert may_say == ([role for role in ROLES if role not in silent] if allowed else [])


def test_only_who_calls_amazon_connect_assumes_roles_of_other_accounts() -> None:
    [role_arn, _] = EVERY["ConnectRoleArns"].split(",")
    assert {role for role in ROLES if may(role, "sts:AssumeRole", role_arn, EVERY)} == set(ROLES) - {"IntakeRole", "WidgetRole", "DeclareRole"}
    assert [role for role in ROLES if may(role, "sts:AssumeRole", f"{role_arn}2", EVERY)] == []


@pytest.mark.parametrize(
    "action", ["lambda:InvokeFunction", "iam:PassRole", "logs:DeleteLogGroup", "sqs:PurgeQueue", "kms:Encrypt"]
)
def test_nothing_else_is_allowed_to_anybody(action: str) -> None:
    for resource in ("*", "<ApiFunction.Arn>", "<ChangeQueue.Arn>", EVERY["DataKeyArn"]):
        assert [role for role in ROLES if may(role, action, resource, EVERY)] == []
