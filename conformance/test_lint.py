"""What the tools say of template.yaml: as it is written, expanded, and as it is deployed; and checkov of the others too."""

import json
import re
from pathlib import Path
from typing import Any

from expansion import EVERY, ROOT, TEMPLATE, expanded, filled, rust_functions
from linters import beside_python, checked, run

Checks = dict[str, list[Any]]

# with nothing that a landing zone would set, and with all of it
VALUES = {"none": {}, "every": EVERY}
WRITTEN = [TEMPLATE, *sorted((ROOT / "packaging").glob("*.yaml"))]


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


def test_checkov_finds_nothing_but_what_is_skipped_with_a_reason(tmp_path: Path) -> None:
    """In every template as it is written, and in what is deployed. One test, so that one worker starts it."""
    paths = [tmp_path / f"{given}.json" for given in VALUES]
    for path, values in zip(paths, VALUES.values(), strict=True):
        path.write_text(json.dumps(filled(values)))
    found = checked([*WRITTEN, *paths], tmp_path)
    for path in WRITTEN:
        only_what_is_skipped(path, found[path.name])
    for given, values in VALUES.items():
        only_what_the_template_skips(values, found[f"{given}.json"])


def only_what_the_template_skips(values: dict[str, str], found: Checks) -> None:
    failed = {check["check_id"] for check in found["failed_checks"]}
    # what a key, a VPC or the VPC's own permissions decide
    by_parameter = {"CKV_AWS_27", "CKV_AWS_158", "CKV_AWS_119"} if not values else {"CKV_AWS_111"}
    assert failed == {"CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_173"} | by_parameter
    networked = {"StartCheckFunction"} if values else {"StartCheckFunction", *rust_functions()}
    outside = [check["resource"] for check in found["failed_checks"] if check["check_id"] == "CKV_AWS_117"]
    assert {name.removeprefix("AWS::Lambda::Function.") for name in outside} == networked


def only_what_is_skipped(path: Path, found: Checks) -> None:
    skips = re.findall(r"checkov:skip=(\w+)(?::(.+))?", path.read_text())
    assert [check for check, reason in skips if len(reason) < 40] == []
    assert [(check["check_id"], check["resource"]) for check in found["failed_checks"]] == [], path.name
    skipped = sorted(check["check_id"] for check in found["skipped_checks"])
    assert skipped == sorted(check for check, _ in skips), "a skip that skips nothing"
