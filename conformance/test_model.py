"""Checks what the function sends and what the sandbox answers against botocore's service model."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
import requests
from aws import REGION, SCOPES, client, instance_arn, instance_id
from botocore.exceptions import ClientError
from conftest import UNPACED, serving
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorder import Exchange, Recorder, recording
from service_model import OPERATIONS, judge_answer, judge_request, problems

FUNCTION = "connect-attachment-policy"
# The same inputs in every run, so that a failure is caused by the code and not by chance.
REPEATABLE = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class World:
    """A function and boto3, both connected to one Amazon Connect through a recorder."""

    def __init__(self, recorder: Recorder, invoke: str, url: str) -> None:
        self.recorder, self.url = recorder, url
        self.boto = client("connect", recorder.url)
        self._lambda = client("lambda", invoke, read_timeout=60)

    def invoke(self, document: Any) -> dict[str, Any]:
        """The report, whether or not it comes as a function error."""
        answer = self._lambda.invoke(FunctionName=FUNCTION, Payload=json.dumps(document))
        payload = json.load(answer["Payload"])
        return json.loads(payload["errorMessage"]) if "FunctionError" in answer else payload

    def judged(self) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Operation, parameters and answer of every exchange since the last call, each checked against the model."""
        return [(*judge_request(exchange), judge_answer(exchange)) for exchange in self.recorder.taken()]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for the whole module, so that its state becomes as varied as possible."""
    logs = tmp_path_factory.mktemp("model")
    with ExitStack() as stack:
        connect = stack.enter_context(serving(logs / "connect", "--rate=0", "--instances=12", command="connect"))
        recorder = stack.enter_context(recording(connect.connect))
        flags = (*UNPACED, f"--env=AWS_ENDPOINT_URL_CONNECT={recorder.url}")
        sandbox = stack.enter_context(serving(logs / "function", *flags))
        yield World(recorder, sandbox.invoke, sandbox.function)


# ---- Every request of the function ----

Draw = Callable[..., Any]
numbers = st.integers(1, 14)  # twelve instances, of which two do not exist


@st.composite
def references(draw: Draw) -> str:
    """An instance, in one of the accepted spellings."""
    number = draw(numbers)
    arn = instance_arn(number)
    spellings = [instance_id(number), instance_id(number).upper(), arn, quote(arn, safe=""), quote(arn, safe=":")]
    return draw(st.sampled_from(spellings))


@st.composite
def changes(draw: Draw) -> dict[str, Any]:
    """A policy change; most of them are valid."""
    change: dict[str, Any] = {
        "instanceIds": draw(st.lists(references(), min_size=1, max_size=3)),
        "attachmentScopes": draw(st.lists(st.sampled_from([*SCOPES, "chat", "Email"]), min_size=1, max_size=4)),
        "force": draw(st.booleans()),
        "dryRun": draw(st.integers(0, 9)) == 0,
    }
    alphabet = "abcXYZ019-_"
    names = st.text(alphabet, min_size=1, max_size=10) | st.text(alphabet, min_size=1, max_size=9).map(".{}".format)
    extensions = st.lists(names, min_size=1, max_size=8)
    sizes = st.integers(1, 104_857_600) | st.sampled_from([1, 20_971_520, 20_971_521, 104_857_600])
    which = draw(st.integers(1, 3))
    if which & 1:
        change["maximumSizeLimitInBytes"] = draw(sizes | sizes.map(str) | sizes.map(float))
    if which & 2:
        change["allowedExtensions"] = draw(extensions)
    if draw(st.booleans()):
        change["ifUnmodifiedSince"] = draw(st.sampled_from(["2020-01-01T00:00:00Z", "2999-01-01T00:00:00+02:00"]))
    return change


@given(change=changes())
@settings(REPEATABLE, max_examples=250)
def test_every_request_for_a_random_change_is_as_modelled_and_no_more_than_was_asked(
    world: World, change: dict[str, Any]
) -> None:
    report = world.invoke(change)
    judged = world.judged()
    if report["status"] == "rejected":
        assert judged == []
        return
    sent = [parameters for name, parameters, _ in judged if name == "UpdateAttachedFilesConfiguration"]
    updated = [result for result in report["results"] if result["attempts"] > 0]
    assert {result["outcome"] for result in updated} <= {"applied"}
    for result, parameters in zip(updated, sent, strict=True):
        assert parameters["AttachmentScope"] == result["attachmentScope"]
        assert parameters["InstanceId"] in {result["instanceId"], result["instanceArn"]}
        assert ("MaximumSizeLimitInBytes" in parameters) == ("maximumSizeLimitInBytes" in change)
        assert ("ExtensionConfiguration" in parameters) == ("allowedExtensions" in change)


def test_what_the_function_may_send_of_an_undocumented_length_is_as_modelled_too(world: World) -> None:
    """256 extensions is this function's own limit; the model has no limit."""
    names = [f"x{number:09}" for number in range(256)]
    report = world.invoke(
        {"instanceId": instance_id(1), "attachmentScope": "CASE", "allowedExtensions": names}
    )
    [(_, parameters, _)] = [entry for entry in world.judged() if entry[0].startswith("Update")]
    assert report["status"] == "succeeded"
    assert len(parameters["ExtensionConfiguration"]["AllowedExtensions"]) == 256


def test_every_operation_of_the_function_was_judged(world: World) -> None:
    world.recorder.taken()
    everywhere = {"instanceId": "*", "attachmentScope": "*", "maximumSize": "2 MB"}
    assert world.invoke(everywhere)["status"] == "succeeded"
    tagged = {**everywhere, "instanceTags": {"stage": "test"}}
    # The sandbox's instances have no tags.
    assert (world.invoke(tagged)["status"], world.invoke(tagged)["results"]) == ("succeeded", [])
    one = {"instanceId": instance_id(2), "attachmentScope": "CHAT", "maximumSize": "3 MB"}
    assert world.invoke({**one, "ifUnmodifiedSince": "2999-01-01T00:00:00Z"})["status"] == "succeeded"
    path = f"{world.url}/instances/{quote(instance_arn(2), safe='')}/attachment-policies"
    assert requests.get(path, timeout=30).status_code == 200
    judged = world.judged()
    assert {name for name, _, _ in judged} == set(OPERATIONS)
    pages = [parameters.get("NextToken") for name, parameters, _ in judged if name == "ListInstances"]
    assert len([token for token in pages if token]) == 3, "the second page was not asked for"


# ---- Every answer of the sandbox ----

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)


@st.composite
def calls(draw: Draw) -> tuple[str, dict[str, Any]]:
    """A call that botocore accepts: the types are right, the values arbitrary."""
    name = draw(st.sampled_from(sorted(OPERATIONS)))
    who = st.sampled_from([instance_id(1), instance_arn(2), instance_id(13), instance_arn(1, "eu-west-2"), "arn:aws:s3:::b"])
    who |= texts.filter(bool)
    scopes = st.sampled_from([*SCOPES, "chat"]) | texts.filter(bool)
    call: dict[str, Any] = {} if name == "ListInstances" else {"InstanceId": draw(who)}
    if name == "DescribeInstance":
        return name, call
    if name.startswith("List"):
        if draw(st.booleans()):
            call["MaxResults"] = draw(st.integers(1, 120))
        if draw(st.integers(0, 3)) == 0:
            call["NextToken"] = draw(texts)
        return name, call
    call["AttachmentScope"] = draw(scopes)
    if name.startswith("Update"):
        if draw(st.booleans()):
            call["MaximumSizeLimitInBytes"] = draw(st.integers(1, 2**63 - 1) | st.integers(1, 104_857_600))
        if draw(st.booleans()):
            extension = st.text("abcXYZ-_09.", min_size=1, max_size=11) | texts.filter(bool)
            names = draw(st.lists(extension, max_size=5))
            call["ExtensionConfiguration"] = {"AllowedExtensions": [{"Extension": name} for name in names]}
    return name, call


@given(call=calls())
@settings(REPEATABLE, max_examples=600)
def test_every_answer_to_a_random_call_is_as_modelled(world: World, call: tuple[str, dict[str, Any]]) -> None:
    name, parameters = call
    method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]
    world.recorder.taken()
    right = problems(OPERATIONS[name].input_shape, parameters) == []
    try:
        getattr(world.boto, method)(**parameters)
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 404}, parameters
        modelled = {shape.name for shape in OPERATIONS[name].error_shapes}
        assert error.response["Error"]["Code"] in modelled, parameters
    else:
        assert right, f"the sandbox takes what the model refuses: {parameters}"
    [exchange] = world.recorder.taken()
    judge_answer(exchange)
    if right:
        assert judge_request(exchange) == (name, parameters)


# ---- The checker itself ----

RIGHT = Exchange(
    "POST",
    f"/attached-files-configurations/{quote(instance_arn(1), safe='')}/CHAT",
    "",
    {"content-type": "application/json", "authorization": f"AWS4-HMAC-SHA256 Credential=any/20261123/{REGION}/connect/aws4_request"},
    b'{"MaximumSizeLimitInBytes":1,"ExtensionConfiguration":{"AllowedExtensions":[{"Extension":"pdf"}]}}',
    200,
    {"Content-Type": "application/json", "x-amzn-requestid": "1"},
    b'{"InstanceId":"1","AttachmentScope":"CHAT","LastModifiedTime":1795424400.5}',
)  # fmt: skip


def test_the_judge_accepts_what_is_right() -> None:
    assert judge_request(RIGHT)[1]["InstanceId"] == instance_arn(1)
    assert judge_answer(RIGHT)["LastModifiedTime"].year == 2026


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "PUT"},
        {"path": "/attached-files-configurations/1/FAX"},
        {"path": "/attached-files-configurations//CHAT"},
        {"path": f"/attached-files-configurations/{'x' * 101}/CHAT"},
        {"path": RIGHT.path.replace("%", "%25").replace("CHAT", "FAX")},
        {"path": RIGHT.path.replace("%3A", ":")},
        {"query": "maxResults=1"},
        {"headers": {**RIGHT.headers, "content-type": "text/plain"}},
        {"headers": {**RIGHT.headers, "authorization": RIGHT.headers["authorization"].replace("connect", "s3")}},
        {"body": b'{"MaximumSizeLimitInBytes":"1"}'},
        {"body": b'{"MaximumSizeLimitInBytes":1.0}'},
        {"body": b'{"MaximumSizeLimitInBytes":null}'},
        {"body": b'{"MaximumSizeLimitInBytes":0}'},
        {"body": b'{"MaximumSizeLimitInBytes":104857601}'},
        {"body": b'{"maximumSizeLimitInBytes":1}'},
        {"body": b'{"ExtensionConfiguration":{}}'},
        {"body": b'{"ExtensionConfiguration":{"AllowedExtensions":["pdf"]}}'},
        {"body": b'{"ExtensionConfiguration":{"AllowedExtensions":[{"Extension":""}]}}'},
        {"body": b'{"ExtensionConfiguration":{"AllowedExtensions":[{"Extension":"tar.gz"}]}}'},
        {"body": b'{"ExtensionConfiguration":{"AllowedExtensions":[{"Extension":"pdf\\n"}]}}'},
        {"body": b'{"ExtensionConfiguration":{"AllowedExtensions":[{"Extension":"12345678901"}]}}'},
    ],
    ids=str,
)
def test_the_judge_refuses_a_request_with_one_thing_wrong(wrong: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, TypeError, AttributeError)):
        judge_request(replace(RIGHT, **wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"answer": b'{"InstanceId":"1"}'},
        {"answer": b'{"InstanceId":"1","AttachmentScope":"FAX"}'},
        {"answer": b'{"InstanceId":"1","AttachmentScope":"CHAT","LastModified":1}'},
        {"answer": b'{"InstanceId":"1","AttachmentScope":"CHAT","MaximumSizeLimitInBytes":"1"}'},
        {"answer": b"<html>"},
        {"answer_headers": {**RIGHT.answer_headers, "Content-Type": "text/html"}},
        {"status": 418, "answer_headers": {**RIGHT.answer_headers, "x-amzn-errortype": "TeapotException"}},
        {"status": 400, "answer_headers": {**RIGHT.answer_headers, "x-amzn-errortype": "ThrottlingException"}},
    ],
    ids=str,
)
def test_the_judge_refuses_an_answer_with_one_thing_wrong(wrong: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, KeyError)):
        judge_answer(replace(RIGHT, **wrong))
