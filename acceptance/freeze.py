"""Freeze and resume over the HTTP API, and what a freeze means meanwhile."""

import json
from contextlib import ExitStack
from typing import Any

from .changes import Changes, expect
from .report import Failed, Report
from .stack import Answer, Stack


class Freeze:
    """Nothing of the stack is stopped: the functions obey what the ledger says."""

    def __init__(self, stack: Stack, report: Report, put_back: ExitStack, changes: Changes) -> None:
        self._stack = stack
        self._report = report
        self._put_back = put_back
        self._changes = changes
        self._waiting = f"{stack.run}-frozen"

    def run(self) -> None:
        step, line = self._report.step, self._report.line
        if not self._stack.options.freeze:
            line("not asked for", "freeze and resume", "FREEZE=no")
            return
        frozen = self._frozen()
        if frozen is not None:
            line("not asked for", "freeze and resume", f"it is frozen already, and stays so: {json.dumps(frozen)[:200]}")
            return
        self._put_back.callback(self._report.put_back, "the freeze", self._restored)
        if not step("freeze", self._freeze):
            return
        step("a change while frozen", self._refused)
        step("reading while frozen", self._read)
        is_waiting = step("an event while frozen", self._kept)
        is_cancelled = is_waiting and step("cancel while frozen", self._cancel)
        if step("resume", self._resume) and is_cancelled:
            step("the cancelled event's end", self._ended)

    def _frozen(self) -> dict[str, Any] | None:
        """The freeze, if there is one."""
        answer = self._stack.request("GET", "/freeze")
        if answer.status == 404 or (answer.status == 200 and answer.document.get("frozen") is False):
            return None
        if answer.status != 200:
            raise answer.failed()
        return answer.document

    def _done(self, answer: Answer) -> None:
        if answer.status not in (200, 204):
            raise answer.failed()

    def _freeze(self) -> str:
        self._done(self._stack.request("PUT", "/freeze", {"reason": self._stack.run}))
        frozen = self._frozen()
        if frozen is None:
            raise Failed("it is not frozen")
        expect(frozen["reason"], self._stack.run, frozen)
        return json.dumps(frozen)[:200]

    def _unchanged(self, name: str) -> dict[str, Any]:
        """A real change to what the instance holds already: whatever becomes of it, nothing changes."""
        return self._changes.change(name, self._changes.before["maximumSizeLimitInBytes"])

    def _refused(self) -> str:
        answer = self._stack.request("POST", "/policy-changes", self._unchanged("refused"))
        if answer.status != 503 or not answer.document.get("type", "").endswith(":frozen"):
            raise Failed(f"it was not refused as frozen: HTTP {answer.status}: {answer.document}")
        if "Retry-After" not in answer.headers:
            raise Failed(f"no Retry-After: {dict(answer.headers)}")
        return "503, frozen"

    def _read(self) -> str:
        expect(self._stack.policy(), self._changes.before, None)
        return "200"

    def _kept(self) -> str:
        self._stack.put_event(self._unchanged("frozen"))
        self._stack.wait("the event is not recorded", lambda: self._stack.record(self._waiting))
        # a worker that does not obey would carry it out at once
        for _ in range(5):
            self._stack.pause()
        record = self._stack.record(self._waiting)
        expect(record and record["status"], "accepted", record)
        return "recorded, and waits"

    def _cancel(self) -> str:
        answer = self._stack.request("POST", f"/policy-changes/{self._waiting}/cancel")
        if answer.status not in (200, 202):
            raise answer.failed()
        return f"{answer.status}"

    def _resume(self) -> str:
        self._done(self._stack.request("DELETE", "/freeze"))
        expect(self._frozen(), None, None)
        return "not frozen"

    def _ended(self) -> str:
        """By the sweep: the worker has put the message aside for ten minutes."""
        record = self._stack.ended(self._waiting)
        expect((record["status"], record["summary"]), ("cancelled", {"skipped": 1}), record)
        return "cancelled by the sweep, nothing begun"

    def _restored(self) -> str:
        """Only a freeze of this run: somebody may have frozen the stack since."""
        frozen = self._frozen()
        if frozen is None:
            return "not frozen"
        if frozen.get("reason") != self._stack.run:
            return f"somebody else has frozen it: {json.dumps(frozen)[:200]}"
        return self._resume()
