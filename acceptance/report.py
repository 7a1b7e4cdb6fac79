"""One line for each step: ok, failed, or needs an account."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .interruption import ignore, look

WIDTH = 34


class Failed(Exception):
    """What the stack should have done, and what it did."""


class NeedsAccount(Exception):
    """What a stand-in for AWS cannot answer."""


@dataclass
class Report:
    """Prints each step as it ends, and counts."""

    failed: int = 0
    marks: list[str] = field(default_factory=list)

    def step(self, name: str, run: Callable[[], str]) -> bool:
        """Runs a step; whatever goes wrong in it is its own failure, and the others go on."""
        look()
        began = time.monotonic()
        try:
            mark, detail = "ok", run()
        except NeedsAccount as reason:
            mark, detail = "needs an account", str(reason)
        except Exception as error:  # noqa: BLE001, a step may meet any error of any service
            mark, detail = "failed", f"{error}" if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
        self.line(mark, name, f"{detail} ({time.monotonic() - began:.1f} s)" if mark == "ok" else detail)
        return mark == "ok"

    def put_back(self, name: str, run: Callable[[], str]) -> None:
        """A step that undoes what another did: from here on nothing interrupts."""
        ignore()
        self.step(f"put back: {name}", run)

    def line(self, mark: str, name: str, detail: str) -> None:
        self.failed += mark == "failed"
        self.marks.append(mark)
        print(f"{mark:<16}  {name:<{WIDTH}}  {detail}", flush=True)

    def end(self) -> int:
        """The exit code."""
        counts = ", ".join(f"{self.marks.count(mark)} {mark}" for mark in dict.fromkeys(self.marks))
        print(f"\n{counts}", flush=True)
        return 1 if self.failed else 0
