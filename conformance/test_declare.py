"""A custom resource's answer, judged by botocore's signature; and the example of a template that declares policies."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import yaml
from botocore.awsrequest import AWSRequest
from declaring import OBJECT, SIGNER, answers, declared
from event_path import EventPath, moto, path
from expansion import ROOT, expanded
from linters import beside_python, run

__all__ = ["moto", "path"]  # fixtures, which pytest finds by name

EXAMPLE = ROOT / "examples/cloudformation/policies.yaml"
INSTANCE = "00000001-0000-4000-8000-000000000001"


class Loader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions as their arguments."""


Loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))


def example() -> dict:
    return yaml.load(EXAMPLE.read_text(), Loader)  # noqa: S506


def test_an_answer_meets_the_signature_of_its_url(path: EventPath) -> None:
    """Version 2 signs the Content-Type: with any other than the empty one, Amazon S3 refuses the request."""
    with answers() as (url, arrived):
        signed = url()
        # refused at once, so that the one function answers
        asked = declared("Create", signed, "no instance")
        path.invoke(asked, path.variables("DeclareFunction") | {"ANSWER_LOOPBACK": "true"})
    [answer] = arrived
    assert (answer.method, answer.target) == ("PUT", urlsplit(signed).path + "?" + urlsplit(signed).query)
    assert answer.target.startswith(OBJECT + "?")
    query = parse_qs(urlsplit(answer.target).query)
    sent = {name: value for name, value in answer.headers.items() if name == "content-type" or name.startswith("x-amz-")}
    for content_type, is_met in ((sent.get("content-type", ""), True), ("application/json", False)):
        checked = AWSRequest("PUT", signed, headers=sent | {"content-type": content_type})
        canonical = SIGNER.canonical_string("PUT", urlsplit(OBJECT), checked.headers)
        # the signature has the time of expiry in the place of the date
        lines = canonical.split("\n")
        lines[3] = query["Expires"][0]
        assert (SIGNER.sign_string("\n".join(lines)) == query["Signature"][0]) is is_met
    assert answer.body["Status"] == "FAILED"
    assert answer.body["Reason"].startswith("The properties break the rules, and nothing was changed: `/InstanceIds/0`")
    assert {name: answer.body[name] for name in ("StackId", "RequestId", "LogicalResourceId")} == {
        name: asked[name] for name in ("StackId", "RequestId", "LogicalResourceId")
    }


def test_the_example_is_a_valid_template(tmp_path: Path) -> None:
    result = run(beside_python("cfn-lint"), EXAMPLE, home=tmp_path)
    assert result.returncode == 0, result.stdout


def test_the_example_imports_what_the_stack_exports_and_reads_what_is_answered() -> None:
    exported = expanded()["Outputs"]["DeclareFunctionArn"]["Export"]["Name"]["Fn::Sub"]
    properties = example()["Resources"]["Policies"]["Properties"]
    assert properties["ServiceToken"]["Fn::ImportValue"] == exported.replace("AWS::StackName", "FunctionsStack")
    read = {output["Value"].removeprefix("Policies.") for output in example()["Outputs"].values()}
    assert read <= {"ChangeId", "Targets", "Applied", "Unchanged"}


def test_the_properties_of_the_example_are_accepted(path: EventPath) -> None:
    properties = example()["Resources"]["Policies"]["Properties"]
    with answers() as (url, arrived):
        asked = declared("Create", url(), INSTANCE)
        asked["ResourceProperties"] = properties | {"ServiceToken": "arn"}
        told = path.invoke(asked, path.variables("DeclareFunction") | {"ANSWER_LOOPBACK": "true"})
    assert (told["answer"]["kind"], arrived) == ("response", []), "it is recorded, and answered when it has ended"
