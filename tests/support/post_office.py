"""An SMTP server on loopback for many connections: it counts what it takes, and misbehaves as a test tells it to.

`rule(step, address, count)` is asked at every step ("greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "DOT", "QUIT");
`address` is the recipient as far as it is known, `count` how often this step has come for it (from 1), over all
connections. It returns a reply without CRLF, DROP, ACCEPT_AND_DROP (at DOT), or None for the ordinary answer.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.peers.tcp import Peer, PeerLine

DROP = "(drop)"
ACCEPT_AND_DROP = "(accept and drop)"

Rule = Callable[[str, str, int], str | None]


@dataclass(frozen=True, slots=True)
class Taken:
    """One mail that the server took."""

    address: str
    copies: tuple[str, ...]
    raw: bytes


class PostOffice(Peer):
    """The server. `taken` lists the mails it took, in order; `steps` what was said to it, as (step, address)."""

    def __init__(self, rule: Rule = lambda step, address, count: None, *, extensions: tuple[str, ...] = ()) -> None:
        super().__init__(lambda line: _Talk(self, line).run())
        self.rule = rule
        self.extensions = extensions
        self.taken: list[Taken] = []
        self.steps: list[tuple[str, str]] = []
        self.changed = threading.Condition()
        self._counts: Counter[tuple[str, str]] = Counter()

    def copies(self) -> Counter[str]:
        """How many mails each address got."""
        return Counter(mail.address for mail in self.taken)

    def count_of(self, step: str) -> int:
        """How often `step` came, over all addresses and connections."""
        with self.changed:
            return sum(1 for known, _ in self.steps if known == step)

    def said(self, step: str, address: str) -> str | None:
        """Count a step and return what the rule wants for it."""
        with self.changed:
            self._counts[step, address] += 1
            count = self._counts[step, address]
            self.steps.append((step, address))
            self.changed.notify_all()
        return self.rule(step, address, count)

    def take(self, mail: Taken) -> None:
        """Keep a mail."""
        with self.changed:
            self.taken.append(mail)
            self.changed.notify_all()


class _Talk:
    """One connection."""

    def __init__(self, office: PostOffice, line: PeerLine) -> None:
        self._office = office
        self._line = line
        self._addresses: list[str] = []

    def run(self) -> None:
        self._answer("greeting", "220 post.example.jp")
        while True:
            command = self._line.hear()
            verb = command.partition(" ")[0].lower()
            getattr(self, f"_on_{verb}", self._on_other)(command)

    def _on_ehlo(self, command: str) -> None:
        lines = ["post.example.jp", *self._office.extensions]
        marks = ["-"] * (len(lines) - 1) + [" "]
        self._answer("EHLO", "\r\n".join(f"250{mark}{text}" for mark, text in zip(marks, lines, strict=True)))

    def _on_auth(self, command: str) -> None:
        if command == "AUTH LOGIN":
            for challenge in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"):
                self._line.say(challenge)
                self._line.hear()
        self._answer("AUTH", "235 2.7.0 welcome")

    def _on_mail(self, command: str) -> None:
        self._addresses = []
        self._answer("MAIL", "250 2.1.0 ok")

    def _on_rcpt(self, command: str) -> None:
        address = command.removeprefix("RCPT TO:<").removesuffix(">")
        if self._answer("RCPT", "250 2.1.5 ok", address).startswith("2"):
            self._addresses.append(address)

    def _on_data(self, command: str) -> None:
        default = "354 go on" if self._addresses else "503 5.5.1 no recipient"
        if not self._answer("DATA", default).startswith("354"):
            return
        content = self._line.hear_content()
        wanted = self._office.said("DOT", self._address)
        reply = "250 2.0.0 taken" if wanted is None else wanted
        if reply.startswith("250") or reply == ACCEPT_AND_DROP:
            self._office.take(Taken(self._address, tuple(self._addresses[1:]), content))
        self._send(reply)

    def _on_rset(self, command: str) -> None:
        self._addresses = []
        self._send("250 2.0.0 ok")

    def _on_quit(self, command: str) -> None:
        self._answer("QUIT", "221 2.0.0 bye")
        self._line.drop()

    def _on_other(self, command: str) -> None:
        self._send("502 5.5.2 what?")

    @property
    def _address(self) -> str:
        return self._addresses[0] if self._addresses else ""

    def _answer(self, step: str, default: str, address: str = "") -> str:
        wanted = self._office.said(step, address or self._address)
        return self._send(default if wanted is None else wanted)

    def _send(self, reply: str) -> str:
        if reply in (DROP, ACCEPT_AND_DROP):
            self._line.drop()
        self._line.say(reply)
        if reply.startswith("421"):
            # RFC 5321 §3.8: a server that says 421 closes.
            self._line.drop()
        return reply
