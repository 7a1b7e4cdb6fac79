"""CloudWatch Logs' filter patterns, as far as the documentation uses them, and `filter-log-events` over a folder.

Written from the page "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live
Tail" (Amazon CloudWatch Logs User Guide): terms and phrases, `?` for any of them, and JSON patterns with `=`, `!=`,
`&&`, `||`, parentheses and `*` in a text. What it does not know is an error, never a match.

    python filter_pattern.py FOLDER logs filter-log-events --log-group-name NAME --filter-pattern PATTERN
"""

import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import jmespath

Test = Callable[[Any], bool]
TOKEN = re.compile(r'\s*(&&|\|\||[(){}]|!=|=|\$(?:\.\w+|\[\d+\])+|"[^"]*"|[\w.*-]+)')
TERM = re.compile(r'(\??)("[^"]*"|[\w.-]+)(?:\s+|$)')


def matches(pattern: str, line: str) -> bool:
    """Whether a line of the log is found by a pattern."""
    pattern = pattern.strip()
    if pattern.startswith("{"):
        return JsonPattern(pattern).matches(line)
    position, terms = 0, []
    while position < len(pattern):
        found = TERM.match(pattern, position)
        assert found, f"no term at {pattern[position:]!r}"
        terms.append((found[1] == "?", found[2].strip('"')))
        position = found.end()
    optional = [term for is_optional, term in terms if is_optional]
    assert len(optional) in (0, len(terms)), "CloudWatch Logs ignores `?` beside terms without it"
    return any(term in line for term in optional) if optional else all(term in line for _, term in terms)


class JsonPattern:
    """`{ $.a = "x*" && ($.b = 1 || $.c != "y") }`: `&&` binds closer than `||`."""

    def __init__(self, pattern: str) -> None:
        self._tokens: list[str] = []
        position = 0
        while position < len(pattern):
            found = TOKEN.match(pattern, position)
            assert found, f"no token at {pattern[position:]!r}"
            self._tokens.append(found[1])
            position = found.end()
        self._expect("{")
        self._test = self._either()
        self._expect("}")
        assert not self._tokens, f"after the end: {self._tokens}"

    def matches(self, line: str) -> bool:
        """A line that is not JSON has no fields, and is not found."""
        try:
            return self._test(json.loads(line))
        except json.JSONDecodeError:
            return False

    def _expect(self, token: str) -> None:
        found = self._tokens.pop(0) if self._tokens else "the end"
        assert found == token, f"{found} instead of {token}"

    def _either(self) -> Test:
        tests = [self._both()]
        while self._tokens[0] == "||":
            self._expect("||")
            tests.append(self._both())
        return lambda document: any(test(document) for test in tests)

    def _both(self) -> Test:
        tests = [self._comparison()]
        while self._tokens[0] == "&&":
            self._expect("&&")
            tests.append(self._comparison())
        return lambda document: all(test(document) for test in tests)

    def _comparison(self) -> Test:
        if self._tokens[0] == "(":
            self._expect("(")
            test = self._either()
            self._expect(")")
            return test
        selector, operator, value = (self._tokens.pop(0) for _ in range(3))
        assert selector.startswith("$") and operator in ("=", "!="), (selector, operator)
        steps = [int(step) if step.isdigit() else step for step in re.findall(r"\w+", selector)]
        if operator == "=":
            return lambda document: equal(at(document, steps), value)
        return lambda document: at(document, steps) is not None and not equal(at(document, steps), value)


def at(document: Any, steps: list[str | int]) -> Any:
    """The value that a selector leads to."""
    for step in steps:
        match document:
            case dict() if step in document:
                document = document[step]
            case list() if isinstance(step, int) and step < len(document):
                document = document[step]
            case _:
                return None
    return document


def equal(found: Any, value: str) -> bool:
    """A text by its wildcards, a number by its value."""
    if isinstance(found, str):
        return fnmatchcase(found, value.strip('"').replace("[", "[[]").replace("?", "[?]"))
    return isinstance(found, int | float) and not value.startswith('"') and float(value) == found


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("command", nargs=2)
    parser.add_argument("--log-group-name", required=True)
    parser.add_argument("--filter-pattern", required=True)
    parser.add_argument("--start-time", type=int, default=0)
    parser.add_argument("--output", default="json")
    parser.add_argument("--query", default="@")
    given = parser.parse_args()
    group = given.folder / given.log_group_name.replace("/", "_")
    if not group.is_file():
        print("An error occurred (ResourceNotFoundException): the log group does not exist", file=sys.stderr)
        # the CLI's own exit code of an error that the service answers
        sys.exit(254)
    events = [{"message": line} for line in group.read_text().splitlines() if matches(given.filter_pattern, line)]
    print(json.dumps(jmespath.search(given.query, {"events": events})))


if __name__ == "__main__":
    main()
