"""Ctrl-C and its like end the run, and never the putting back.

A handler that raised would raise wherever the run is just then, also where Python drops an exception, as in a
destructor: the run would go on, deaf. So the handler takes note, and the run looks between its requests.
"""

import signal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_received: list[str] = []


class Interrupted(BaseException):
    """Not an Exception: no step takes it for a failure of its own and goes on."""


def listen() -> None:
    for one in SIGNALS:
        signal.signal(one, lambda number, _: _received.append(signal.Signals(number).name))


def look() -> None:
    """Ends the run here if it is to end."""
    if _received:
        raise Interrupted(_received[0])


def ignore() -> None:
    """From here on nothing interrupts."""
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    _received.clear()
