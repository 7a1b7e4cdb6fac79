"""docs/dependencies.md and the manifests of the function name the same dependencies, with the same features."""

import re
import tomllib
from typing import Any

from pages import ROOT

PAGE = (ROOT / "docs" / "dependencies.md").read_text()


def direct() -> dict[str, Any]:
    """The dependencies of the function: those of the root package, and those of its own crates."""
    paths = ("Cargo.toml", "policy-core/Cargo.toml", "policy-page/Cargo.toml")
    root, core, page = (tomllib.loads((ROOT / path).read_text())["dependencies"] for path in paths)
    assert (root.pop("policy-core"), root.pop("policy-page")) == ({"path": "policy-core"}, {"path": "policy-page"})
    assert page.pop("policy-core") == {"path": "../policy-core"}
    for own in (core, page):
        assert {name: entry for name, entry in own.items() if root.get(name, entry) != entry} == {}
    return {**core, **page, **root}


MANIFEST = direct()
# | crate | for | features | note |
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| (?!crate )[a-z][a-z0-9_-]+ \|", line)
]


def test_each_direct_dependency_is_justified_and_no_other() -> None:
    assert sorted(row[0] for row in ROWS) == sorted(MANIFEST)
    assert all(row[1] for row in ROWS)


def test_they_are_counted() -> None:
    [count] = re.findall(r"(\d+) direct dependencies", PAGE)
    assert int(count) == len(MANIFEST)


def test_the_features_are_those_of_the_manifest() -> None:
    said: dict[str, set[str]] = {}
    for crate, _, features, _ in ROWS:
        # "the same" refers to the row above; features after a semicolon are those that are not used
        same = features == "the same"
        said[crate] = list(said.values())[-1] if same else set(re.findall(r"`([\w-]+)`", features.split(";")[0]))
    asked = {
        name: set(entry.get("features", [])) if isinstance(entry, dict) else set() for name, entry in MANIFEST.items()
    }
    assert said == asked
