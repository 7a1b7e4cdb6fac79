"""The templates of examples/, which declare policies."""

import json
from pathlib import Path
from typing import Any

from cdk_example import synthesised
from cloudformation import read
from declaring import answers, declared
from event_path import EventPath, moto, path
from expansion import ROOT, expanded
from linters import beside_python, run

__all__ = ["moto", "path"]  # fixtures, which pytest finds by name

EXAMPLE = ROOT / "examples/cloudformation/policies.yaml"
INSTANCE = "00000001-0000-4000-8000-000000000001"


def example() -> dict[str, Any]:
    return read(EXAMPLE)


def test_cfn_lint_finds_nothing_in_the_examples(tmp_path: Path) -> None:
    of_cdk = tmp_path / "cdk.json"
    of_cdk.write_text(json.dumps(synthesised()))
    result = run(beside_python("cfn-lint"), EXAMPLE, ROOT / "examples/terraform/policies.yaml", of_cdk, home=tmp_path)
    assert (result.returncode, result.stdout) == (0, "")


def test_the_example_imports_what_the_stack_exports_and_reads_what_is_answered() -> None:
    exported = expanded()["Outputs"]["DeclareFunctionArn"]["Export"]["Name"]["Fn::Sub"]
    properties = example()["Resources"]["Policies"]["Properties"]
    imported = properties["ServiceToken"]["Fn::ImportValue"]["Fn::Sub"]
    assert imported == exported.replace("AWS::StackName", "FunctionsStack")
    outputs = [output["Value"]["Fn::GetAtt"] for output in example()["Outputs"].values()]
    assert outputs == [["Policies", "ChangeId"], ["Policies", "Targets"]]


def test_the_properties_of_the_example_are_accepted(path: EventPath) -> None:
    properties = example()["Resources"]["Policies"]["Properties"]
    with answers() as (url, arrived):
        asked = declared("Create", url(), INSTANCE)
        asked["ResourceProperties"] = properties | {"ServiceToken": "arn"}
        told = path.invoke(asked, path.variables("DeclareFunction") | {"ANSWER_LOOPBACK": "true"})
    assert (told["answer"]["kind"], arrived) == ("response", []), "it is recorded, and answered when it has ended"
