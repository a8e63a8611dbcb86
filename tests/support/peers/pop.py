"""A POP3 server on loopback whose mailbox lives on between sessions, and which misbehaves as a test tells it to.

`rule(command)` is asked with every line as it came, and with "" for the greeting. It returns what to say instead, DROP,
a function that takes the line and says whatever it likes, or None for the ordinary answer.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.support.peers.tcp import Peer, PeerLine

DROP = "(drop)"
CAPABILITIES = ("USER", "TOP", "UIDL", "RESP-CODES", "PIPELINING")
Answer = str | bytes | Callable[[PeerLine], None] | None
Rule = Callable[[str], Answer]


@dataclass
class Held:
    """One mail on the server; `size` is what LIST says, when that is not the truth."""

    uid: str
    raw: bytes
    size: int | None = None


class PopServer(Peer):
    """The server. `box` is what it holds, `commands` what was said to it, in order and over all sessions."""

    def __init__(
        self,
        mails: Iterable[Held | tuple[str, bytes]] = (),
        rule: Rule = lambda command: None,
        *,
        capabilities: tuple[str, ...] = CAPABILITIES,
        deletes_on_drop: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(lambda line: _Talk(self, line).run())
        self.box = [mail if isinstance(mail, Held) else Held(*mail) for mail in mails]
        self.rule = rule
        self.capabilities = capabilities
        self.deletes_on_drop = deletes_on_drop
        self.tls = tls
        self.commands: list[str] = []
        self.session_count = 0
        self.guard = threading.Lock()

    def said(self, verb: str) -> list[str]:
        """The commands that begin with `verb`."""
        return [command for command in self.commands if command.split(" ")[0] == verb]


class _Talk:
    """One session. Numbers are fixed at the login, deletions happen at QUIT (RFC 1939 §6)."""

    def __init__(self, server: PopServer, line: PeerLine) -> None:
        self._server = server
        self._line = line
        self._held: list[Held] = []
        self._deleted: set[int] = set()

    def run(self) -> None:
        self._server.session_count += 1
        try:
            self._answer("", b"+OK mx.example.jp ready\r\n")
            while True:
                command = self._line.hear()
                self._server.commands.append(command)
                self._answer(command, None)
        except OSError:
            if self._server.deletes_on_drop:
                self._update()
            raise

    def _answer(self, command: str, default: bytes | None) -> None:
        wanted = self._server.rule(command)
        if wanted is None:
            self._line.say(self._ordinary(command) if default is None else default)
            if command == "QUIT":
                self._line.drop()
            if command == "STLS":
                assert self._server.tls is not None
                self._line.start_tls(self._server.tls)
        elif wanted == DROP:
            self._line.drop()
        elif callable(wanted):
            wanted(self._line)
        else:
            self._line.say(wanted)

    def _ordinary(self, command: str) -> bytes:
        verb, *words = command.split(" ")
        verb = verb.lower()
        if verb not in ("uidl", "list", "retr", "top", "dele") or (verb in ("uidl", "list") and not words):
            return getattr(self, f"_on_{verb}", lambda: b"-ERR what?\r\n")()
        number = int(words[0])
        if not 1 <= number <= len(self._held) or number in self._deleted:
            return b"-ERR no such mail\r\n"
        answer: bytes = getattr(self, f"_one_{verb}")(number, *map(int, words[1:]))
        return answer

    def _on_capa(self) -> bytes:
        return block(b"+OK", [name.encode() for name in self._server.capabilities])

    def _on_stls(self) -> bytes:
        return b"+OK begin\r\n"

    def _on_user(self) -> bytes:
        return b"+OK\r\n"

    def _on_pass(self) -> bytes:
        with self._server.guard:
            self._held = list(self._server.box)
        return b"+OK logged in\r\n"

    def _on_stat(self) -> bytes:
        return b"+OK %d %d\r\n" % (len(self._held), sum(len(mail.raw) for mail in self._held))

    def _on_uidl(self) -> bytes:
        return block(b"+OK", [b"%d %b" % (n, mail.uid.encode()) for n, mail in self._left()])

    def _on_list(self) -> bytes:
        return block(b"+OK", [b"%d %d" % (n, _size(mail)) for n, mail in self._left()])

    def _on_rset(self) -> bytes:
        self._deleted.clear()
        return b"+OK\r\n"

    def _on_quit(self) -> bytes:
        self._update()
        return b"+OK bye\r\n"

    def _one_uidl(self, number: int) -> bytes:
        return b"+OK %d %b\r\n" % (number, self._held[number - 1].uid.encode())

    def _one_list(self, number: int) -> bytes:
        return b"+OK %d %d\r\n" % (number, _size(self._held[number - 1]))

    def _one_retr(self, number: int) -> bytes:
        return b"+OK\r\n" + on_the_wire(self._held[number - 1].raw)

    def _one_top(self, number: int, count: int) -> bytes:
        head, _, body = self._held[number - 1].raw.partition(b"\r\n\r\n")
        lines = b"".join(body.splitlines(keepends=True)[:count])
        return b"+OK\r\n" + on_the_wire(head + b"\r\n\r\n" + lines)

    def _one_dele(self, number: int) -> bytes:
        self._deleted.add(number)
        return b"+OK\r\n"

    def _left(self) -> list[tuple[int, Held]]:
        return [(n, mail) for n, mail in enumerate(self._held, start=1) if n not in self._deleted]

    def _update(self) -> None:
        gone = {id(self._held[number - 1]) for number in self._deleted}
        with self._server.guard:
            self._server.box = [mail for mail in self._server.box if id(mail) not in gone]
        self._deleted.clear()


def block(first: bytes, lines: Iterable[bytes]) -> bytes:
    """A multi-line answer of lines that need no stuffing."""
    return b"\r\n".join([first, *lines, b".", b""])


def on_the_wire(raw: bytes) -> bytes:
    """The content as RFC 1939 §3 sends it: dots stuffed, a line end before the terminator."""
    stuffed = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:]
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") or not stuffed else b"\r\n.\r\n")


def _size(mail: Held) -> int:
    return len(mail.raw) if mail.size is None else mail.size
