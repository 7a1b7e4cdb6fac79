"""sam itself with samconfig.toml: what it builds for which processor, and what it keeps for a rollback.

`cargo lambda` is a script that writes down what it was asked for, since what it makes is not looked at here.
"""

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from expansion import ROOT, expanded, is_allowed
from linters import beside_python
from moto.server import ThreadedMotoServer
from recorded_aws import ANYBODY, REGION

ENVIRONMENTS = ["default", "dev", "prod"]
CARGO = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in
  metadata*) echo "{\\"packages\\": [], \\"target_directory\\": \\"$PWD/target\\"}" ;;
  *build*) cd target/lambda/connect-attachment-policy && echo made > bootstrap ;;
esac
"""
BUCKET = "artifacts"


class Project:
    """template.yaml and samconfig.toml somewhere else, with a compiler that takes no time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name in ("template.yaml", "samconfig.toml", "Cargo.toml", "Cargo.lock"):
            shutil.copy(ROOT / name, directory)
        (directory / "packaging").mkdir()
        shutil.copy(ROOT / "packaging/standalone.yaml", directory / "packaging")
        (directory / "target/lambda/connect-attachment-policy").mkdir(parents=True)
        programs = directory / "bin"
        programs.mkdir()
        for name in ("cargo", "cargo-lambda"):
            (programs / name).write_text(CARGO)
            (programs / name).chmod(0o755)
        path = os.pathsep.join([str(programs), str(beside_python("sam").parent), os.environ["PATH"]])
        self.environment = {
            "PATH": path, "HOME": str(directory), "CALLS": str(directory / "calls"), "SAM_CLI_TELEMETRY": "0",
            "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any",
        }  # fmt: skip

    def override(self, environment: str, **values: str) -> None:
        """A parameter in the table of an environment, as an operator adds it."""
        config = tomllib.loads((self.directory / "samconfig.toml").read_text())
        table = config[environment]["global"]["parameters"]
        table["parameter_overrides"] = {**table.get("parameter_overrides", {}), **values}
        (self.directory / "samconfig.yaml").write_text(yaml.safe_dump(config))
        (self.directory / "samconfig.toml").unlink()

    def sam(self, *arguments: str, **environment: str) -> str:
        result = subprocess.run(
            ["sam", *arguments],
            env={**self.environment, **environment}, cwd=self.directory, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    def compiled(self) -> list[list[str]]:
        calls = [line.split() for line in (self.directory / "calls").read_text().splitlines()]
        return [call for call in calls if call[:2] == ["lambda", "build"]]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def configured(environment: str, command: str) -> dict[str, Any]:
    """What a command reads of an environment: its own table over the global one."""
    tables = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]
    return tables["global"]["parameters"] | tables.get(command, {}).get("parameters", {})


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_build_package_and_deploy_read_the_same_parameters(environment: str) -> None:
    commands = ("build", "package", "deploy")
    given = [configured(environment, command).get("parameter_overrides", {}) for command in commands]
    assert given[0] == given[1] == given[2]
    assert [name for name, value in given[0].items() if not is_allowed(name, str(value))] == []
    assert given[0].keys() <= expanded()["Parameters"].keys()


@pytest.mark.parametrize(("architecture", "flag"), [("arm64", True), ("x86_64", False)])
def test_an_architecture_in_samconfig_is_the_one_that_is_built(project: Project, architecture: str, flag: bool) -> None:
    project.override("prod", Architecture=architecture)
    project.sam("build", "--config-env", "prod")
    # all functions, and not the start check, are one build
    [call] = project.compiled()
    assert ("--arm64" in call) is flag


def test_the_standalone_template_is_built_from_the_same_sources(project: Project) -> None:
    """It lies in a folder of its own, and its code is the project above."""
    project.sam("build", "--template-file", "packaging/standalone.yaml")
    assert len(project.compiled()) == 1
    built = yaml.load((project.directory / ".aws-sam/build/template.yaml").read_text(), WithIntrinsics)
    code = project.directory / ".aws-sam/build" / built["Resources"]["Function"]["Properties"]["CodeUri"]
    assert (code / "bootstrap").read_text() == "made\n"


class WithIntrinsics(yaml.SafeLoader):
    """CloudFormation's `!Ref` and the like."""


WithIntrinsics.add_multi_constructor("!", lambda *_: None)


@pytest.fixture
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        boto3.client("s3", endpoint_url=url, **ANYBODY).create_bucket(Bucket=BUCKET)
        yield url
    finally:
        server.stop()


def test_a_packaged_template_names_the_artifact_that_is_kept(project: Project, s3: str) -> None:
    """So that a rollback deploys what was deployed, and compiles nothing."""
    project.sam("build")
    (project.directory / "samconfig.toml").unlink()
    arguments = ("--s3-bucket", BUCKET, "--output-template-file", "packaged.json", "--use-json")
    project.sam("package", *arguments, AWS_ENDPOINT_URL=s3)
    packaged = json.loads((project.directory / "packaged.json").read_text())
    codes = {
        resource["Properties"]["CodeUri"]
        for resource in packaged["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    [kept] = boto3.client("s3", endpoint_url=s3, **ANYBODY).list_objects_v2(Bucket=BUCKET)["Contents"]
    assert codes == {f"s3://{BUCKET}/{kept['Key']}"}
