"""An HTTP server that answers as a test says, and keeps what it was asked."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    document: Any


@dataclass
class Answering:
    """Where it listens, and what it was asked so far."""

    url: str
    asked: list[Asked] = field(default_factory=list)

    def requests(self) -> list[tuple[str, str, Any]]:
        return [(one.method, one.path, one.document) for one in self.asked]


@contextmanager
def answering(answer: Callable[[Asked], tuple[int, Any]]) -> Iterator[Answering]:
    """A status and a document for each request, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, json.loads(body) if body else None)
            answering.asked.append(asked)
            status, document = answer(asked)
            said = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = do_DELETE = take

        def log_message(self, *_: Any) -> None:
            """Logs nothing: the requests are kept anyway."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    answering = Answering(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield answering
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
