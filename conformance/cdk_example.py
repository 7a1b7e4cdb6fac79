"""The CDK example, compiled and synthesised by the Node of a wheel."""

import json
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from expansion import ROOT
from node_program import node

EXAMPLE = ROOT / "examples" / "cdk"


def ran(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess:
    """Node, in the folder of the example."""
    assert (EXAMPLE / "node_modules").is_dir(), "no CDK: `make environments` installs examples/cdk/package-lock.json"
    command = [node(), *map(str, arguments)]
    environment = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(command, cwd=EXAMPLE, env=environment, capture_output=True, text=True, timeout=300)


def compiled(*arguments: str | Path) -> subprocess.CompletedProcess:
    return ran("node_modules/typescript/bin/tsc", *arguments)


@cache
def synthesised() -> dict[str, Any]:
    """The template of its one stack. It is shared, so do not modify it."""
    with tempfile.TemporaryDirectory() as folder:
        # what `cdk synth` sets
        made = ran("app.ts", CDK_OUTDIR=folder)
        assert (made.returncode, made.stderr) == (0, "")
        [template] = Path(folder).glob("*.template.json")
        return json.loads(template.read_text())


def with_every_property() -> dict[str, Any]:
    """The template of a stack whose one resource has all that the construct knows."""
    program = """
import { App, BootstraplessSynthesizer, Duration, Size, Stack } from "aws-cdk-lib";
import { AttachmentPolicy } from "./attachment-policy.ts";
const app = new App();
const stack = new Stack(app, "Every", { synthesizer: new BootstraplessSynthesizer() });
new AttachmentPolicy(stack, "Policy", {
  instanceIds: ["*"], instanceTags: { team: ["a", "b"], "cost centre": "7" }, attachmentScopes: ["*"],
  maximumSize: Size.kibibytes(1536), allowedExtensions: ["pdf"], onDelete: "Retain",
  serviceTimeout: Duration.minutes(3), reason: "REQ-7", requestedBy: "somebody", functionsStack: "attachment-policy",
});
console.log(JSON.stringify(app.synth().getStackByName("Every").template));
"""
    made = ran("--input-type=module", "--eval", program)
    assert (made.returncode, made.stderr) == (0, "")
    return json.loads(made.stdout)
