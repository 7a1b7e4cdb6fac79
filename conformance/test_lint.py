"""What the tools say of template.yaml: as it is written, expanded, and as it is deployed; and checkov of the others too."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from expansion import EVERY, ROOT, TEMPLATE, expanded, filled, rust_functions
from linters import beside_python, checked, run

Checks = dict[str, dict[str, list[Any]]]

# with nothing that a landing zone would set, and with all of it
VALUES = {"none": {}, "every": EVERY}
WRITTEN = [TEMPLATE, *sorted((ROOT / "packaging").glob("*.yaml"))]
FILLED = pytest.mark.parametrize("given", VALUES)


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> Checks:
    """What checkov says of every template as it is written, and of what is deployed."""
    folder = tmp_path_factory.mktemp("checkov")
    paths = [folder / f"{given}.json" for given in VALUES]
    for path, values in zip(paths, VALUES.values(), strict=True):
        path.write_text(json.dumps(filled(values)))
    return checked([*WRITTEN, *paths], folder)


def test_sam_validates_and_lints_it(tmp_path: Path) -> None:
    result = run(beside_python("sam"), "validate", "--lint", "-t", TEMPLATE, home=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_cfn_lint_finds_nothing_in_it_nor_in_what_it_becomes(tmp_path: Path) -> None:
    """On a SAM template it misses wrong runtimes and IAM actions. One run, since its start is most of it."""
    expansion = tmp_path / "expanded.json"
    expansion.write_text(json.dumps(expanded()))
    deployed = [tmp_path / f"{given}.json" for given in VALUES]
    for path, values in zip(deployed, VALUES.values(), strict=True):
        path.write_text(json.dumps(filled(values)))
    result = run(beside_python("cfn-lint"), TEMPLATE, expansion, *deployed, home=tmp_path)
    assert (result.returncode, result.stdout) == (0, "")


@FILLED
def test_checkov_finds_nothing_in_what_is_deployed_but_what_the_template_skips(checks: Checks, given: str) -> None:
    values, found = VALUES[given], checks[f"{given}.json"]["failed_checks"]
    failed = {check["check_id"] for check in found}
    # what a key, a VPC or the VPC's own permissions decide
    by_parameter = {"CKV_AWS_27", "CKV_AWS_158", "CKV_AWS_119"} if not values else {"CKV_AWS_111"}
    assert failed == {"CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_173"} | by_parameter
    networked = {"StartCheckFunction"} if values else {"StartCheckFunction", *rust_functions()}
    outside = [check["resource"] for check in found if check["check_id"] == "CKV_AWS_117"]
    assert {name.removeprefix("AWS::Lambda::Function.") for name in outside} == networked


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_checkov_finds_nothing_but_what_is_skipped_with_a_reason(checks: Checks, path: Path) -> None:
    skips = re.findall(r"checkov:skip=(\w+)(?::(.+))?", path.read_text())
    assert [check for check, reason in skips if len(reason) < 40] == []
    found = checks[path.name]
    assert [(check["check_id"], check["resource"]) for check in found["failed_checks"]] == []
    skipped = sorted(check["check_id"] for check in found["skipped_checks"])
    assert skipped == sorted(check for check, _ in skips), "a skip that skips nothing"
