"""A scripted SMTP server: polite by itself, with single answers replaced by what a test wants to happen."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.peers.tcp import PeerLine

Answer = str | bytes | Callable[[PeerLine, str], str | bytes | None]
"""What to say; or a function of the line and the command that returns it, or None when it has said everything."""


@dataclass
class SmtpScript:
    """The server's behaviour for every connection. `answers` is keyed by GREETING, EHLO, STARTTLS, AUTH, MAIL, RCPT,
    DATA, DOT, RSET, QUIT; `mails` are the (recipients, content) it took."""

    answers: dict[str, Answer] = field(default_factory=dict)
    extensions: tuple[str, ...] = ("PIPELINING", "SIZE 35882577", "8BITMIME", "ENHANCEDSTATUSCODES")
    tls: ssl.SSLContext | None = None
    is_tls_from_the_start: bool = False
    mails: list[tuple[tuple[str, ...], bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    _recipients: list[str] = field(default_factory=list)

    def __call__(self, line: PeerLine) -> None:
        if self.is_tls_from_the_start:
            assert self.tls is not None
            line.start_tls(self.tls)
        self._answer(line, "GREETING", "", "220 mx.example.jp ESMTP")
        while True:
            command = line.hear()
            self.commands.append(command)
            getattr(self, f"_on_{command[:4].strip().lower()}", self._on_other)(line, command)

    def _answer(self, line: PeerLine, key: str, command: str, default: str) -> str:
        answer = self.answers.get(key, default)
        said = answer(line, command) if callable(answer) else answer
        if said is None:
            return "000"
        line.say(said)
        return said if isinstance(said, str) else said.decode("latin-1")

    def _on_ehlo(self, line: PeerLine, command: str) -> None:
        lines = ["mx.example.jp", *self.extensions]
        default = "\r\n".join(f"250-{text}" for text in lines[:-1]) + f"\r\n250 {lines[-1]}"
        self._answer(line, "EHLO", command, default if len(lines) > 1 else f"250 {lines[0]}")

    def _on_star(self, line: PeerLine, command: str) -> None:
        if self._answer(line, "STARTTLS", command, "220 2.0.0 go").startswith("220"):
            assert self.tls is not None
            line.start_tls(self.tls)

    def _on_auth(self, line: PeerLine, command: str) -> None:
        if command == "AUTH LOGIN":
            for challenge in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"):
                line.say(challenge)
                self.commands.append(line.hear())
        self._answer(line, "AUTH", command, "235 2.7.0 welcome")

    def _on_mail(self, line: PeerLine, command: str) -> None:
        self._recipients.clear()
        self._answer(line, "MAIL", command, "250 2.1.0 Ok")

    def _on_rcpt(self, line: PeerLine, command: str) -> None:
        if self._answer(line, "RCPT", command, "250 2.1.5 Ok").startswith("2"):
            self._recipients.append(command.removeprefix("RCPT TO:<").removesuffix(">"))

    def _on_data(self, line: PeerLine, command: str) -> None:
        default = "354 go on" if self._recipients else "554 5.5.1 no valid recipients"
        if not self._answer(line, "DATA", command, default).startswith("354"):
            return
        content = line.hear_content()
        if self._answer(line, "DOT", "", "250 2.0.0 Ok: queued").startswith("250"):
            self.mails.append((tuple(self._recipients), content))

    def _on_rset(self, line: PeerLine, command: str) -> None:
        self._recipients.clear()
        self._answer(line, "RSET", command, "250 2.0.0 Ok")

    def _on_quit(self, line: PeerLine, command: str) -> None:
        self._answer(line, "QUIT", command, "221 2.0.0 Bye")
        line.drop()

    def _on_other(self, line: PeerLine, command: str) -> None:
        line.say("502 5.5.2 what?")
