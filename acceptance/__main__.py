"""Tries a deployed stack: dry runs, a change and its undo, freeze and resume, queries, alarms, permissions.

    make acceptance STACK=attachment-policy INSTANCE=00000001-0000-4000-8000-000000000001

It changes one scope of the one instance that is named, and freezes the stack for about a minute. It puts both back, also
if a step fails or it is interrupted. Exit code 0 means that no step failed.
"""

import argparse
import sys
from contextlib import ExitStack

from .changes import Changes
from .freeze import Freeze
from .interruption import Interrupted, listen
from .permissions import Permissions
from .queries import Queries
from .report import Report
from .stack import Options, Stack
from .wiring import Alarms


def options() -> Options:
    parser = argparse.ArgumentParser(
        prog="acceptance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stack", required=True)
    parser.add_argument("--instance", required=True, help="id or ARN of the only instance that is changed")
    parser.add_argument("--scope", default="TASK", choices=["EMAIL", "CHAT", "CASE", "TASK"])
    parser.add_argument("--region")
    parser.add_argument("--no-freeze", dest="freeze", action="store_false", help="leave freeze and resume out")
    parser.add_argument("--ring", action="store_true", help="let an alarm tell its topic's subscribers once")
    parser.add_argument("--stand-in", action="store_true", help="something else answers for AWS: the project's tests")
    parser.add_argument("--patience", type=float, default=240.0, help="seconds that one answer may take")
    parser.add_argument("--interval", type=float, default=2.0, help="seconds between two looks")
    return Options(**vars(parser.parse_args()))


def main() -> int:
    report = Report()
    listen()
    try:
        stack = Stack(options())
        with ExitStack() as put_back:
            if report.step("the stack", stack.read_outputs):
                changes = Changes(stack, report, put_back)
                changes.run()
                if changes.before:
                    Freeze(stack, report, put_back, changes).run()
                Queries(stack, report).run()
                Alarms(stack, report, put_back).run()
                Permissions(stack, report).run()
    except Interrupted as by:
        report.line("failed", "the run", f"interrupted by {by}; what it changed is put back above")
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
