"""A server on loopback that does to each connection what its script says, faults included."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Script = Callable[["PeerLine"], None]


class PeerLine:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, is_over: threading.Event) -> None:
        self._sock = sock
        self._is_over = is_over
        self._unread = b""
        self.received = b""

    def say(self, text: str | bytes) -> None:
        """Send a line (text gets its CRLF), or bytes as they are."""
        self._sock.sendall(text.encode() + b"\r\n" if isinstance(text, str) else text)

    def dribble(self, raw: bytes, seconds: float) -> None:
        """Send byte by byte with a pause between, until done or the test is over."""
        for position in range(len(raw)):
            self._sock.sendall(raw[position : position + 1])
            if self._is_over.wait(seconds):
                return

    def hear(self) -> str:
        """Return the next line without its CRLF. Raises ConnectionError when the client hung up."""
        return self._until(b"\r\n").decode("utf-8", "replace")

    def hear_content(self) -> bytes:
        """Return the content up to its terminator, dots unstuffed."""
        stuffed = self._until(b"\r\n.\r\n") + b"\r\n"
        return (
            stuffed.replace(b"\r\n..", b"\r\n.").removeprefix(b".")
            if stuffed[:1] == b"."
            else stuffed.replace(b"\r\n..", b"\r\n.")
        )

    def hear_bytes(self, count: int) -> bytes:
        """Return after at least `count` bytes have come."""
        while len(self._unread) < count:
            self._receive()
        taken, self._unread = self._unread, b""
        return taken

    def hold(self) -> None:
        """Stay silent, reading nothing, until the test is over."""
        self._is_over.wait(20)

    def wait_for_hang_up(self) -> None:
        """Read on until the client hangs up."""
        while True:
            self._receive()

    def shrink_window(self) -> None:
        """Take as little as the kernel allows without reading."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)

    def reset(self) -> None:
        """Close with RST."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.drop()

    def drop(self) -> None:
        """Close."""
        self._sock.close()
        raise ConnectionError("dropped by the script")

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Turn to TLS."""
        self._sock = context.wrap_socket(self._sock, server_side=True)
        self._unread = b""

    def close(self) -> None:
        """Close quietly."""
        self._sock.close()

    def _until(self, end: bytes) -> bytes:
        while end not in self._unread:
            self._receive()
        line, _, self._unread = self._unread.partition(end)
        return line

    def _receive(self) -> None:
        raw = self._sock.recv(65536)
        if not raw:
            raise ConnectionError("the client hung up")
        self.received += raw
        self._unread += raw


class Peer:
    """Listens on a free loopback port while the `with` block runs; `lines` are the connections it had."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._is_over = threading.Event()
        self._threads: list[threading.Thread] = []
        self.lines: list[PeerLine] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_over.set()
        # Closing a listener does not wake accept(); shutting it down does.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in self.lines:
            line.close()
        for thread in self._threads:
            thread.join(5)

    @property
    def received(self) -> bytes:
        """Everything any client has sent."""
        return b"".join(line.received for line in self.lines)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._is_over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            line = PeerLine(sock, self._is_over)
            self.lines.append(line)
            self._start(self._serve, line)

    def _serve(self, line: PeerLine) -> None:
        try:
            self._script(line)
        except (OSError, ValueError):
            # The client hung up, or the script did.
            return
        finally:
            line.close()
