"""docs/problems.md explains everything the code can name, in the code's order, and nothing else.

policy-core/tests/it/documentation.rs does the same for the violation codes.
"""

import re

from contract import ROOT, source

TEXT = (ROOT / "docs" / "problems.md").read_text()
# `PolicyChangeRejected` and its like: two words or more, each with a capital.
NAME = r'"((?:[A-Z][a-z]+|ETag){2,})"'


def section(title: str) -> str:
    """What stands under a heading of the second level."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def rows(title: str) -> list[str]:
    """The names in the first column of a section's table."""
    first = re.findall(r"^\| (`[^|]*`) \|", section(title), re.MULTILINE)
    return [name for cell in first for name in re.findall(r"`(\w+)`", cell)]


def named(*folders: str) -> set[str]:
    """The names in the sources of these files and folders."""
    files = [file for pattern in folders for file in sorted(ROOT.glob(pattern))]
    assert files, folders
    return {name for file in files for name in re.findall(NAME, source(str(file.relative_to(ROOT))))}


def test_every_problem_type_has_its_section_with_its_status() -> None:
    coded = re.findall(r'=> \((\d+), "([a-z-]+)", ', source("src/problem.rs"))
    documented = re.findall(r"^### ([a-z-]+)\n\n(\d+)\. ", section("Problem types"), re.MULTILINE)
    assert [(status, slug) for slug, status in documented] == coded


def test_every_problem_type_says_what_to_do() -> None:
    parts = re.split(r"^### ", section("Problem types"), flags=re.MULTILINE)[1:]
    assert [part.split("\n")[0] for part in parts if part.count("**Do:**") != 1] == []


def test_every_result_error_code_has_its_row() -> None:
    coded = named("src/propagate.rs", "src/propagate/*.rs", "src/connect/error.rs", "src/policy/guardrail.rs")
    documented = rows("Result error codes")
    assert sorted(documented) == sorted(coded)


def test_every_function_error_type_has_its_row() -> None:
    documented = rows("Function error types")
    assert sorted(documented) == sorted(named("src/handler.rs", "src/handler/*.rs"))


def test_every_link_within_the_document_leads_somewhere() -> None:
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) - anchors == set()
