"""What CloudFormation refuses before it deploys, and what reaches it of what sam was given."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Sandbox
from expansion import EVERY, ROOT, expanded, filled, is_allowed, rust_functions
from pages import blocks
from samcli.cli.types import CfnParameterOverridesType
from samcli.lib.config.file_manager import TomlFileManager
from start_check import asked

ID = "00000001-0000-4000-8000-000000000001"
ARN = f"arn:aws:connect:us-east-1:111122223333:instance/{ID}"
ROLE = "arn:aws:iam::444455556666:role/attachment-policy-AttachmentRole"
DOCUMENT = '{"instanceId": "*", "attachmentScope": "CHAT", "maximumSize": "20 MB"}'


def test_every_default_and_every_value_of_a_landing_zone_is_allowed() -> None:
    defaults = {name: str(definition["Default"]) for name, definition in expanded()["Parameters"].items()}
    for values in (defaults, EVERY):
        assert [name for name, value in values.items() if not is_allowed(name, value)] == []


# ---- What sam passes on: its own parser of --parameter-overrides ----


def passed_on(*written: object) -> dict[str, str]:
    return CfnParameterOverridesType().convert(written, None, None)


@pytest.mark.parametrize(
    ("written", "cut"),
    [
        ('DriftPolicy={"instanceId":"*","attachmentScope":"CHAT"}', "{"),
        (f"DriftPolicy={DOCUMENT}", "{"),
        ("DriftPolicy={ }", "{"),
        ("DriftSchedule=rate(1 day)", "rate(1"),
        ("DriftSchedule=cron(0 3 * * ? *)", "cron(0"),
    ],
)
def test_what_sam_cuts_is_refused(written: str, cut: str) -> None:
    [(name, value)] = passed_on(written).items()
    assert value == cut
    assert not is_allowed(name, value)


def test_the_overrides_that_the_docs_show_arrive_whole(tmp_path: Path) -> None:
    """Each block of the section, as sam reads it: a TOML table, a file, the command line."""
    shown = [block for block in blocks(ROOT / "docs/deploy.md") if block.heading == "Giving sam a value"]
    assert [block.language for block in shown] == ["toml", "sh"]
    table, command = shown
    config = tmp_path / "samconfig.toml"
    config.write_text(table.text)
    overrides = TomlFileManager.read(config)["prod"]["global"]["parameters"]["parameter_overrides"]
    [line] = re.findall(r"--parameter-overrides '(.+)'", command.text)
    for written in (dict(overrides), line):
        values = passed_on(written)
        assert json.loads(values["DriftPolicy"])["instanceId"] == "*"
        assert values["DriftSchedule"] == "cron(0 3 * * ? *)"
        assert [name for name, value in values.items() if not is_allowed(name, value)] == []


@pytest.mark.parametrize(
    ("schedule", "allowed"),
    [
        ("rate(10 minutes)", True),
        ("rate(1 hour)", True),
        ("rate(12 hours)", True),
        ("rate(7 days)", True),
        ("cron(0 3 ? * MON-FRI *)", True),
        ("rate(5 minutes)", False),
        ("rate(1 minute)", False),
        ("rate(1 hour", False),
        ("cron(0 3 * * *)", False),
        ("at(2026-12-24T08:00:00)", False),
        ("", False),
    ],
)
def test_a_schedule_is_one_that_repeats_and_not_too_often(schedule: str, allowed: bool) -> None:
    assert is_allowed("DriftSchedule", schedule) is allowed


@pytest.mark.parametrize("document", [DOCUMENT, f"\n  {DOCUMENT}\n", json.dumps(json.loads(DOCUMENT), indent=2), ""])
def test_a_drift_policy_may_be_written_in_any_layout(document: str) -> None:
    assert is_allowed("DriftPolicy", document)


# ---- What the function would not start with ----


@pytest.mark.parametrize(
    ("name", "variable", "good", "bad"),
    [
        ("AllowedInstances", "POLICY_ALLOWED_INSTANCES", [ID, ARN, f"{ID}, {ARN}"], ["no id", f"{ID} {ARN}", ID[:-1]]),
        ("BlockedExtensions", "POLICY_BLOCKED_EXTENSIONS", ["exe", "exe,.js, a_b"], ["*", "tar.gz", "exe;js", 11 * "e"]),
        ("MaxSizeBytes", "POLICY_MAX_SIZE_BYTES", ["1", "104857600"], ["0", "10 MB", "-1", "1e6", "9999999999"]),
        (
            "ConnectRoleArns",
            "CONNECT_ROLE_ARNS",
            [ROLE, ""],
            ["no role", ROLE.replace("role/", "user/"), ROLE.replace("4444", "")],
        ),
    ],
)
def test_a_value_that_no_function_starts_with_is_refused(
    serve: Callable[..., Sandbox], name: str, variable: str, good: list[str], bad: list[str]
) -> None:
    for value in good:
        assert is_allowed(name, value)
        assert asked(serve(f"--env={variable}={value}")) is None
    for value in bad:
        assert not is_allowed(name, value), value
        assert "does not start" in asked(serve(f"--env={variable}={value}"))


# ---- How much fits ----


def test_the_docs_say_how_many_names_a_parameter_holds() -> None:
    def fit(name: str) -> int:
        return (4_096 + 1) // (len(name) + 1)

    assert len(ROLE) == 63
    page = " ".join((ROOT / "docs/deploy.md").read_text().split())
    assert f"4,096 characters: {fit(ARN)} instance ARNs, or {fit(ROLE)} role ARNs of {len(ROLE)} characters" in page


def test_the_docs_say_what_the_variables_leave_for_the_lists() -> None:
    """Lambda takes 4 KB of variables in all, names included ("Lambda quotas")."""
    lists = {"POLICY_ALLOWED_INSTANCES", "POLICY_BLOCKED_EXTENSIONS", "CONNECT_ROLE_ARNS"}
    # a queue's name has at most 80 characters
    queue = "https://sqs.ap-northeast-1.amazonaws.com/111122223333/" + 80 * "x"
    used = []
    for name in rust_functions():
        variables = filled(EVERY)["Resources"][name]["Properties"]["Environment"]["Variables"]
        texts = {key: queue if isinstance(value, dict) else str(value) for key, value in variables.items()}
        used.append(sum(len(key) + (0 if key in lists else len(value)) for key, value in texts.items()))
    left = (4_096 - max(used)) // 100 * 100
    page = " ".join((ROOT / "docs/deploy.md").read_text().split())
    assert f"leave about {left:,} characters for the three lists: {left // 37} instance ids" in page
