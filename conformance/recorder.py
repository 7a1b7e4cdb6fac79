"""A proxy that records every request and every answer unchanged."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, byte for byte."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer_headers: dict[str, str]
    answer: bytes


@dataclass
class Recorder:
    """The proxy's address, and what it has recorded so far, in the order of the answers."""

    url: str
    exchanges: list[Exchange] = field(default_factory=list)

    def taken(self) -> list[Exchange]:
        """What was recorded since the last call."""
        taken, self.exchanges[:] = list(self.exchanges), []
        return taken


@contextmanager
def recording(upstream: str) -> Iterator[Recorder]:
    """Forwards everything to `upstream` unchanged, because `Host` is signed."""
    target = urlsplit(upstream).netloc
    exchanges: list[Exchange] = []

    class Carrier(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Send an answer in one write: the second of two would wait 40 ms for the first's acknowledgement.
        wbufsize = -1

        def carry(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection = http.client.HTTPConnection(target, timeout=60)
            connection.request(self.command, self.path, body, dict(self.headers))
            got = connection.getresponse()
            answer, answer_headers = got.read(), dict(got.getheaders())
            connection.close()
            path, _, query = self.path.partition("?")
            sent = (self.command, path, query, {name.lower(): value for name, value in self.headers.items()}, body)
            exchanges.append(Exchange(*sent, got.status, answer_headers, answer))
            self.send_response_only(got.status)
            for name, value in answer_headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = carry

        def log_message(self, *_: object) -> None:
            """Logs nothing: the exchanges are recorded anyway."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Carrier)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Recorder(f"http://127.0.0.1:{server.server_port}", exchanges)
    finally:
        server.shutdown()
        server.server_close()
