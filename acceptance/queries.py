"""Every Logs Insights query of the documentation, against the stack's log groups."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .report import Failed, Report
from .stack import LOG_GROUPS, Stack

DOCS = Path(__file__).parent.parent / "docs"
EXAMPLE_CHANGE = re.compile(r"CHG-\d+")
EXAMPLE_INSTANCE = "00000001-0000-4000-8000-000000000001"
HOUR = 3600


def documented() -> Iterator[tuple[str, str]]:
    """Where each query is, and its text: a block without a language that begins with `filter`."""
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text()
        for block in re.finditer(r"^```\n(filter .*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, block.start()) + 2
            yield f"{page.name}:{line}", block[1]


class Queries:
    """Asks each query about this run's own change and instance."""

    def __init__(self, stack: Stack, report: Report) -> None:
        self._stack = stack
        self._report = report
        self._logs = stack.client("logs")

    def run(self) -> None:
        for place, query in documented():
            self._report.step(f"query {place}", lambda query=query: self._asked(query))

    def _asked(self, query: str) -> str:
        names_change = EXAMPLE_CHANGE.search(query) is not None
        own = EXAMPLE_CHANGE.sub(f"{self._stack.run}-change", query)
        own = own.replace(EXAMPLE_INSTANCE, self._stack.options.instance.rpartition("/")[2])
        rows = self._rows(own)
        self._stack.needs_account("the query was taken; a stand-in does not evaluate it")
        if names_change:
            # CloudWatch Logs takes a while until queries find a line
            rows = rows or self._stack.wait("it does not find this run's change", lambda: self._rows(own))
        return f"complete, {len(rows)} rows"

    def _rows(self, query: str) -> list[Any]:
        groups = [self._stack.outputs[name] for name in LOG_GROUPS]
        now = int(time.time())
        asked = self._logs.start_query(
            logGroupNames=groups, startTime=now - HOUR, endTime=now + 60, queryString=query, limit=100
        )

        def answered() -> dict[str, Any] | None:
            answer = self._logs.get_query_results(queryId=asked["queryId"])
            return None if answer["status"] in ("Scheduled", "Running") else answer

        answer = self._stack.wait("the query does not end", answered)
        if answer["status"] != "Complete":
            raise Failed(f"the query ended as {answer['status']}")
        return answer["results"]
