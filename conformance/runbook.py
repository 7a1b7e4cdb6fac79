"""The runbook's commands, and an operator who pastes them: AWS is moto, the log is a folder of lines."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

import pytest
from pages import ROOT, blocks
from recorded_aws import RecordedAws
from shell import WITH_LOGS, run, shell
from stand_in import StandIn

RUNBOOK = ROOT / "docs/runbook.md"
COMMANDS = [block for block in blocks(RUNBOOK) if block.language == "sh"]


def under(heading: str) -> list[str]:
    """The commands of a section, in order."""
    return [block.text for block in COMMANDS if block.heading == heading]


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    started = RecordedAws()
    yield started
    started.stop()


@pytest.fixture
def stack(aws: RecordedAws) -> StandIn:
    return StandIn(aws.url)


class Operator:
    """Someone who pastes commands into a shell of their own, the page's first block before anything else."""

    def __init__(self, stack: StandIn, folder: Path) -> None:
        self.folder = folder
        groups = {name: group for name, group in stack.outputs.items() if name.endswith("LogGroup")}
        self._groups = {name.removesuffix("Group"): group.replace("/", "_") for name, group in groups.items()}
        self._variables = {"AWS_ENDPOINT_URL": stack.url, "LOGS": str(folder / "logs")}
        # the outputs would take the CLI most of a second; a test of its own reads them
        first = under("Runbook")[0]
        outputs = [{"OutputKey": name, "OutputValue": value} for name, value in stack.outputs.items()]
        known = f"OUTPUTS={quote(json.dumps(outputs))}"
        asked = re.sub(r"^OUTPUTS=.*$", lambda _: known, first, flags=re.MULTILINE)
        # none of them takes a jq either
        filled = re.sub(r"\$\(output (\w+)\)", lambda found: stack.outputs[found[1]], asked)
        self._before = "\n".join((WITH_LOGS, filled))

    def write(self, group: str, lines: Sequence[str]) -> None:
        """What is in a log group of the stack."""
        (self.folder / "logs" / self._groups[group]).write_text("".join(f"{line}\n" for line in lines))

    def forget(self, group: str) -> None:
        """The log group is not there."""
        (self.folder / "logs" / self._groups[group]).unlink()

    def paste(self, *commands: str) -> str:
        """What is printed; each command must succeed."""
        return shell("\n".join((self._before, *commands)), self.folder, **self._variables)

    def fails(self, *commands: str) -> int:
        """The exit code of commands that are pasted one after the other, whatever becomes of the first."""
        script = "\n".join((self._before, *commands))
        code = run(script, self.folder, options="", **self._variables).returncode
        assert code != 0
        return code


@pytest.fixture
def operator(stack: StandIn, tmp_path: Path) -> Operator:
    (tmp_path / "logs").mkdir()
    return Operator(stack, tmp_path)
