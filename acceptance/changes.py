"""Both dry runs, one change, its record and its undo, and a change that is queued."""

import json
from contextlib import ExitStack
from datetime import datetime, timezone
from typing import Any

from .report import Failed, Report
from .stack import Stack

MEGABYTE = 1_048_576
# at the API's pace of 0.5 reads a second these take 2 minutes
NOBODYS = 60


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
        if step("a change by event", self._change) and step("its record", self._recorded):
            step("its undo by id", self._undo)
            step("a restore and a check for drift", self._checked)
        step("a dry run that is queued", self._queued)

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
        expect(self._stack.ended(change["changeId"])["status"], "planned", audit)
        return "bus, rule, intake, ledger, worker, audit: planned"

    def _unsigned(self) -> str:
        answer = self._stack.request("GET", self._stack.policies_path, signed=False)
        if answer.status not in (401, 403):
            raise Failed(f"it was not denied: HTTP {answer.status}: {answer.document}")
        return f"denied with {answer.status}"

    def _change(self) -> str:
        # whatever keeps it in the queue: once the policy is put back, it comes too late
        now = datetime.now(timezone.utc).isoformat()
        change = self.change("change", self._other_size, ifUnmodifiedSince=now)
        self._stack.put_event(change)
        audit = self._stack.outcome(change["changeId"])
        expect(audit["outcome"], "applied", audit)
        expect(self._stack.policy(), {**self.before, "maximumSizeLimitInBytes": self._other_size}, audit)
        return f"{self._size:,} to {self._other_size:,} bytes, and Amazon Connect holds it"

    def _recorded(self) -> str:
        record = self._stack.ended(f"{self._stack.run}-change")
        expect(record["status"], "succeeded", record)
        expect([result["outcome"] for result in record["results"]], ["applied"], record)
        return f"/policy-changes/{self._stack.run}-change: succeeded"

    def _undo(self) -> str:
        path = f"/policy-changes/{self._stack.run}-change/undo"
        undone = self._stack.outcome_of(self._stack.request("POST", path, {"reason": "acceptance test"}))
        expect([result["outcome"] for result in undone["results"]], ["applied"], undone)
        expect(self._stack.policy(), self.before, undone)
        record = self._stack.record(f"{self._stack.run}-change")
        expect(record and record["undoneBy"], undone["changeId"], record)
        return "as before, and each of the two names the other"

    def _checked(self) -> str:
        """Both only look: a restore would also put back values that are not this run's."""
        options = self._stack.options
        path = f"{self._stack.policies_path}/{options.scope}/restore?dryRun=true"
        body = {"changeId": f"{self._stack.run}-put-back", "reason": "acceptance test"}
        planned = self._stack.outcome_of(self._stack.request("POST", path, body))
        expect((planned["status"], planned["summary"]), ("planned", {"unchanged": 1}), planned)
        check = {"checkDrift": True, "instanceId": options.instance, "attachmentScope": options.scope}
        answer = self._stack.request("POST", "/policy-changes", check | {"changeId": f"{self._stack.run}-check"})
        if answer.status != 202:
            raise answer.failed()
        record = self._stack.ended(f"{self._stack.run}-check")
        expect((record["status"], record["summary"]), ("planned", {"unchanged": 1}), record)
        return "it holds what the ledger says"

    def _queued(self) -> str:
        """A dry run over instances that do not exist: reading them takes longer than a request may, and changes nothing."""
        nobodys = [f"00000000-0000-4000-8000-{number:012x}" for number in range(1, NOBODYS + 1)]
        change = self.change("queued", self._other_size, dryRun=True)
        del change["instanceId"]
        answer = self._stack.request("POST", "/policy-changes", change | {"instanceIds": nobodys})
        if answer.status == 200 and answer.document["summary"] == {"blocked": NOBODYS}:
            return "not queued: a guardrail (AllowedInstances) blocks them without a call"
        if answer.status != 202:
            raise answer.failed()
        expect(answer.headers.get("Location"), f"/policy-changes/{change['changeId']}", answer.document)
        if "Retry-After" not in answer.headers:
            raise Failed(f"no Retry-After: {dict(answer.headers)}")
        record = self._stack.ended(change["changeId"])
        expect(sum(record["summary"].values()), NOBODYS, record)
        return f"202, and its URL leads to its end: {record['status']}"

    def _restored(self) -> str:
        """Whatever happened in between: over the API if it answers, else directly."""
        try:
            # forced, so that the policy is newer than a change that still waits
            self._stack.submit(self.change("restore", self._size, force=True, **self._list(self._stack.policy())))
            if same(self._stack.policy(), self.before):
                return "as before"
        except Exception as error:  # noqa: BLE001, the other way is tried whatever it was
            reason = str(error)
        else:
            reason = "the policy differs"
        try:
            held = self._restored_directly()
        except Exception as error:
            raise Failed(f"{reason}; {error}; {self._by_hand}") from error
        if not same(held, self.before):
            raise Failed(f"{reason}; it differs after the direct update too: {json.dumps(held)}; {self._by_hand}")
        return f"directly, by Amazon Connect's API, since {reason[:200]}"

    def _list(self, held: dict[str, Any]) -> dict[str, Any]:
        """The extensions of before, as a member of a change, if the policy has others."""
        listed = {"allowedExtensions": self.before["allowedExtensions"]}
        return {} if same({**self.before, "allowedExtensions": held["allowedExtensions"]}, self.before) else listed

    def _restored_directly(self) -> dict[str, Any]:
        """What Amazon Connect holds after an update of its own."""
        connect = self._stack.client("connect")
        options = self._stack.options
        target = {"InstanceId": options.instance.rpartition("/")[2], "AttachmentScope": options.scope}

        def held() -> dict[str, Any]:
            found = connect.describe_attached_files_configuration(**target)["AttachedFilesConfiguration"]
            extensions = [allowed["Extension"] for allowed in found["ExtensionConfiguration"]["AllowedExtensions"]]
            return {"maximumSizeLimitInBytes": found["MaximumSizeLimitInBytes"], "allowedExtensions": extensions}

        update: dict[str, Any] = {"MaximumSizeLimitInBytes": self._size}
        if listed := self._list(held()):
            extensions = [{"Extension": extension} for extension in listed["allowedExtensions"]]
            update["ExtensionConfiguration"] = {"AllowedExtensions": extensions}
        connect.update_attached_files_configuration(**target, **update)
        return held()

    @property
    def _by_hand(self) -> str:
        change = self.change("by-hand", self._size, allowedExtensions=self.before["allowedExtensions"])
        return f"send it by hand: {json.dumps(change)}"


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Amazon Connect does not document the order of its list, and its letters may be capitals."""

    def values(policy: dict[str, Any]) -> tuple[int, set[str]]:
        extensions = {extension.lower() for extension in policy["allowedExtensions"]}
        return policy["maximumSizeLimitInBytes"], extensions

    return values(one) == values(other)


def expect(found: Any, expected: Any, answer: Any) -> None:
    if found != expected:
        raise Failed(f"{found!r} instead of {expected!r}: {json.dumps(answer)[:500]}")


