"""Handing one mail to the server."""

from __future__ import annotations

from dataclasses import dataclass

from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict
from fumibako.protocol.errors import Garbage, RemoteError
from fumibako.protocol.smtp.capabilities import Capabilities
from fumibako.protocol.smtp.envelope import Envelope, content_of
from fumibako.protocol.smtp.replies import Reply, read_reply
from fumibako.protocol.smtp.session import SmtpConversation
from fumibako.protocol.smtp.verdicts import (
    outcome_of_content,
    outcome_of_loss,
    outcome_of_mail,
    outcome_of_recipient,
)
from fumibako.protocol.steps import Drop, HandOver, Listen, Payload, Say

_MAIL = Listen(Stage.MAIL, read_reply)
_RCPT = Listen(Stage.RCPT, read_reply)
_DATA = Listen(Stage.DATA, read_reply)
_DOT = Listen(Stage.DOT, read_reply)
_CLOSING = 421
_GO_AHEAD = 354


@dataclass(frozen=True, slots=True)
class _Way:
    """What is said before its answers are known (RFC 2920)."""

    addresses: tuple[str, ...]
    is_ahead: bool
    is_data_ahead: bool

    def unheard_after(self, address_count: int) -> int:
        """Return how many answers are still to come when `address_count` of the RCPTs are answered."""
        return (len(self.addresses) - address_count) * self.is_ahead + self.is_data_ahead


def deliver(envelope: Envelope, raw: bytes, server: Capabilities) -> SmtpConversation[Outcome]:
    """MAIL, RCPT, DATA (one write where PIPELINING is offered), content, mark, final dot.

    Lost before the mark: UNREACHABLE; after it: UNCERTAIN (RFC 1047). The line can carry the next mail unless it was
    dropped. Raises LocalError, before a byte is written, for content DATA cannot carry.

    DATA goes out ahead of RCPT's answer only when the envelope holds the recipient alone: if a copy were accepted and
    the recipient refused, a server that has seen DATA says 354, and from there no ending is left that surely sends
    nothing to the copy but to cut the line. For the recipient alone, RFC 2920 §3.1 lets a server say 354 after it
    refused the only RCPT; then too the line is cut rather than a lone dot written.
    """
    content = content_of(raw)
    unfit = _unfit(raw, server)
    if unfit is not None:
        return unfit
    try:
        return (yield from _transaction(envelope, _mail_command(envelope, raw, server), content, server))
    except RemoteError as error:
        yield Drop()
        return outcome_of_loss(error, error.stage or Stage.DOT)


def _unfit(raw: bytes, server: Capabilities) -> Outcome | None:
    if 0 < server.size_limit < len(raw):
        text = f"the server takes at most {server.size_limit} bytes, the mail has {len(raw)}"
        return Outcome(Verdict.REFUSED, Scope.MESSAGE, Stage.MAIL, text=text, size_limit=server.size_limit)
    if not raw.isascii() and not server.has_8bitmime:
        text = "the mail has 8-bit content, and the server does not offer 8BITMIME"
        return Outcome(Verdict.REFUSED, Scope.MESSAGE, Stage.MAIL, text=text)
    return None


def _mail_command(envelope: Envelope, raw: bytes, server: Capabilities) -> Say:
    size = f" SIZE={len(raw)}" if server.has_size else ""
    body = "" if raw.isascii() else " BODY=8BITMIME"
    return Say(f"MAIL FROM:<{envelope.sender}>{size}{body}\r\n".encode("ascii"))


def _transaction(envelope: Envelope, mail: Say, content: bytes, server: Capabilities) -> SmtpConversation[Outcome]:
    way = _Way(
        addresses=(envelope.recipient, *envelope.copies),
        is_ahead=server.has_pipelining,
        is_data_ahead=server.has_pipelining and not envelope.copies,
    )
    yield mail
    if way.is_ahead:
        for address in way.addresses:
            yield _rcpt_command(address)
    if way.is_data_ahead:
        yield Say(b"DATA\r\n")
    refusal = yield from _hear_mail(way)
    if refusal is not None:
        return refusal
    answers = yield from _hear_addresses(way)
    if isinstance(answers, Outcome):
        return answers
    if not way.is_data_ahead:
        yield Say(b"DATA\r\n")
    reply: Reply = yield _DATA
    if reply.code != _GO_AHEAD:
        yield from _step_back(reply, 0)
        return outcome_of_content(_negative(reply, Stage.DATA), Stage.DATA, has_copies=bool(envelope.copies))
    return (yield from _hand_over(content, bool(envelope.copies), answers))


def _hear_mail(way: _Way) -> SmtpConversation[Outcome | None]:
    reply: Reply = yield _MAIL
    if reply.is_positive:
        return None
    yield from _step_back(reply, way.unheard_after(0), is_reset_needed=False)
    return outcome_of_mail(_negative(reply, Stage.MAIL))


def _hear_addresses(way: _Way) -> SmtpConversation[Outcome | tuple[str, ...]]:
    """Return the copies that were refused, or the outcome when the recipient was."""
    refused_copies: list[str] = []
    for count, address in enumerate(way.addresses, start=1):
        if not way.is_ahead:
            yield _rcpt_command(address)
        reply: Reply = yield _RCPT
        if reply.is_positive:
            continue
        if count == 1 or reply.code == _CLOSING:
            yield from _step_back(reply, way.unheard_after(count))
            return outcome_of_recipient(_negative(reply, Stage.RCPT))
        refused_copies.append(address)
    return tuple(refused_copies)


def _hand_over(content: bytes, has_copies: bool, refused_copies: tuple[str, ...]) -> SmtpConversation[Outcome]:
    """Content first, then the durable mark, then the dot as its own write."""
    yield Payload(content)
    yield HandOver()
    yield Say(b".\r\n")
    reply: Reply = yield _DOT
    outcome = outcome_of_content(reply, Stage.DOT, has_copies=has_copies, refused_copies=refused_copies)
    if reply.code == _CLOSING or outcome.verdict is Verdict.UNCERTAIN:
        yield Drop()
    return outcome


def _step_back(reply: Reply, unheard: int, *, is_reset_needed: bool = True) -> SmtpConversation[None]:
    """After a negative answer: hear what was asked ahead, and leave the line ready for the next mail, or drop it.

    The outcome is known already, so a line that breaks here changes nothing.
    """
    try:
        if reply.code == _CLOSING or not reply.is_negative:
            yield Drop()
            return
        for _ in range(unheard):
            late: Reply = yield _RCPT
            if late.code in (_GO_AHEAD, _CLOSING):
                yield Drop()
                return
        if is_reset_needed:
            yield Say(b"RSET\r\n")
            late = yield _RCPT
            if not late.is_positive:
                yield Drop()
    except RemoteError:
        return


def _negative(reply: Reply, stage: Stage) -> Reply:
    """Return `reply` when it says no; an answer that is neither yes nor no is Garbage."""
    if reply.is_negative:
        return reply
    raise Garbage(f"unexpected answer {reply.code} {reply.text}"[:500], stage=stage)


def _rcpt_command(address: str) -> Say:
    return Say(f"RCPT TO:<{address}>\r\n".encode("ascii"))
