"""docs/problems.md can be followed.

policy-core/tests/it/documentation.rs compares it with the names in the code.
"""

import re

from contract import ROOT

TEXT = (ROOT / "docs" / "problems.md").read_text()


def section(title: str) -> str:
    """What stands under a heading of the second level."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def test_every_problem_type_says_what_to_do() -> None:
    parts = re.split(r"^### ", section("Problem types"), flags=re.MULTILINE)[1:]
    assert [part.split("\n")[0] for part in parts if part.count("**Do:**") != 1] == []


def test_every_link_within_the_document_leads_somewhere() -> None:
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) - anchors == set()
