"""A mail server that takes everything and forgets it: Postfix's smtp-sink, else a small one of our own."""

from __future__ import annotations

import argparse
import os
import selectors
import shutil
import socket
import sys

EHLO = b"250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n"


def sink_command(port: int) -> tuple[str, list[str]]:
    """The name of the sink and how to start it."""
    program = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")
    if program is None:
        return "own", [sys.executable, "-m", "fumibako", "bench", "_sink", str(port)]
    # As root the program insists on working as somebody else.
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    return "smtp-sink", [program, *user, f"127.0.0.1:{port}", "1000"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The port."""
    parser.add_argument("port", type=int)


def run(args: argparse.Namespace) -> int:
    """Take mail until killed."""
    selector = selectors.DefaultSelector()
    server = socket.create_server(("127.0.0.1", args.port), backlog=1000)
    selector.register(server, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is server:
                sock, _ = server.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.sendall(b"220 sink.example\r\n")
                selector.register(sock, selectors.EVENT_READ, _Line(sock))
            elif not key.data.hear():
                selector.unregister(key.fileobj)
                key.data.sock.close()


class _Line:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._rest = b""
        self._is_in_content = False

    def hear(self) -> bool:
        """Answer what has come. Returns False when the other side has gone."""
        try:
            raw = self.sock.recv(65536)
        except OSError:
            return False
        if not raw:
            return False
        self._rest += raw
        answers = []
        while (answer := self._next()) is not None:
            answers.append(answer)
        if answers:
            self.sock.sendall(b"".join(answers))
        return True

    def _next(self) -> bytes | None:
        mark = b"\r\n.\r\n" if self._is_in_content else b"\r\n"
        line, end, rest = self._rest.partition(mark)
        if not end:
            return None
        self._rest = rest
        if self._is_in_content:
            self._is_in_content = False
            return b"250 2.0.0 Ok\r\n"
        verb = line[:4].upper()
        self._is_in_content = verb == b"DATA"
        return {b"EHLO": EHLO, b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}.get(verb, b"250 2.1.0 Ok\r\n")
