"""Changes for the workers: the production binary's real calls to a DynamoDB and an SQS, which are moto's."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests
from governed_fixtures import Governed, governed, post, record
from lambda_service import Function, Invoked, targets
from queue_fixtures import LARGE, MORE_ROUNDS_THAN_IT_TAKES, PACED, SIZE, SMALL, event, instance, send
from recorded_aws import RecordedAws, aws

__all__ = ["aws", "governed"]  # fixtures, which pytest finds by name

SCOPES = ("EMAIL", "CHAT", "CASE", "TASK")
HOME = "111122223333/us-east-1"
# a rate at which three instances take much longer than one invocation may
TOO_SLOW = ("--timeout=5", "--env=CONNECT_REQUESTS_PER_SECOND=0.1", "--env=CONNECT_BURST=1")


def over_http(function: Function, change: Any) -> Invoked:
    """Over HTTP, with the status in place of an error type."""
    answer = post(function, change)
    assert answer.headers.get("Location") == f"/policy-changes/{change['changeId']}"
    assert int(answer.headers["Retry-After"]) > 0
    return Invoked(None if answer.status_code == 202 else str(answer.status_code), answer.json())


SENDERS = {
    "http": over_http,
    "bare": lambda function, change: function.invoke(change),
    "eventbridge": lambda function, change: function.invoke(event(change)),
}


@pytest.mark.parametrize("submit", SENDERS.values(), ids=SENDERS)
def test_a_change_too_large_for_the_time_is_recorded_and_queued_once(
    governed: Governed, submit: Callable[[Function, Any], Invoked]
) -> None:
    function = governed.start(*TOO_SLOW)
    for _ in range(2):
        answered = submit(function, {**LARGE, "reason": "as told"})
        assert (answered.error, answered.payload["status"]) == (None, "accepted")
        assert answered.payload["changeId"] == "CHG-1"
    [sent] = governed.lanes()
    assert (sent["MessageGroupId"], len(sent["MessageDeduplicationId"])) == (HOME, 64)
    [message] = governed.aws.receive(governed.changes)
    pointer = json.loads(message["Body"])
    kept = record(function, "CHG-1")
    assert pointer == {"changeId": "CHG-1", "run": pointer["run"], "lane": HOME}, "everything else is in the ledger"
    assert (kept["status"], kept["run"], kept["progress"]) == ("accepted", 1, {"targets": 12, "done": 0})
    arn = "arn:aws:connect:us-east-1:111122223333:instance/"
    assert kept["document"] == {
        "instanceIds": [arn + instance(number) for number in (1, 2, 3)],
        "attachmentScopes": list(SCOPES),
        **SIZE,
        "changeId": "CHG-1",
        "reason": "as told",
    }
    assert function.journal() == []


def test_a_dry_run_that_takes_too_long_is_queued_too(governed: Governed) -> None:
    function = governed.start(*TOO_SLOW)
    answer = post(function, LARGE, dryRun="true")
    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
    worker = governed.beside(function, *PACED)
    assert [polled.deleted for polled in governed.work(worker)] == [1]
    planned = record(function, "CHG-1")
    assert (planned["status"], planned["summary"], len(planned["plan"])) == ("planned", {"planned": 12}, 64)
    assert function.updates() == []
    # as it was planned, later and by its id
    applied = requests.post(
        f"{function.sandbox.function}/policy-changes/CHG-1/apply", json={"plan": planned["plan"]}, timeout=60
    )
    assert (applied.status_code, applied.json()["applies"]) == (202, "CHG-1")
    governed.work(worker)
    assert record(function, applied.json()["changeId"])["summary"] == {"applied": 12}
    assert governed.open_items() == []


def test_a_change_with_if_match_is_never_queued(governed: Governed) -> None:
    function = governed.start("--timeout=5", "--env=CONNECT_REQUESTS_PER_SECOND=0.01", "--env=CONNECT_BURST=1")
    path = f"{function.sandbox.function}/instances/{instance(1)}/attachment-policies/CHAT"
    tag = requests.get(path, timeout=60).headers["ETag"]
    answer = requests.patch(path, json=SIZE, headers={"If-Match": tag}, timeout=60)
    assert (answer.status_code, answer.json()["report"]["summary"]) == (503, {"pending": 1})
    assert governed.lanes() == []
    kept = record(function, answer.json()["report"]["changeId"])
    assert (kept["status"], kept["summary"]) == ("incomplete", {"pending": 1})


def test_another_content_under_the_same_id_is_refused_or_parked(governed: Governed) -> None:
    function = governed.start(*TOO_SLOW)
    assert post(function, LARGE).status_code == 202
    other = {**LARGE, "maximumSizeLimitInBytes": 5_242_880}
    answer = post(function, other)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "change-id-reused")
    assert [violation["code"] for violation in answer.json()["violations"]] == ["ChangeIdReused"]
    # nobody waits for an answer: a person has to look
    governed.take_in(function, other)
    assert function.invoke(event(other)).payload["status"] == "rejected"
    parked = governed.aws.receive(governed.parked)
    assert [json.loads(message["Body"]) for message in parked] == [other, event(other)]
    for message in parked:
        label = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        assert (label["changeId"], label["status"]) == ("CHG-1", "rejected")
        assert label["reasons"].startswith("ChangeIdReused")
    assert record(function, "CHG-1")["document"]["maximumSizeLimitInBytes"] == SIZE["maximumSizeLimitInBytes"]
    assert len(governed.lanes()) == 1


def test_a_replayed_event_runs_once_for_each_replay_and_overwrites_nothing_newer(governed: Governed) -> None:
    function = governed.start(*PACED)
    original = event({key: SMALL[key] for key in SMALL if key != "changeId"})

    def replayed(name: str) -> tuple[int, dict[str, int]]:
        assert function.invoke({**original, "replay-name": name}).error is None
        governed.work(function)
        kept = record(function, original["id"])
        assert kept["document"]["ifUnmodifiedSince"] == original["time"]
        return kept["run"], kept["summary"]

    assert replayed("first") == (1, {"applied": 1})
    assert post(function, {**SMALL, "maximumSizeLimitInBytes": 5_242_880}).status_code == 200
    assert replayed("first") == (1, {"applied": 1}), "the same delivery, once more"
    assert replayed("second") == (2, {"superseded": 1})
    assert len(function.updates()) == 2


def test_changes_of_one_document_are_one_record_under_their_own_ids(governed: Governed) -> None:
    function = governed.start(*TOO_SLOW)
    by_scope = [{**LARGE, "attachmentScope": scope, "changeId": f"CHG-{scope}"} for scope in SCOPES]
    answered = function.invoke({"changes": by_scope, "changeId": "CHG-9"})
    assert (answered.error, answered.payload["status"]) == (None, "accepted")
    assert len(governed.lanes()) == 1
    kept = record(function, "CHG-9")["document"]["changes"]
    assert [change["changeId"] for change in kept] == [change["changeId"] for change in by_scope]
    governed.work(governed.beside(function, *PACED))
    assert record(function, "CHG-9")["summary"] == {"applied": 12}
    assert [scope for _, scope in targets(function.updates())] == [scope for scope in SCOPES for _ in range(3)]


def test_a_change_that_fits_is_carried_out_at_once_and_recorded(governed: Governed) -> None:
    function = governed.start(*TOO_SLOW)
    assert function.invoke(SMALL).payload["status"] == "succeeded"
    assert targets(function.updates()) == [(instance(1), "CHAT")]
    assert governed.lanes() == []
    assert record(function, "CHG-2")["summary"] == {"applied": 1}
    assert governed.open_items() == []


def test_the_worker_finishes_over_several_invocations_and_updates_each_target_once(governed: Governed) -> None:
    function = governed.start(
        "--instances=20", "--timeout=6", "--env=CONNECT_REQUESTS_PER_SECOND=12", "--env=CONNECT_BURST=1"
    )
    answer = post(function, {"instanceId": "*", "attachmentScope": "*", "changeId": "CHG-3", **SIZE})
    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
    assert function.updates() == []
    rounds = governed.work_until(1, function)
    assert len(rounds) > 1
    assert [polled.deleted for polled in rounds] == [0] * (len(rounds) - 1) + [1]
    assert all(polled.invoked.error is None for polled in rounds)
    everything = {(instance(number), scope) for number in range(1, 21) for scope in SCOPES}
    assert Counter(targets(function.updates())) == Counter(everything)
    shown = governed.aws.by_function("ChangeMessageVisibility")
    # where time is short it goes on at once; on a busy machine a target may fail for now, and its lane waits
    assert len(shown) == len(rounds) - 1
    assert 0 in {change["VisibilityTimeout"] for change in shown}
    assert len(governed.lanes()) == 1, "what is left stays in the ledger"
    kept = record(function, "CHG-3")
    assert (kept["status"], kept["summary"]) == ("succeeded", {"applied": 80})
    [lane] = kept["lanes"]
    assert (lane["deliveries"], lane["deliveriesWithoutProgress"]) == (len(rounds), 0)
    assert governed.open_items() == []


def test_killed_at_any_instant_and_delivered_again_it_ends_the_same(governed: Governed) -> None:
    function = governed.start("--instances=12", "--timeout=10", "--env=CONNECT_REQUESTS_PER_SECOND=40")
    document = {"instanceId": "*", "attachmentScope": "*", "changeId": "CHG-4", **SIZE}
    governed.take_in(function, document)
    poller = governed.poller(function)
    chance = random.Random(4)
    killed = 0
    for _ in range(MORE_ROUNDS_THAN_IT_TAKES):
        timer = threading.Timer(chance.uniform(0.1, 1.0), function.kill)
        if killed < 8:
            timer.start()
        polled = poller.poll()
        assert polled is not None
        if polled.deleted:
            timer.cancel()
            break
        if polled.invoked.error:
            assert polled.invoked.error == "Runtime.ExitError"
            killed += 1
            timer.join()
            # what the process had sent is with Amazon Connect by then
            time.sleep(0.2)
            governed.let_leases_lapse()
        governed.aws.show(governed.changes, polled.messages[0])
    else:
        raise AssertionError("it does not end")
    assert killed > 0
    everything = {(instance(number), scope) for number in range(1, 13) for scope in SCOPES}
    assert Counter(targets(function.updates())) == Counter(everything)
    kept = record(function, "CHG-4")
    # also of what was sent by a process that did not live to say so
    assert (kept["status"], kept["run"], kept["summary"]) == ("succeeded", 1, {"applied": 48})
    assert [result["before"]["maximumSizeLimitInBytes"] for result in kept["results"]] == [20_971_520] * 48
    assert governed.open_items() == []
    # delivered again, as at-least-once delivery allows: the document is the same change, and its lane has ended
    before = len(function.updates())
    send(governed.aws, governed.changes, json.dumps(json.loads(polled.messages[0]["Body"])), "again")
    assert [polled.deleted for polled in governed.work(function)] == [1]
    assert len(function.updates()) == before


def test_what_failed_for_now_comes_back_later_each_time(governed: Governed) -> None:
    function = governed.start(*PACED, "--fault=throttle=1", "--env=CONNECT_MAX_ATTEMPTS=1")
    governed.take_in(function, SMALL)
    poller = governed.poller(function)
    for _ in range(8):
        polled = poller.poll()
        assert polled is not None
        assert polled.deleted == 0
        assert poller.poll() is None, "hidden until then, and its group with it"
        governed.aws.show(governed.changes, polled.messages[0])
    shown = governed.aws.by_function("ChangeMessageVisibility")
    assert [change["VisibilityTimeout"] for change in shown] == [15, 30, 60, 120, 240, 480, 900, 900]
    assert {change["QueueUrl"] for change in shown} == {governed.changes}
    [lane] = record(function, "CHG-2")["lanes"]
    assert (lane["state"], lane["deliveries"], lane["deliveriesWithoutProgress"]) == ("open", 8, 8)


def test_after_as_many_deliveries_without_progress_the_lane_is_parked(governed: Governed) -> None:
    function = governed.start(
        *PACED, "--fault=throttle=1", "--env=CONNECT_MAX_ATTEMPTS=1", "--env=MAX_STALLED_DELIVERIES=2"
    )
    governed.take_in(function, SMALL)
    poller = governed.poller(function)
    for deleted in (0, 0, 1):
        polled = poller.poll()
        assert polled is not None
        assert polled.deleted == deleted
        if not deleted:
            governed.aws.show(governed.changes, polled.messages[0])
    kept = record(function, "CHG-2")
    assert (kept["status"], kept["lanes"][0]["state"], kept["summary"]) == ("incomplete", "parked", {"failed": 1})
    [message] = governed.aws.receive(governed.parked)
    assert json.loads(message["Body"])["changeId"] == "CHG-2"
    assert governed.open_items() == []


def test_a_change_that_is_not_done_holds_later_ones_of_its_lane_back(governed: Governed) -> None:
    # 24 updates take longer than an invocation has, however fast the machine is
    function = governed.start(
        "--instances=6", "--timeout=3", "--env=CONNECT_REQUESTS_PER_SECOND=7", "--env=CONNECT_BURST=1"
    )
    sizes = (4_194_304, 5_242_880)
    for size in sizes:
        document = {"instanceId": "*", "attachmentScope": "*", "maximumSizeLimitInBytes": size}
        governed.take_in(function, {**document, "changeId": f"CHG-{size}"}, str(size))
    rounds = governed.work_until(2, function)
    assert sum(polled.deleted for polled in rounds) == 2
    assert len(rounds) > 2
    asked = [entry["body"]["MaximumSizeLimitInBytes"] for entry in function.updates()]
    assert asked == [size for size in sizes for _ in range(24)]
    for size in sizes:
        assert record(function, f"CHG-{size}")["summary"] == {"applied": 24}


def test_lanes_whose_messages_were_not_taken_are_sent_by_the_sweep(
    governed: Governed, aws: RecordedAws
) -> None:
    function = governed.start(*TOO_SLOW)
    aws.sqs.delete_queue(QueueUrl=governed.changes)
    assert post(function, LARGE).status_code == 202
    aws.queue("changes.fifo")
    later = governed.beside(function, *PACED)
    assert later.invoke({"sweep": True}).payload == {"swept": 0}, "its planner may still be at work"
    governed.let_a_minute_pass("CHG-1")
    assert later.invoke({"sweep": True}).payload == {"swept": 1}
    governed.work(later)
    assert record(function, "CHG-1")["summary"] == {"applied": 12}
    assert governed.open_items() == []


def test_what_somebody_undoes_is_put_back(governed: Governed) -> None:
    function = governed.start(*PACED)
    governed.take_in(function, LARGE)
    governed.work(function)
    undone = requests.post(f"{function.sandbox.function}/policy-changes/CHG-1/undo", timeout=60)
    assert (undone.status_code, undone.json()["undoes"]) == (202, "CHG-1")
    governed.work(function)
    kept = record(function, undone.json()["changeId"])
    assert (kept["status"], kept["summary"]) == ("succeeded", {"applied": 12})
    assert {result["after"]["maximumSizeLimitInBytes"] for result in kept["results"]} == {20_971_520}
    assert governed.open_items() == []
