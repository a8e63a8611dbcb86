"""A bare line to a server, so that the practice servers are tested by octets and not by our own engine."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self


class Wire:
    """A connected socket that writes lines and reads replies; reading past the end of the line gives b""."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, trouble: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._socket.close()

    def write(self, raw: bytes) -> None:
        self._socket.sendall(raw)

    def line(self) -> bytes:
        """One line as it came; b"" when the other side has hung up or cut the line."""
        try:
            return self._file.readline()
        except ConnectionError:
            return b""

    def smtp_reply(self) -> list[bytes]:
        """A whole SMTP reply."""
        lines = [self.line()]
        while lines[-1][3:4] == b"-":
            lines.append(self.line())
        return lines

    def say(self, command: bytes) -> bytes:
        """Says an SMTP command and returns the last line of the reply."""
        self.write(command + b"\r\n")
        return self.smtp_reply()[-1]

    def ask(self, command: bytes) -> bytes:
        """Says a POP3 command and returns the first line of the reply."""
        self.write(command + b"\r\n")
        return self.line()

    def ask_lines(self, command: bytes) -> list[bytes]:
        """Says a POP3 command with a multi-line reply and returns its lines, still dot-stuffed."""
        assert self.ask(command).startswith(b"+OK")
        lines = []
        while (line := self.line()) != b".\r\n":
            assert line, "the line was cut inside a reply"
            lines.append(line)
        return lines
