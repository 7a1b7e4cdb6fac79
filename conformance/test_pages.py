"""The pages of the widget in a headless Chromium: every view, narrow and wide, light and dark, with hostile texts."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import html5lib
import pytest
import requests
from conftest import UNPACED, Sandbox, serving
from node_program import node
from pages import ROOT

BROWSER = ROOT / "conformance" / "browser"
WIDTHS = (600, 1600)
THEMES = ("light", "dark")
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\'</cwdb-action><style>'
INSTANCES = "arn:aws:connect:us-east-1:111122223333:instance"
TARGET = f"{INSTANCES}/00000068-0000-4000-8000-000000000068"
DRIFTED = f"{INSTANCES}/00000070-0000-4000-8000-000000000070"
DECLARED = f"{INSTANCES}/0000006d-0000-4000-8000-00000000006d"
VIEWS = {
    "fleet": "",
    "differing": "?view=fleet&differing=true",
    "changes": "?view=changes",
    "change": "?view=change&change=SAMPLE-4",
    "failed": "?view=change&change=SAMPLE-3&outcome=failed",
    "hostile": "?view=change&change=HOSTILE",
    "target": f"?view=target&instance={TARGET}&scope=CHAT",
    "drifted": f"?view=target&instance={DRIFTED}&scope=CHAT",
    "declared": f"?view=target&instance={DECLARED}&scope=EMAIL",
    "nothing": "?view=nothing",
}


def until(url: str, change: str) -> None:
    for _ in range(600):
        answer = requests.get(f"{url}/policy-changes/{change}", timeout=30)
        if answer.status_code == 200 and answer.json()["status"] not in ("accepted", "running"):
            return
        time.sleep(0.1)
    raise AssertionError(f"{change} does not end")


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A stack with its sample, a change whose texts are hostile, and a freeze."""
    log = tmp_path_factory.mktemp("pages") / "log"
    with serving(log, "--sample", *UNPACED, command="govern") as sandbox:
        until(sandbox.function, "SAMPLE-4")
        hostile = {
            "changeId": "HOSTILE", "instanceId": TARGET, "attachmentScope": "CHAT", "maximumSize": "11 MB",
            "reason": HOSTILE, "requestedBy": HOSTILE,
        }  # fmt: skip
        assert requests.post(f"{sandbox.function}/policy-changes", json=hostile, timeout=30).status_code == 200
        assert requests.put(f"{sandbox.function}/freeze", json={"reason": HOSTILE}, timeout=30).status_code == 200
        yield sandbox


@pytest.fixture(scope="module")
def looks(sampled: Sandbox) -> list[dict[str, Any]]:
    """What a browser says of every view."""
    return browse("look.mjs", *(f"{name}={sampled.pages}/{query}" for name, query in VIEWS.items()))


def browse(script: str, *arguments: str) -> list[Any]:
    """What a script of the browser's prints, line by line."""
    unpacked = ROOT / "target" / "browser"
    unpacked.mkdir(parents=True, exist_ok=True)
    ran = subprocess.run(
        [node(), script, *arguments], cwd=BROWSER, env=os.environ | {"TMPDIR": str(unpacked)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_every_view_fits_and_can_be_read_narrow_and_wide_light_and_dark(looks: list[dict[str, Any]]) -> None:
    """Nothing sticks out or overlaps, the contrast is AA, and the browser has nothing to complain of."""
    seen = {(look["name"], look["theme"], look["width"]) for look in looks}
    assert seen == {(name, theme, width) for name in VIEWS for theme in THEMES for width in WIDTHS}
    assert [look["wrong"] for look in looks if look["wrong"]] == []
    assert {look["status"] for look in looks} == {200}
    assert min(look["texts"] for look in looks) >= 5, "so that there was something to look at"
    assert all(4.5 <= look["least"] < 21 for look in looks)


# of each page: its body, and what is wrong with it
WRONG = {
    "wide": ('<div style="width: 2000px">five</div>', "the page is 2000 px wide"),
    "out": ('<p style="width: 50px">unbreakable-unbreakable</p>', "`unbreakable-unbreakable` sticks out of its box"),
    "over": ('<p>one</p><p style="margin-top: -2em">two</p>', "`one` and `two` overlap"),
    "pale": ('<p style="color: #777">grey</p>', "`grey` has a contrast of 4.48"),
    "tinted": ('<div style="background: #333"><p style="color: #777">grey</p></div>', "`grey` has a contrast of 2.82"),
    "script": ("<script>alert(1)</script><p>a</p>", "a dialog: 1"),
    "said": ("<script>console.log('said')</script><p>a</p>", "said"),
    "loads": ('<p>a</p><img src="other.png">', "1 more requests: "),
}


def test_a_page_with_one_thing_wrong_is_found(tmp_path: Path) -> None:
    """Otherwise the test above would prove nothing."""
    for name, (body, _) in WRONG.items():
        page = f'<!DOCTYPE html><html><body style="margin: 0; background: #fff"><main>{body}</main></body></html>'
        (tmp_path / f"{name}.html").write_text(page)
    looks = browse("look.mjs", *(f"{name}={(tmp_path / name).as_uri()}.html" for name in WRONG))
    for look in looks:
        expected = WRONG[look["name"]][1]
        assert any(wrong.startswith(expected) for wrong in look["wrong"]), look
    assert len(looks) == len(WRONG) * len(THEMES) * len(WIDTHS)


def test_every_page_is_html(looks: list[dict[str, Any]]) -> None:
    for look in looks:
        if "html" in look:
            parser = html5lib.HTMLParser(strict=False)
            parser.parse(look["html"])
            assert parser.errors == [], look["name"]


def test_hostile_texts_are_shown_as_texts(looks: list[dict[str, Any]]) -> None:
    html = {look["name"]: look["html"] for look in looks if "html" in look}
    for name, times in (("fleet", 1), ("changes", 3), ("hostile", 2), ("target", 1)):
        text = "".join(html5lib.parse(html[name], namespaceHTMLElements=False).itertext())
        # the freeze; the reason, and for whom; in a document its quote has a backslash
        assert text.count(HOSTILE) == times, name
        assert "<img" not in html[name] and "<script" not in html[name]


def test_the_sample_shows_what_drifted_and_what_a_stack_declares(looks: list[dict[str, Any]]) -> None:
    shown = {look["name"]: " ".join(look["shown"].split()) for look in looks if "shown" in look}
    assert "1 target drifted." in shown["fleet"]
    fleet = re.search(r"00000070-0000-4000-8000-000000000070 (.*?) 00000071", shown["fleet"])[1]
    assert "20 MB △ drifted 20 MB → 100 MB also +zip" in fleet
    assert "declared by" not in fleet
    fleet = re.search(r"0000006d-0000-4000-8000-00000000006d (.*?) 0000006e", shown["fleet"])[1]
    assert re.match(r"≠ 8 MB \d{4}-\d{2}-\d{2} declared by contact-center 20 MB", fleet), fleet
    assert "Should hold at most 20 MB csv" in shown["drifted"]
    assert "Drifted △ It was last seen to hold something else: 20 MB → 100 MB also +zip" in shown["drifted"]
    stack = "arn:aws:cloudformation:us-east-1:111122223333:stack/contact-center/"
    assert f"Declared by EmailPolicies of the stack {stack}" in shown["declared"]
    assert "✓ 2 applied a CloudFormation stack" in shown["changes"]


def test_the_bar_of_a_change_that_goes_on_moves_by_itself(tmp_path: Path) -> None:
    """The page loads itself again, until the change has ended: half a minute, of which the browser waits for one step."""
    paced = ("--rate=0", "--instances=12", "--timeout=5", "--env=CONNECT_REQUESTS_PER_SECOND=2", "--env=CONNECT_BURST=1")
    with serving(tmp_path / "log", *paced, command="govern") as sandbox:
        every = {"changeId": "CHG-1", "instanceId": "*", "attachmentScope": "*", "maximumSize": "9 MB"}
        assert requests.post(f"{sandbox.function}/policy-changes", json=every, timeout=30).status_code == 202
        looks = browse("bar.mjs", f"{sandbox.pages}/?view=changes")
    *_, before, after = [bars[0] for bars in looks if bars]
    assert before["percent"] < after["percent"], looks
    for bar in (before, after):
        assert abs(bar["share"] * 100 - bar["percent"]) < 1, "the bar is as wide as it says"


def test_the_links_lead_through_the_pages(sampled: Sandbox) -> None:
    """As a reader goes: from the fleet to a target, from there to the change, and on to those targets that failed."""
    def links(query: str) -> dict[str, str]:
        page = requests.get(f"{sampled.pages}/{query}", timeout=30)
        assert page.status_code == 200
        tree = html5lib.parse(page.text, namespaceHTMLElements=False)
        return {"".join(link.itertext()).strip(): link.attrib["href"].removeprefix("/") for link in tree.iter("a")}

    fleet = links("")
    assert "111122223333/eu-west-2" in fleet
    target = links(fleet["11 MB"])
    assert {"HOSTILE", "SAMPLE-1", "SAMPLE-2"} <= target.keys()
    change = links(target["SAMPLE-2"])
    assert "✓ 2 applied" in change
    assert any(name.endswith("CHAT") for name in links(change["✓ 2 applied"]))
    assert "Look at it in light colours" in links(change["Look at it in dark colours"])
