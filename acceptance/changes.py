"""Both dry runs, one change and its undo."""

import json
from contextlib import ExitStack
from datetime import datetime, timezone
from typing import Any

from .report import Failed, Report
from .stack import Stack

MEGABYTE = 1_048_576


class Changes:
    """One target: the named instance, one scope, and only its largest size."""

    def __init__(self, stack: Stack, report: Report, put_back: ExitStack) -> None:
        self._stack = stack
        self._report = report
        self._put_back = put_back
        self.before: dict[str, Any] = {}

    def run(self) -> None:
        step = self._report.step
        if not step("the instance's policy", self._read):
            return
        step("dry run over HTTP", self._dry_run)
        step("dry run by event", self._dry_run_by_event)
        step("a request without a signature", self._unsigned)
        # from here on there is something to put back
        self._put_back.callback(self._report.put_back, "the instance's policy", self._restored)
        if step("a change by event", self._change):
            step("its undo over HTTP", self._undo)

    def change(self, name: str, size: int, **more: Any) -> dict[str, Any]:
        options = self._stack.options
        target = {"instanceId": options.instance, "attachmentScope": options.scope, "maximumSizeLimitInBytes": size}
        return {"changeId": f"{self._stack.run}-{name}", "reason": "acceptance test", **target, **more}

    @property
    def _size(self) -> int:
        return self.before["maximumSizeLimitInBytes"]

    @property
    def _other_size(self) -> int:
        """Smaller if it can be, so that no guardrail minds."""
        return self._size - MEGABYTE if self._size >= 2 * MEGABYTE else self._size + MEGABYTE

    def _read(self) -> str:
        self.before = self._stack.policy()
        return f"{self._stack.options.scope} of {self._stack.options.instance}: {self._size:,} bytes"

    def _dry_run(self) -> str:
        answer = self._stack.submit(self.change("http", self._other_size), "?dryRun=true")
        expect(answer["status"], "planned", answer)
        expect(self._stack.policy(), self.before, answer)
        return "planned, and nothing changed"

    def _dry_run_by_event(self) -> str:
        change = self.change("event", self._other_size, dryRun=True)
        self._stack.put_event(change)
        audit = self._stack.outcome(change["changeId"])
        expect(audit["outcome"], "planned", audit)
        expect(self._stack.policy(), self.before, audit)
        return "bus, rule, queue, worker, audit: planned"

    def _unsigned(self) -> str:
        status, answer = self._stack.request("GET", self._stack.policies_path, signed=False)
        if status not in (401, 403):
            raise Failed(f"it was not denied: HTTP {status}: {answer}")
        return f"denied with {status}"

    def _change(self) -> str:
        # whatever keeps it in the queue: once the policy is put back, it comes too late
        now = datetime.now(timezone.utc).isoformat()
        change = self.change("change", self._other_size, ifUnmodifiedSince=now)
        self._stack.put_event(change)
        audit = self._stack.outcome(change["changeId"])
        expect(audit["outcome"], "applied", audit)
        expect(self._stack.policy(), {**self.before, "maximumSizeLimitInBytes": self._other_size}, audit)
        return f"{self._size:,} to {self._other_size:,} bytes, and Amazon Connect holds it"

    def _undo(self) -> str:
        answer = self._stack.submit(self.change("undo", self._size))
        expect(answer["results"][0]["outcome"], "applied", answer)
        expect(self._stack.policy(), self.before, answer)
        return "as before"

    def _restored(self) -> str:
        """Whatever happened in between: over the API if it answers, else directly."""
        try:
            # forced, so that the policy is newer than a change that still waits
            self._stack.submit(self.change("restore", self._size, force=True))
            if self._stack.policy() == self.before:
                return "as before"
        except Exception as error:  # noqa: BLE001, the other way is tried whatever it was
            reason = str(error)
        else:
            reason = "the policy differs"
        options = self._stack.options
        try:
            self._stack.client("connect").update_attached_files_configuration(
                InstanceId=options.instance, AttachmentScope=options.scope, MaximumSizeLimitInBytes=self._size
            )
        except Exception as error:
            by_hand = json.dumps(self.change("by-hand", self._size))
            raise Failed(f"{reason}; {error}; send it by hand: {by_hand}") from error
        return f"directly, by Amazon Connect's API, since {reason[:200]}"


def expect(found: Any, expected: Any, answer: Any) -> None:
    if found != expected:
        raise Failed(f"{found!r} instead of {expected!r}: {json.dumps(answer)[:500]}")


