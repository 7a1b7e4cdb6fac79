"""Other accounts through roles, other Regions at their endpoints: the production binary makes real STS calls."""

import json
import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import boto3
import pytest
from conftest import Sandbox
from governed_fixtures import Governed, governed, record
from lambda_service import Function, targets
from recorded_aws import REGION, RecordedAws, aws
from werkzeug.wrappers import Response

__all__ = ["aws", "governed"]  # fixtures, which pytest finds by name

HOME = "111122223333"
SPOKES = ("222233334444", "333344445555")
STRANGER = "444455556666"
FAR = "eu-west-2"
SIZE = {"maximumSizeLimitInBytes": 4_194_304}
SESSION = "connect-attachment-policy"
UNPACED = ("--env=CONNECT_REQUESTS_PER_SECOND=1000", "--env=CONNECT_BURST=100")

Serve = Callable[..., Sandbox]
Start = Callable[..., Function]


def arn(account: str, number: int, region: str = REGION) -> str:
    """An instance of an account. Its id identifies the account, because ids are unique over all accounts."""
    return f"arn:aws:connect:{region}:{account}:instance/{number:08x}-0000-4000-8000-{account}"


def role(account: str) -> str:
    """The role that the function assumes in an account."""
    return f"arn:aws:iam::{account}:role/attachment-policy-spoke"


# four instances in each account, and two instances of the first other account in another Region
INSTANCES = [arn(account, number) for account in (HOME, *SPOKES) for number in range(1, 5)]
FAR_INSTANCES = [arn(account, number, FAR) for account in (HOME, SPOKES[0]) for number in (5, 6)]


@pytest.fixture
def start(serve: Serve, aws: RecordedAws, tmp_path: Path) -> Start:
    """Starts a function with roles in both other accounts; its STS is moto's."""

    def started(*flags: str) -> Function:
        journal = tmp_path / "journal.jsonl"
        sandbox = serve(
            "--rate=0",
            f"--journal={journal}",
            *(f"--instance={instance}" for instance in INSTANCES + FAR_INSTANCES),
            f"--env=AWS_ENDPOINT_URL_STS={aws.url}",
            f"--env=CONNECT_ROLE_ARNS={','.join(map(role, SPOKES))}",
            *flags,
        )
        return Function(sandbox, journal)

    return started


def change(instances: list[str], **more: Any) -> dict[str, Any]:
    """A change of every scope of these instances."""
    return {"instanceIds": instances, "attachmentScope": "*", **SIZE, **more}


def assumed(aws: RecordedAws) -> list[str]:
    """The roles assumed so far."""
    return [parameters["RoleArn"] for parameters in aws.by_function("AssumeRole")]


def test_an_account_is_what_its_access_key_says(aws: RecordedAws, serve: Serve) -> None:
    """moto's STS encodes the account in the keys that it issues. The sandbox reads it from them, as AWS would."""
    sandbox = serve(*(f"--instance={instance}" for instance in INSTANCES))
    for account in SPOKES:
        keys = aws.sts.assume_role(RoleArn=role(account), RoleSessionName="test")["Credentials"]
        connect = boto3.client(
            "connect",
            endpoint_url=sandbox.connect,
            region_name=REGION,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        listed = connect.list_instances()["InstanceSummaryList"]
        assert [instance["Arn"] for instance in listed] == [arn(account, number) for number in range(1, 5)]


def test_instances_of_other_accounts_are_changed_through_their_roles(
    start: Start, aws: RecordedAws
) -> None:
    function = start(*UNPACED)
    answered = function.invoke(change(INSTANCES))
    assert (answered.error, answered.payload["summary"]) == (None, {"applied": 48})
    assert [result["instanceArn"] for result in answered.payload["results"][::4]] == INSTANCES
    for entry in function.journal():
        assert entry["account"] == entry["instance_id"][-12:]
    assert sorted(assumed(aws)) == sorted(map(role, SPOKES))
    assert {parameters["RoleSessionName"] for parameters in aws.by_function("AssumeRole")} == {SESSION}


def test_credentials_serve_many_calls_and_invocations(start: Start, aws: RecordedAws) -> None:
    function = start(*UNPACED)
    for size in (4_194_304, 5_242_880, 6_291_456):
        answered = function.invoke({**change(INSTANCES), "maximumSizeLimitInBytes": size})
        assert answered.payload["summary"] == {"applied": 48}
    assert len(function.journal()) == 3 * (12 + 48)
    assert sorted(assumed(aws)) == sorted(map(role, SPOKES))


def test_credentials_about_to_expire_are_renewed(start: Start, aws: RecordedAws) -> None:
    def expiring(answer: Response) -> Response:
        past = re.sub(rb"<Expiration>[^<]*<", b"<Expiration>2020-01-01T00:00:00Z<", answer.data)
        assert past != answer.data
        answer.data = past
        return answer

    function = start(*UNPACED)
    aws.tampered["AssumeRole"] = expiring
    function.invoke({"instanceId": arn(SPOKES[0], 1), "attachmentScope": "CHAT", **SIZE})
    before = len(assumed(aws))
    del aws.tampered["AssumeRole"]
    for _ in range(2):
        function.invoke({"instanceId": arn(SPOKES[0], 1), "attachmentScope": "CHAT", **SIZE})
    assert before > 0
    assert len(assumed(aws)) == before + 1


def test_instances_of_other_regions_are_called_there(start: Start, aws: RecordedAws) -> None:
    function = start(*UNPACED)
    answered = function.invoke(change([arn(HOME, 1), *FAR_INSTANCES]))
    assert (answered.error, answered.payload["summary"]) == (None, {"applied": 20})
    regions = {(entry["instance_id"], entry["region"]) for entry in function.journal()}
    expected = [arn(HOME, 1), *FAR_INSTANCES]
    assert regions == {(instance.rpartition("/")[2], instance.split(":")[3]) for instance in expected}
    assert assumed(aws) == [role(SPOKES[0])]


def test_each_lane_of_a_queued_change_is_worked_on_with_the_role_of_its_account(
    governed: Governed, aws: RecordedAws
) -> None:
    hub = (
        *(f"--instance={instance}" for instance in INSTANCES + FAR_INSTANCES),
        f"--env=AWS_ENDPOINT_URL_STS={aws.url}",
        f"--env=CONNECT_ROLE_ARNS={','.join(map(role, SPOKES))}",
    )
    function = governed.start(*hub, "--timeout=5", "--env=CONNECT_REQUESTS_PER_SECOND=0.1", "--env=CONNECT_BURST=1")
    named = [arn(HOME, 1), arn(SPOKES[1], 2), *FAR_INSTANCES]
    assert function.invoke(change(named, changeId="CHG-1")).payload["status"] == "accepted"
    lanes = {f"{HOME}/{REGION}", f"{SPOKES[1]}/{REGION}", f"{HOME}/{FAR}", f"{SPOKES[0]}/{FAR}"}
    assert {sent["MessageGroupId"] for sent in governed.lanes()} == lanes
    assert record(function, "CHG-1")["document"]["instanceIds"] == named
    assert assumed(aws) == [], "who plans calls nobody"
    worker = governed.beside(function, *hub[-2:], *UNPACED)
    assert [polled.deleted for polled in governed.work(worker)] == [1] * 4
    kept = record(function, "CHG-1")
    assert {lane["lane"]: lane["state"] for lane in kept["lanes"]} == dict.fromkeys(lanes, "done")
    assert kept["summary"] == {"applied": 24}
    for entry in function.journal():
        assert entry["account"] == entry["instance_id"][-12:]
    assert sorted(assumed(aws)) == sorted(map(role, SPOKES))
    assert governed.open_items() == []


def test_an_account_without_a_role_is_refused_before_any_call(start: Start, aws: RecordedAws) -> None:
    function = start(*UNPACED)
    answered = function.invoke(change([arn(HOME, 1), arn(STRANGER, 1)]))
    assert answered.error == "PolicyChangeRejected"
    [violation] = answered.payload["violations"]
    assert violation["pointer"] == "/instanceIds/1"
    assert (function.journal(), assumed(aws)) == ([], [])


def test_a_role_that_may_not_be_assumed_fails_its_own_targets_only(start: Start, aws: RecordedAws) -> None:
    def denied(answer: Response) -> Response:
        if SPOKES[0].encode() not in answer.data:
            return answer
        refusal = "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not for you</Message></Error>"
        return Response(f"<ErrorResponse>{refusal}</ErrorResponse>", status=403, mimetype="text/xml")

    aws.tampered["AssumeRole"] = denied
    function = start(*UNPACED)
    answered = function.invoke(change(INSTANCES))
    by_account = {
        account: {result["outcome"] for result in results}
        for account, results in groupby(
            answered.payload["results"], key=lambda result: result["instanceArn"].split(":")[4]
        )
    }
    assert by_account == {HOME: {"applied"}, SPOKES[0]: {"failed"}, SPOKES[1]: {"applied"}}
    assert {entry["account"] for entry in function.journal()} == {HOME, SPOKES[1]}
    failed = answered.payload["results"][16]["error"]
    assert failed["code"] == "CredentialsUnusable"
    assert "not for you" not in failed["message"], "what STS says is the operator's to read"


def test_three_accounts_are_changed_side_by_side(start: Start, aws: RecordedAws) -> None:
    function = start("--env=CONNECT_REQUESTS_PER_SECOND=20", "--env=CONNECT_BURST=1")
    answered = function.invoke(change(INSTANCES))
    assert answered.payload["summary"] == {"applied": 48}
    order = [entry["account"] for entry in function.updates()]
    assert len(set(targets(function.updates()))) == 48
    # each account has its own rate limiter: when the first account is finished, the others are under way; if they were
    # processed one after the other, the second would not have started
    for account in (HOME, *SPOKES):
        done = len(order) - order[::-1].index(account)
        for other in (HOME, *SPOKES):
            assert order[:done].count(other) >= 1, (account, other, order)
