"""Changes that wait in a queue and events that are parked: real SQS calls, from and to the production binary."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import Sandbox
from lambda_service import Function, Invoked, Poller, targets
from recorded_aws import RecordedAws

SCOPES = ("EMAIL", "CHAT", "CASE", "TASK")
NOWHERE = "99999999-0000-4000-8000-999999999999"
# a pace at which three instances take far longer than an invocation has
TOO_SLOW = ("--timeout=5", "--env=CONNECT_REQUESTS_PER_SECOND=0.1", "--env=CONNECT_BURST=1")
SIZE = {"maximumSizeLimitInBytes": 4_194_304}
MORE_ROUNDS_THAN_IT_TAKES = 60

Serve = Callable[..., Sandbox]
Start = Callable[..., Function]


def instance(number: int) -> str:
    """A numbered instance of the sandbox."""
    return f"{number:08x}-0000-4000-8000-{number:012x}"


LARGE = {
    "instanceIds": [instance(number) for number in (1, 2, 3)],
    "attachmentScope": "*",
    "changeId": "CHG-1",
    **SIZE,
}
SMALL = {"instanceId": instance(1), "attachmentScope": "CHAT", "changeId": "CHG-2", **SIZE}


def event(detail: Any) -> dict[str, Any]:
    """A change as a rule hands it over."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Attachment Policy Change Requested",
        "source": "com.example.policy",
        "account": "111122223333",
        "time": "2026-11-23T10:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
    }


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    """An SQS of the test's own."""
    started = RecordedAws()
    yield started
    started.stop()


@pytest.fixture
def start(serve: Serve, aws: RecordedAws, tmp_path: Path) -> Start:
    """Starts a function whose SQS is moto's."""

    def started(*flags: str) -> Function:
        journal = tmp_path / "journal.jsonl"
        sandbox = serve("--rate=0", f"--journal={journal}", f"--env=AWS_ENDPOINT_URL_SQS={aws.url}", *flags)
        return Function(sandbox, journal)

    return started


def post(function: Function, change: Any) -> Invoked:
    """By HTTP: the status in place of an error type."""
    answer = requests.post(f"{function.sandbox.function}/policy-changes", json=change, timeout=60)
    return Invoked(None if answer.status_code == 202 else str(answer.status_code), answer.json())


SENDERS = {
    "http": post,
    "bare": lambda function, change: function.invoke(change),
    "eventbridge": lambda function, change: function.invoke(event(change)),
}


@pytest.mark.parametrize("send", SENDERS.values(), ids=SENDERS)
def test_a_change_too_large_for_the_time_is_queued_whole_and_once(
    start: Start, aws: RecordedAws, send: Callable[[Function, Any], Invoked]
) -> None:
    changes = aws.queue("changes.fifo")
    function = start(*TOO_SLOW, f"--env=CHANGE_QUEUE_URL={changes}")
    for _ in range(2):
        answered = send(function, {**LARGE, "reason": "as told"})
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
    # delivered once more, as at-least-once allows: nothing is left to do
    before = len(function.updates())
    send(aws, changes, body, "again")
    assert [polled.deleted for polled in work(poller)] == [1]
    assert len(function.updates()) == before


def send(aws: RecordedAws, queue: str, body: str, deduplication: str = "once") -> None:
    """Puts a message into a queue, as somebody else than the function."""
    fifo = {"MessageGroupId": "attachment-policy", "MessageDeduplicationId": deduplication}
    aws.sqs.send_message(QueueUrl=queue, MessageBody=body, **(fifo if queue.endswith(".fifo") else {}))


def work(poller: Poller) -> list[Any]:
    """Polls until nothing is visible."""
    rounds = []
    for _ in range(MORE_ROUNDS_THAN_IT_TAKES):
        polled = poller.poll()
        if polled is None:
            return rounds
        rounds.append(polled)
    raise AssertionError(f"not done after {len(rounds)} invocations")


# what ends for good, by the status it ends in, and the beginning of the reason told
FOR_GOOD: dict[str, tuple[dict[str, Any], str]] = {
    "rejected": (
        {**SMALL, "attachmentScope": "EMAIL", "maximumSizeLimitInBytes": 52_428_800},
        "SizeTooLargeForEmail at `/maximumSizeLimitInBytes`: must be at most 20971520 bytes",
    ),
    "failed": ({**SMALL, "instanceId": NOWHERE}, f"{NOWHERE} CHAT: ResourceNotFoundException "),
    "partial": (
        {**LARGE, "changeId": "CHG-2", "instanceIds": [instance(1), NOWHERE]},
        f"{NOWHERE} EMAIL: ResourceNotFoundException ",
    ),
}
PACED = ("--env=CONNECT_REQUESTS_PER_SECOND=1000", "--env=CONNECT_BURST=100")


def label(message: dict[str, Any]) -> dict[str, str]:
    """A message's attributes."""
    return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}


@pytest.mark.parametrize("status", FOR_GOOD)
def test_an_event_that_is_over_is_parked_whole_with_its_id_status_and_reasons(
    start: Start, aws: RecordedAws, status: str
) -> None:
    change, reason = FOR_GOOD[status]
    parked = aws.queue("parked")
    function = start(*PACED, f"--env=PARKED_QUEUE_URL={parked}")
    original = json.dumps(event(change), indent=1)
    answered = function.invoke(original)
    assert (answered.error, answered.payload["status"]) == (None, status)
    [message] = aws.receive(parked)
    assert message["Body"] == original
    assert (label(message)["changeId"], label(message)["status"]) == ("CHG-2", status)
    assert label(message)["reasons"].startswith(reason)


def test_a_fifo_queue_takes_what_is_parked_and_the_same_event_once(start: Start, aws: RecordedAws) -> None:
    parked = aws.queue("parked.fifo")
    function = start(*PACED, f"--env=PARKED_QUEUE_URL={parked}")
    change, _ = FOR_GOOD["rejected"]
    for _ in range(2):
        assert function.invoke(event(change)).error is None
    [message] = aws.receive(parked)
    assert json.loads(message["Body"]) == event(change)


@pytest.mark.parametrize("status", FOR_GOOD)
def test_a_message_that_is_over_is_parked_whole_and_done(
    start: Start, aws: RecordedAws, status: str
) -> None:
    change, reason = FOR_GOOD[status]
    changes, parked = aws.queue("changes.fifo"), aws.queue("parked")
    function = start(*PACED, f"--env=PARKED_QUEUE_URL={parked}")
    original = json.dumps(change, indent=1)
    send(aws, changes, original)
    assert [polled.deleted for polled in work(Poller(aws, changes, function))] == [1]
    [message] = aws.receive(parked)
    assert message["Body"] == original
    assert (label(message)["changeId"], label(message)["status"]) == ("CHG-2", status)
    assert label(message)["reasons"].startswith(reason)
    assert aws.by_function("ChangeMessageVisibility") == []


def test_what_cannot_be_parked_is_incomplete_and_comes_again(start: Start, aws: RecordedAws) -> None:
    changes = aws.queue("changes.fifo")
    gone = aws.queue("parked")
    aws.sqs.delete_queue(QueueUrl=gone)
    function = start(*PACED, f"--env=PARKED_QUEUE_URL={gone}")
    change, _ = FOR_GOOD["rejected"]
    answered = function.invoke(event(change))
    assert answered.error == "PolicyChangeIncomplete"
    assert answered.payload["violations"][0]["pointer"] == "/maximumSizeLimitInBytes"
    send(aws, changes, json.dumps(change))
    polled = Poller(aws, changes, function).poll()
    assert polled is not None
    assert polled.invoked.payload == {
        "batchItemFailures": [{"itemIdentifier": polled.messages[0]["MessageId"]}]
    }
    [shown] = aws.by_function("ChangeMessageVisibility")
    assert shown["VisibilityTimeout"] == 15


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
    # hidden for as long as nobody makes it visible: the test would not wait for it
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
