"""Ctrl-C and its like end the run, and never the putting back."""

import signal
from typing import Any, NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Not an Exception: no step takes it for a failure of its own and goes on."""


def listen() -> None:
    for one in SIGNALS:
        signal.signal(one, _interrupt)


def ignore() -> None:
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)


def _interrupt(number: int, _: Any) -> NoReturn:
    ignore()
    raise Interrupted(signal.Signals(number).name)
