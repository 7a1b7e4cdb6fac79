"""The CDK example: its types, and what it synthesises. test_cloudformation.py deploys that."""

import json
from pathlib import Path

from cdk_example import EXAMPLE, compiled, ran, synthesised
from expansion import expanded

SYNTHESISED = {
    "Contacts": {
        "AttachmentScopes": ["CHAT", "TASK"],
        "MaximumSizeLimitInBytes": 10 * 1024 * 1024,
        "AllowedExtensions": ["docx", "pdf", "jpg", "png"],
        "Reason": "documents and images",
    },
    "Email": {
        "AttachmentScopes": ["EMAIL"],
        "MaximumSizeLimitInBytes": 5 * 1024 * 1024,
        "AllowedExtensions": ["docx", "pdf"],
    },
}


def test_its_types_are_right() -> None:
    checked = compiled()
    assert (checked.returncode, checked.stdout) == (0, "")


def test_a_wrong_property_is_an_error_of_its_types(tmp_path: Path) -> None:
    """Each line of the program is wrong in one way."""
    wrong = tmp_path / "wrong.ts"
    wrong.write_text(f"""
import {{ Size, Stack }} from "{EXAMPLE}/node_modules/aws-cdk-lib/index.js";
import {{ AttachmentPolicy }} from "{EXAMPLE}/attachment-policy.ts";
const values = {{ instanceIds: ["*"], maximumSize: Size.mebibytes(1), allowedExtensions: ["pdf"] }};
const stack = new Stack();
new AttachmentPolicy(stack, "A", {{ ...values, attachmentScopes: ["FAX"] }});
new AttachmentPolicy(stack, "B", {{ ...values, attachmentScopes: ["CHAT"], maximumSize: "1 MB" }});
new AttachmentPolicy(stack, "C", {{ ...values, attachmentScopes: ["CHAT"], onDelete: "Destroy" }});
new AttachmentPolicy(stack, "D", {{ ...values, attachmentScopes: ["CHAT"], addExtensions: ["png"] }});
new AttachmentPolicy(stack, "E", {{ instanceIds: ["*"], attachmentScopes: ["CHAT"], maximumSize: values.maximumSize }});
""")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    options = tmp_path / "tsconfig.json"
    options.write_text(json.dumps({"extends": str(EXAMPLE / "tsconfig.json"), "include": [str(wrong)]}))
    checked = compiled("--project", options)
    found = [line for line in checked.stdout.splitlines() if "error TS" in line]
    lines = [int(line.split("(")[1].split(",")[0]) for line in found]
    assert (checked.returncode != 0, lines) == (True, [6, 7, 8, 9, 10]), checked.stdout
    for name, line in zip(("FAX", "Size", "Destroy", "addExtensions", "allowedExtensions"), found, strict=True):
        assert name in line


def test_a_time_that_would_be_refused_is_an_error_of_the_synthesis() -> None:
    program = """
import { Duration, Size, Stack } from "aws-cdk-lib";
import { AttachmentPolicy } from "./attachment-policy.ts";
new AttachmentPolicy(new Stack(), "Policy", {
  instanceIds: ["*"], attachmentScopes: ["CHAT"], maximumSize: Size.mebibytes(1), allowedExtensions: ["pdf"],
  serviceTimeout: Duration.seconds(179),
});
"""
    made = ran("--input-type=module", "--eval", program)
    assert made.returncode == 1
    assert "Error: serviceTimeout is at least 3 minutes, not 2 minutes 59 seconds" in made.stderr


def test_it_synthesises_the_resources_that_the_function_takes() -> None:
    exported = expanded()["Outputs"]["DeclareFunctionArn"]["Export"]["Name"]["Fn::Sub"]
    assert exported == "${AWS::StackName}-DeclareFunctionArn"
    common = {
        "ServiceToken": {"Fn::ImportValue": "attachment-policy-DeclareFunctionArn"},
        "ServiceTimeout": "3600",
        "InstanceIds": ["*"],
        "OnDelete": "Restore",
    }
    made = {name.rstrip("0123456789ABCDEF"): resource for name, resource in synthesised()["Resources"].items()}
    assert {name: resource["Properties"] for name, resource in made.items()} == {
        name: common | properties for name, properties in SYNTHESISED.items()
    }
    assert {resource["Type"] for resource in made.values()} == {"Custom::AttachmentPolicy"}
    # no bootstrap of the account, no assets
    assert synthesised().keys() == {"Description", "Resources", "Outputs"}


def test_each_dependency_is_pinned() -> None:
    package = json.loads((EXAMPLE / "package.json").read_text())
    lock = json.loads((EXAMPLE / "package-lock.json").read_text())["packages"]
    asked = package["dependencies"] | package["devDependencies"]
    assert asked == {name: lock[f"node_modules/{name}"]["version"] for name in asked}
