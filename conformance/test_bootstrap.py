"""The bootstrap as `sam build` creates it: what it needs, its size, and that it starts and answers."""

import json
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from conftest import ROOT, Sandbox

BUILT = ROOT / ".aws-sam" / "build"
pytestmark = pytest.mark.release

FUNCTIONS = ("ApiFunction", "WorkerFunction")
# "Amazon Linux 2023 user guide", Glibc: version 2.34.
AMAZON_LINUX_GLIBC = (2, 34)
# The limits in docs/performance.md, in bytes.
LARGEST = 8_000_000
LARGEST_ZIP = 3_500_000


@pytest.fixture(params=FUNCTIONS)
def bootstrap(request: pytest.FixtureRequest) -> Path:
    built = BUILT / request.param / "bootstrap"
    assert built.is_file(), "no bootstrap: `make sam-build` makes it"
    return built


def test_it_needs_no_newer_glibc_than_amazon_linux_2023_has(bootstrap: Path) -> None:
    command = ["readelf", "--version-info", "--wide", bootstrap]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    needed = {tuple(map(int, version.split("."))) for version in re.findall(r"GLIBC_([\d.]+)", printed)}
    assert needed
    assert max(needed) <= AMAZON_LINUX_GLIBC


def test_it_is_small_enough_to_start_fast(bootstrap: Path, tmp_path: Path) -> None:
    packed = tmp_path / "function.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(bootstrap, "bootstrap")
    size, zipped = bootstrap.stat().st_size, packed.stat().st_size
    print(f"bootstrap {size:,} bytes, zipped {zipped:,}")
    assert (size <= LARGEST, zipped <= LARGEST_ZIP) == (True, True), (size, zipped)


def test_it_starts_and_answers(bootstrap: Path, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve(f"--function={bootstrap}")
    client = boto3.client(
        "lambda",
        endpoint_url=sandbox.invoke,
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )
    payload = (ROOT / "events" / "bare.succeeded.json").read_bytes()
    answer = client.invoke(FunctionName="connect-attachment-policy", Payload=payload)
    report = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer
    assert (report["status"], report["summary"]) == ("succeeded", {"applied": 1})
