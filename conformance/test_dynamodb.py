"""The sandbox's table, judged by boto3: an emulator that is not ours, behind faults that are."""

import json
from typing import Any

import pytest
from aws import client
from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError
from conftest import ROOT, Sandbox

TABLE = "attachment-policy-ledger"
DEFINITION = json.loads((ROOT / "sandbox/src/ledger/table.json").read_text())


@pytest.fixture
def boto(services: Sandbox) -> Any:
    return client("dynamodb", services.table)


def item(sk: str, **more: dict[str, Any]) -> dict[str, Any]:
    return {"pk": {"S": "change#CHG-1"}, "sk": {"S": sk}, **more}


def test_the_table_is_the_one_that_its_definition_says(boto: Any) -> None:
    assert boto.list_tables()["TableNames"] == [TABLE]
    table = boto.describe_table(TableName=TABLE)["Table"]
    assert table["KeySchema"] == DEFINITION["KeySchema"]
    assert table["BillingModeSummary"]["BillingMode"] == DEFINITION["BillingMode"]

    def by_name(indexes: list[dict[str, Any]]) -> dict[str, Any]:
        members = ("KeySchema", "Projection")
        return {index["IndexName"]: {member: index[member] for member in members} for index in indexes}

    assert by_name(table["GlobalSecondaryIndexes"]) == by_name(DEFINITION["GlobalSecondaryIndexes"])
    expiry = boto.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
    assert expiry["AttributeName"] == DEFINITION["TimeToLiveSpecification"]["AttributeName"]


def test_a_condition_that_fails_brings_the_item_that_made_it_fail(boto: Any) -> None:
    new = {"TableName": TABLE, "ConditionExpression": "attribute_not_exists(pk)"}
    boto.put_item(Item=item("change", status={"S": "accepted"}), **new)
    with pytest.raises(boto.exceptions.ConditionalCheckFailedException) as failed:
        boto.put_item(Item=item("change"), ReturnValuesOnConditionCheckFailure="ALL_OLD", **new)
    assert failed.value.response["Item"] == item("change", status={"S": "accepted"})


def test_a_cancelled_transaction_says_which_item_was_the_reason(boto: Any) -> None:
    boto.put_item(TableName=TABLE, Item=item("there"))
    put = {"TableName": TABLE, "ConditionExpression": "attribute_not_exists(pk)"}
    with pytest.raises(boto.exceptions.TransactionCanceledException) as cancelled:
        boto.transact_write_items(
            TransactItems=[{"Put": {"Item": item("new"), **put}}, {"Put": {"Item": item("there"), **put}}]
        )
    reasons = [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed"]
    assert "Item" not in boto.get_item(TableName=TABLE, Key=item("new"))


def test_an_index_has_what_its_projection_says_and_only_items_with_its_keys(boto: Any) -> None:
    owed = {"owed": {"S": "sweep#0"}, "due": {"N": "7"}, "reason": {"S": "kept in the table"}}
    boto.put_item(TableName=TABLE, Item=item("owed", **owed))
    boto.put_item(TableName=TABLE, Item=item("paid"))
    found = boto.query(
        TableName=TABLE,
        IndexName="owed",
        KeyConditionExpression="owed = :owed AND due <= :now",
        ExpressionAttributeValues={":owed": {"S": "sweep#0"}, ":now": {"N": "8"}},
    )["Items"]
    del owed["reason"]
    assert found == [item("owed", **owed)]


def test_the_resource_interface_works_too(services: Sandbox) -> None:
    import boto3

    anybody = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": "us-east-1"}
    table = boto3.resource("dynamodb", endpoint_url=services.table, **anybody).Table(TABLE)
    table.put_item(Item={"pk": "lane#1", "sk": "work#2", "targets": 3})
    assert table.query(KeyConditionExpression=Key("pk").eq("lane#1"))["Items"] == [
        {"pk": "lane#1", "sk": "work#2", "targets": 3}
    ]


def test_an_item_over_400_kb_is_refused(boto: Any) -> None:
    with pytest.raises(ClientError) as refused:
        boto.put_item(TableName=TABLE, Item=item("large", text={"S": "x" * 410_000}))
    assert refused.value.response["Error"]["Code"] == "ValidationException"
