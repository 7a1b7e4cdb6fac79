"""The ledger's table: template.yaml makes the one that the tests run on, and DynamoDB's emulator takes it."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from expansion import EVERY, ROOT, expanded, filled, resources
from moto.server import ThreadedMotoServer
from recorded_aws import ANYBODY

COMMON = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "TimeToLiveSpecification")


def table() -> dict[str, Any]:
    [properties] = resources("AWS::DynamoDB::Table").values()
    return properties


def test_the_template_s_table_is_the_sandbox_s() -> None:
    tested = json.loads((ROOT / "sandbox/src/ledger/table.json").read_text())
    assert tested.keys() == set(COMMON)
    assert {name: table()[name] for name in COMMON} == tested


def test_what_the_sandbox_s_does_not_have_is_what_keeps_the_data() -> None:
    assert table().keys() - set(COMMON) == {
        "PointInTimeRecoverySpecification", "DeletionProtectionEnabled", "SSESpecification", "Tags",
    }  # fmt: skip
    assert table()["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table()["DeletionProtectionEnabled"] is True


def test_it_outlives_the_stack_and_is_in_no_later_stack_s_way() -> None:
    resource = expanded()["Resources"]["LedgerTable"]
    # not RetainExceptOnCreate: a rollback could not delete a protected table, and would fail
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert "TableName" not in table()
    assert "Condition" not in resource, "a restored table in use removes no data"


@pytest.mark.parametrize(("values", "key"), [({}, None), (EVERY, EVERY["DataKeyArn"])], ids=["none", "every"])
def test_it_is_encrypted_under_a_key_of_this_account(values: dict[str, str], key: str | None) -> None:
    sse = filled(values)["Resources"]["LedgerTable"]["Properties"]["SSESpecification"]
    assert sse == {"SSEEnabled": True, "SSEType": "KMS"} | ({"KMSMasterKeyId": key} if key else {})


def test_an_index_names_no_more_attributes_than_dynamodb_takes() -> None:
    """20 for an index, 100 for a table ("Service, account, and table quotas in Amazon DynamoDB")."""
    named = [len(index["Projection"].get("NonKeyAttributes", [])) for index in table()["GlobalSecondaryIndexes"]]
    assert max(named) <= 20
    assert sum(named) <= 100


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield boto3.client("dynamodb", endpoint_url=f"http://{host}:{port}", **ANYBODY)
    finally:
        server.stop()


def test_dynamodb_makes_it_and_its_indexes_find_what_has_both_attributes(dynamodb: Any) -> None:
    made = {name: value for name, value in table().items() if name in COMMON and name != "TimeToLiveSpecification"}
    dynamodb.create_table(TableName="ledger", **made)
    dynamodb.update_time_to_live(TableName="ledger", TimeToLiveSpecification=table()["TimeToLiveSpecification"])
    item = {"pk": {"S": "change#1"}, "sk": {"S": "change"}, "status": {"S": "accepted"}, "note": {"S": "not listed"}}
    listed = {"list": {"S": "changes#2026-11#0"}, "at": {"S": "1764000000000#1"}}
    owed = {"owed": {"S": "sweep#0"}, "due": {"N": "1764000000000"}}
    dynamodb.put_item(TableName="ledger", Item=item | listed | owed)
    dynamodb.put_item(TableName="ledger", Item=item | {"sk": {"S": "part#a#000"}})

    def found(index: str, key: str, value: str) -> list[dict[str, Any]]:
        return dynamodb.query(
            TableName="ledger", IndexName=index, KeyConditionExpression="#key = :value",
            ExpressionAttributeNames={"#key": key}, ExpressionAttributeValues={":value": {"S": value}},
        )["Items"]  # fmt: skip

    keys = {name: item[name] for name in ("pk", "sk")}
    assert found("listed", "list", "changes#2026-11#0") == [keys | listed | {"status": item["status"]}]
    assert found("owed", "owed", "sweep#0") == [keys | owed]
