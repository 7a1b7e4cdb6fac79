"""Changes that wait in a queue: real SQS calls, from and to the production binary."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests
from lambda_service import Function, Invoked, Poller, targets
from queue_fixtures import LARGE, PACED, SIZE, SMALL, Start, event, instance, send, start, work
from recorded_aws import RecordedAws, aws

__all__ = ["aws", "start"]  # fixtures, which pytest finds by name

SCOPES = ("EMAIL", "CHAT", "CASE", "TASK")
# a rate at which three instances take much longer than one invocation may
TOO_SLOW = ("--timeout=5", "--env=CONNECT_REQUESTS_PER_SECOND=0.1", "--env=CONNECT_BURST=1")


def post(function: Function, change: Any) -> Invoked:
    """Over HTTP, with the status in place of an error type."""
    answer = requests.post(f"{function.sandbox.function}/policy-changes", json=change, timeout=60)
    return Invoked(None if answer.status_code == 202 else str(answer.status_code), answer.json())


SENDERS = {
    "http": post,
    "bare": lambda function, change: function.invoke(change),
    "eventbridge": lambda function, change: function.invoke(event(change)),
}


@pytest.mark.parametrize("submit", SENDERS.values(), ids=SENDERS)
def test_a_change_too_large_for_the_time_is_queued_whole_and_once(
    start: Start, aws: RecordedAws, submit: Callable[[Function, Any], Invoked]
) -> None:
    changes = aws.queue("changes.fifo")
    function = start(*TOO_SLOW, f"--env=CHANGE_QUEUE_URL={changes}")
    for _ in range(2):
        answered = submit(function, {**LARGE, "reason": "as told"})
        assert (answered.error, answered.payload["status"]) == (None, "accepted")
        assert answered.payload["changeId"] == "CHG-1"
    first, second = aws.by_function("SendMessage")
    assert first == second
    assert (first["QueueUrl"], first["MessageGroupId"]) == (changes, "attachment-policy")
    assert len(first["MessageDeduplicationId"]) == 64
    [message] = aws.receive(changes)
    queued = json.loads(message["Body"])
    arn = "arn:aws:connect:us-east-1:111122223333:instance/"
    assert queued == {
        "instanceIds": [arn + instance(number) for number in (1, 2, 3)],
        "attachmentScopes": list(SCOPES),
        **SIZE,
        "changeId": "CHG-1",
        "reason": "as told",
    }
    assert function.journal() == []


def test_another_content_under_the_same_id_is_another_change(start: Start, aws: RecordedAws) -> None:
    changes = aws.queue("changes.fifo")
    function = start(*TOO_SLOW, f"--env=CHANGE_QUEUE_URL={changes}")
    for size in (4_194_304, 5_242_880):
        assert function.invoke({**LARGE, "maximumSizeLimitInBytes": size}).payload["status"] == "accepted"
    first, second = (sent["MessageDeduplicationId"] for sent in aws.by_function("SendMessage"))
    assert first != second


def test_a_replayed_event_is_queued_under_its_id_and_with_its_time(start: Start, aws: RecordedAws) -> None:
    changes = aws.queue("changes.fifo")
    function = start(*TOO_SLOW, f"--env=CHANGE_QUEUE_URL={changes}")
    replayed = {**event({key: LARGE[key] for key in LARGE if key != "changeId"}), "replay-name": "again"}
    assert function.invoke(replayed).payload["status"] == "accepted"
    [message] = aws.receive(changes)
    queued = json.loads(message["Body"])
    assert (queued["changeId"], queued["ifUnmodifiedSince"]) == (replayed["id"], replayed["time"])


def test_changes_of_one_document_are_queued_together_under_their_own_ids(
    start: Start, aws: RecordedAws
) -> None:
    changes = aws.queue("changes.fifo")
    function = start(*TOO_SLOW, f"--env=CHANGE_QUEUE_URL={changes}")
    by_scope = [{**LARGE, "attachmentScope": scope, "changeId": f"CHG-{scope}"} for scope in SCOPES]
    answered = function.invoke({"changes": by_scope})
    assert (answered.error, answered.payload["status"]) == (None, "accepted")
    [message] = aws.receive(changes)
    queued = json.loads(message["Body"])["changes"]
    assert [change["changeId"] for change in queued] == [change["changeId"] for change in by_scope]


def test_a_change_that_fits_is_carried_out_at_once(start: Start, aws: RecordedAws) -> None:
    changes = aws.queue("changes.fifo")
    function = start(*TOO_SLOW, f"--env=CHANGE_QUEUE_URL={changes}")
    assert function.invoke(SMALL).payload["status"] == "succeeded"
    assert targets(function.updates()) == [(instance(1), "CHAT")]
    assert aws.by_function("SendMessage") == []


def test_the_worker_finishes_over_several_invocations_and_updates_each_target_once(
    start: Start, aws: RecordedAws
) -> None:
    changes = aws.queue("changes.fifo")
    function = start(
        "--instances=100",
        "--timeout=4",
        "--env=CONNECT_REQUESTS_PER_SECOND=50",
        f"--env=CHANGE_QUEUE_URL={changes}",
    )
    answered = post(function, {"instanceId": "*", "attachmentScope": "*", "changeId": "CHG-3", **SIZE})
    assert (answered.error, answered.payload["status"]) == (None, "accepted")
    assert function.updates() == []
    poller = Poller(aws, changes, function)
    rounds = work(poller)
    assert len(rounds) > 1
    assert [polled.deleted for polled in rounds] == [0] * (len(rounds) - 1) + [1]
    assert all(polled.invoked.error is None for polled in rounds)
    everything = {(instance(number), scope) for number in range(1, 101) for scope in SCOPES}
    assert Counter(targets(function.updates())) == Counter(everything)
    shown = aws.by_function("ChangeMessageVisibility")
    assert [change["VisibilityTimeout"] for change in shown] == [0] * (len(rounds) - 1)
    assert len(aws.by_function("SendMessage")) == 1, "what is left stays in its message"


def test_killed_at_any_instant_and_delivered_again_it_ends_the_same(start: Start, aws: RecordedAws) -> None:
    changes = aws.queue("changes.fifo")
    function = start(
        "--instances=30",
        "--timeout=3",
        "--env=CONNECT_REQUESTS_PER_SECOND=40",
        f"--env=CHANGE_QUEUE_URL={changes}",
    )
    body = json.dumps({"instanceId": "*", "attachmentScope": "*", "changeId": "CHG-4", **SIZE})
    send(aws, changes, body)
    poller = Poller(aws, changes, function)
    chance = random.Random(4)
    killed = 0
    for _ in range(8):
        timer = threading.Timer(chance.uniform(0.05, 1.0), function.kill)
        timer.start()
        polled = poller.poll()
        timer.join()
        assert polled is not None
        if polled.deleted:
            break
        if polled.invoked.error:
            assert polled.invoked.error == "Runtime.ExitError"
            killed += 1
            aws.show(changes, polled.messages[0])
    else:
        work(poller)
    assert killed > 0
    everything = {(instance(number), scope) for number in range(1, 31) for scope in SCOPES}
    assert Counter(targets(function.updates())) == Counter(everything)
    # delivered again, as at-least-once delivery allows: nothing is left to do
    before = len(function.updates())
    send(aws, changes, body, "again")
    assert [polled.deleted for polled in work(poller)] == [1]
    assert len(function.updates()) == before


def test_what_failed_for_now_comes_back_later_each_time(start: Start, aws: RecordedAws) -> None:
    changes = aws.queue("changes.fifo")
    throttled = ("--fault=throttle=1", "--env=CONNECT_MAX_ATTEMPTS=1")
    function = start(*PACED, *throttled, f"--env=CHANGE_QUEUE_URL={changes}")
    send(aws, changes, json.dumps(SMALL))
    poller = Poller(aws, changes, function)
    for _ in range(8):
        polled = poller.poll()
        assert polled is not None
        assert polled.deleted == 0
        assert poller.poll() is None, "hidden until then, and its group with it"
        aws.show(changes, polled.messages[0])
    shown = aws.by_function("ChangeMessageVisibility")
    assert [change["VisibilityTimeout"] for change in shown] == [15, 30, 60, 120, 240, 480, 900, 900]
    assert {change["QueueUrl"] for change in shown} == {changes}


def test_a_change_of_a_batch_that_ran_out_of_time_holds_later_ones_back_until_it_is_done(
    start: Start, aws: RecordedAws
) -> None:
    # hidden until somebody makes it visible; the test could not wait that long
    changes = aws.queue("changes.fifo", VisibilityTimeout="1800")
    function = start(
        "--instances=12",
        "--timeout=2",
        "--env=CONNECT_REQUESTS_PER_SECOND=30",
        "--env=CONNECT_BURST=1",
    )
    sizes = (4_194_304, 5_242_880)
    for size in sizes:
        document = {"instanceId": "*", "attachmentScope": "*", "maximumSizeLimitInBytes": size}
        send(aws, changes, json.dumps(document), str(size))
    poller = Poller(aws, changes, function, batch_size=10)
    rounds = work(poller)
    assert sum(polled.deleted for polled in rounds) == 2
    assert len(rounds[0].messages) == 2
    asked = [entry["body"]["MaximumSizeLimitInBytes"] for entry in function.updates()]
    assert asked == [size for size in sizes for _ in range(48)]
