"""A line between client and server that is cut at one command: before the server hears it, or before its answer."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class CuttingLine:
    """A way to `target_port` on loopback; listens at `port` while the `with` block runs.

    `cut_at` is the number of the command, from 1, that is cut, 0 for none; it holds for one connection. With
    `is_answer_lost` the server obeys it and everything before it; else it and everything after it is never heard.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self.cut_at = 0
        self.is_answer_lost = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        # One connection after the other, as one account has it.
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, socket.create_connection(("127.0.0.1", self._target_port)) as server:
                cut_at, self.cut_at = self.cut_at, 0
                _Relay(client, server, cut_at, is_answer_lost=self.is_answer_lost).run()


class _Relay:
    def __init__(self, client: socket.socket, server: socket.socket, cut_at: int, *, is_answer_lost: bool) -> None:
        self._client = client
        self._server = server
        self._cut_at = cut_at
        self._is_answer_lost = is_answer_lost
        self._is_cut = threading.Event()

    def run(self) -> None:
        back = threading.Thread(target=self._answers, daemon=True)
        back.start()
        with suppress(OSError):
            self._commands()
        with suppress(OSError):
            # The server still obeys what it was told, and ends.
            self._server.shutdown(socket.SHUT_WR)
        back.join(10)
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def _commands(self) -> None:
        for count, line in enumerate(self._client.makefile("rb"), start=1):
            is_last = count == self._cut_at
            if is_last:
                self._is_cut.set()
            if not is_last or self._is_answer_lost:
                self._server.sendall(line)
            if is_last:
                return

    def _answers(self) -> None:
        with suppress(OSError):
            while raw := self._server.recv(65536):
                if not self._is_cut.is_set():
                    self._client.sendall(raw)
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_WR)
