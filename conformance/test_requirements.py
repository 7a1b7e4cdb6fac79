"""The environments of Python packages: what is named is locked."""

import re
from pathlib import Path

import pytest
from conftest import ROOT

NAMED = sorted((ROOT / "conformance").glob("requirements*.in"))


def pins(path: Path) -> dict[str, str]:
    """Each package's version. A lock has names in small letters, and no extras."""
    lines = [line.partition(";")[0].strip().lower() for line in path.read_text().splitlines()]
    return dict(re.fullmatch(r"([^\s\[]+)(?:\[.+\])?==(\S+)", line).groups() for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("named", NAMED, ids=lambda path: path.name)
def test_what_is_named_is_locked_at_its_version(named: Path) -> None:
    """Otherwise: `make requirements`."""
    locked = pins(named.with_suffix(".txt"))
    wanted = pins(named)
    assert {name: locked.get(name) for name in wanted} == wanted
