"""A web server on loopback that remembers who asked it for what: a beacon for hostile mail, and a place to frame it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Beacon:
    """`pages` maps a path to (headers, HTML); everything else that is asked for is a hit."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[Mapping[str, str], str]] = {}
        self.hits: list[str] = []
        self.port = 0
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def hit(self, path: str) -> None:
        """Somebody asked for this."""
        with self._changed:
            self.hits.append(path)
            self._changed.notify_all()

    def wait_for(self, kind: str, count: int, seconds: float = 20) -> bool:
        """Wait until so many different addresses that begin with `kind` have been asked for."""
        with self._changed:
            return self._changed.wait_for(
                lambda: len({hit for hit in self.hits if hit.startswith(kind)}) >= count, seconds
            )

    @property
    def js(self) -> str:
        """A script that reports itself; `MARK` is for the caller to replace. No quotes and no angle brackets in it."""
        return f"new(Image)().src=`{self.url}/js?MARK`"


@contextmanager
def beacon() -> Iterator[Beacon]:
    """A running beacon."""
    found = Beacon()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers, html = found.pages.get(self.path, ({}, ""))
            if self.path not in found.pages and self.path != "/favicon.ico":
                found.hit(self.path)
            self.send_response(200)
            for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(html.encode("utf-8", "replace"))

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
