"""Freeze and resume, by the commands that the stack's outputs hold."""

import re
import subprocess
import time
from contextlib import ExitStack
from typing import Any

from .changes import Changes, expect
from .report import Failed, Report
from .stack import Stack


class Freeze:
    """Records what the command is going to change, so that it is put back exactly."""

    def __init__(self, stack: Stack, report: Report, put_back: ExitStack, changes: Changes) -> None:
        self._stack = stack
        self._report = report
        self._put_back = put_back
        self._changes = changes
        self._lambda = stack.client("lambda")
        self._alarms = stack.client("cloudwatch")
        self._before: dict[str, Any] = {}
        self._waiting: dict[str, Any] = {}

    def run(self) -> None:
        step = self._report.step
        if not self._stack.options.freeze:
            self._report.line("not asked for", "freeze and resume", "FREEZE=no")
            return
        if not step("what freeze changes", self._record):
            return
        self._put_back.callback(self._report.put_back, "what freeze changed", self._restored)
        if not step("freeze", self._freeze):
            return
        step("a request while frozen", self._refused)
        step("an event while frozen", self._kept)
        if step("resume", self._resume):
            step("the event after resuming", self._taken_up)

    def _record(self) -> str:
        self._before = self._state()
        return str(self._before)

    def _named(self, option: str) -> list[str]:
        """What the command names by an option."""
        found = re.findall(rf"--{option} ([^&]+?)(?= --|\s*&&|\s*$)", self._stack.outputs["Freeze"])
        return sorted({name for names in found for name in names.split()})

    def _state(self) -> dict[str, Any]:
        functions, mappings = self._named("function-name"), self._named("uuid")
        if not functions or not mappings:
            raise Failed(f"the output Freeze names no function or no mapping: {self._stack.outputs['Freeze']}")
        concurrency = {
            name: self._lambda.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
            for name in functions
        }
        enabled = {
            uuid: self._lambda.get_event_source_mapping(UUID=uuid)["State"] in ("Enabled", "Enabling", "Creating")
            for uuid in mappings
        }
        names = self._named("alarm-names")
        alarms = self._alarms.describe_alarms(AlarmNames=names)["MetricAlarms"] if names else []
        acting = {alarm["AlarmName"]: alarm["ActionsEnabled"] for alarm in alarms}
        return {"concurrency": concurrency, "enabled": enabled, "acting": acting}

    def _command(self, output: str) -> None:
        command = ["bash", "-c", self._stack.outputs[output]]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise Failed(f"the command of output {output} ended with {ended.returncode}: {ended.stderr.strip()[:500]}")

    def _settled(self) -> bool:
        """No mapping is on its way to another state."""
        states = [self._lambda.get_event_source_mapping(UUID=uuid)["State"] for uuid in self._before["enabled"]]
        return not any(state in ("Enabling", "Disabling", "Updating", "Creating") for state in states)

    def _freeze(self) -> str:
        self._command("Freeze")
        self._stack.wait("the event source mapping is not disabled", self._settled)
        state = self._state()
        expect(set(state["enabled"].values()), {False}, state)
        expect(set(state["concurrency"].values()), {0}, state)
        return "the worker is stopped, the API handles no request"

    def _refused(self) -> str:
        status, answer = self._stack.request("GET", self._stack.policies_path)
        if status < 500:
            raise Failed(f"the API answered: HTTP {status}: {answer}")
        return f"HTTP {status}"

    def _kept(self) -> str:
        size = self._changes.before["maximumSizeLimitInBytes"]
        self._waiting = self._changes.change("frozen", size, dryRun=True)
        self._stack.put_event(self._waiting)
        queue = self._stack.outputs["ChangeQueueUrl"]
        names = ["ApproximateNumberOfMessages"]
        sqs = self._stack.client("sqs")

        def waits() -> bool:
            attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
            return int(attributes[names[0]]) > 0

        self._stack.wait("the event does not wait in the queue", waits)
        # a worker that is not stopped would take it up at once
        time.sleep(5 * self._stack.options.interval)
        if not waits():
            raise Failed("the worker took the event up")
        return "waits in the queue"

    def _resume(self) -> str:
        self._command("Resume")
        self._stack.wait("the event source mapping is not enabled", self._settled)
        expect(set(self._state()["enabled"].values()), {True}, self._state())
        return "the worker and the API are on"

    def _taken_up(self) -> str:
        if not self._waiting:
            raise Failed("no event waited")
        audit = self._stack.outcome(self._waiting["changeId"])
        return f"taken up: {audit['outcome']}"

    def _restored(self) -> str:
        """Resume sets what the template says; whoever had set something else gets that back."""
        if self._state() == self._before:
            return "as before"
        self._stack.wait("the event source mapping is busy", self._settled)
        for uuid, enabled in self._before["enabled"].items():
            self._lambda.update_event_source_mapping(UUID=uuid, Enabled=enabled)
        for name, reserved in self._before["concurrency"].items():
            if reserved is None:
                self._lambda.delete_function_concurrency(FunctionName=name)
            else:
                self._lambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
        for name, acting in self._before["acting"].items():
            switch = self._alarms.enable_alarm_actions if acting else self._alarms.disable_alarm_actions
            switch(AlarmNames=[name])
        self._stack.wait("the event source mapping is busy", self._settled)
        expect(self._state(), self._before, self._state())
        return "as before"
