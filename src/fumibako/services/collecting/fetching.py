"""Fetching in groups: questions ahead, every group's numbers checked against their uids, whole groups kept at once."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from fumibako.protocol.errors import LineLost, RemoteError
from fumibako.protocol.pop3.blocks import LongReply
from fumibako.protocol.pop3.mailbox import PopCapabilities, Question, ask_all
from fumibako.services.collecting.terms import MIB, Collected, Fetched, Keep, Listed, Rule, Why
from fumibako.transport.converse import converse
from fumibako.transport.stream import Stream

STRIDE = 16
"""So many mails between two checks that numbers still mean the same mails."""
CAREFUL = 1
"""The stride at which every mail is asked for, checked and kept before the next one."""
STRIDE_BYTES = 4 * MIB
BATCH_COUNT = 256
"""Mails whose files are synced together, and whose rows are one commit."""
BATCH_BYTES = 4 * MIB
MOST_HELD_BYTES = 64 * MIB
"""Beyond this the sizes a server lists are no guide, and every mail is checked and kept by itself."""
TOP_LINES = 60

Take = Callable[[Listed, LongReply], None]


class ListChanged(RemoteError):
    """A number means another mail than it did in the list of this session."""


class TooHeavy(RemoteError):
    """Mails that were listed as small are not."""


class TooBig(RemoteError):
    """A mail went beyond the cap. It is set aside, and the line is dropped."""


class Fetching:
    """One session's fetching. Raises RemoteError with everything kept that was whole and checked."""

    def __init__(
        self, stream: Stream, server: PopCapabilities, rule: Rule, keep: Keep, collected: Collected, *, stride: int
    ) -> None:
        self._stream = stream
        self._server = server
        self._rule = rule
        self._keep = keep
        self._collected = collected
        self._stride = stride
        self._window = server.window if stride > CAREFUL else 1
        self._has_check = collected.has_uidl
        self._asked: deque[tuple[Listed, bool]] = deque()
        self._group = _Group()
        self._batch = _Group()
        self._undecided: set[int] = set()
        self._chosen: list[Listed] = []
        self.kept: dict[int, str] = {}
        """Numbers whose bytes were kept in this session, and the uids they were kept under."""

    def choose(self, listed: Sequence[Listed]) -> list[Listed]:
        """Return what the rule wants of `listed`; with `bounce_only` by its first lines, the rest is skipped."""
        rule = self._rule
        if not rule.bounce_only:
            return list(listed)
        if rule.is_error_mail is None or not self._server.has_top:
            self._undecided = {mail.number for mail in listed}
            return list(listed)
        self._ask_all(listed, self._take_head, TOP_LINES)
        return self._chosen

    def fetch(self, listed: Sequence[Listed]) -> None:
        """Fetch and keep. What the server lists as too big comes last, because it may end the session."""
        cap = self._rule.size_cap
        self._ask_all(sorted(listed, key=lambda mail: mail.size > cap), self._take_mail)

    def _ask_all(self, listed: Sequence[Listed], take: Take, top_lines: int | None = None) -> None:
        def taken(question: Question, reply: LongReply) -> None:
            mail, is_check = self._asked.popleft()
            if is_check:
                self._check(mail, reply)
            elif reply.is_too_big:
                self._fail(mail, Why.TOO_BIG)
            else:
                take(mail, reply)
                if not self._has_check:
                    self._close_group()

        conversation = ask_all(self._questions(listed, top_lines), taken, window=self._window, cap=self._rule.size_cap)
        try:
            is_whole = converse(conversation, self._stream)
        except RemoteError as error:
            self._flush()
            self._blame(error)
            raise
        self._flush()
        if not is_whole:
            raise TooBig("larger than the cap")

    def _blame(self, error: RemoteError) -> None:
        """Count a try against the mail that was coming.

        In a window only a lost line tells which one that was: after an answer without end the answers that follow
        belong to other questions than they seem to.
        """
        if not self._asked or isinstance(error, ListChanged | TooHeavy):
            return
        mail, is_check = self._asked[0]
        if not is_check and (self._window == 1 or isinstance(error, LineLost)):
            self._fail(mail, Why.CUT)

    def _questions(self, listed: Sequence[Listed], top_lines: int | None) -> Iterator[Question]:
        since, size = 0, 0
        last = listed[-1] if listed else None
        for mail in listed:
            self._asked.append((mail, False))
            yield Question(mail.number, top_lines=top_lines)
            since, size = since + 1, size + mail.size
            if self._has_check and (since >= self._stride or size >= STRIDE_BYTES or mail is last):
                self._asked.append((mail, True))
                yield Question(mail.number, is_check=True)
                since, size = 0, 0

    def _take_head(self, mail: Listed, reply: LongReply) -> None:
        assert self._rule.is_error_mail is not None
        verdict = self._rule.is_error_mail(reply.raw) if reply.is_positive else None
        if verdict is False:
            self._group.skipped.append(mail)
            return
        self._chosen.append(mail)
        if verdict is None:
            self._undecided.add(mail.number)

    def _take_mail(self, mail: Listed, reply: LongReply) -> None:
        if not reply.is_positive:
            self._fail(mail, Why.REFUSED)
            return
        raw = reply.raw
        if mail.number in self._undecided and not self._is_wanted(raw):
            self._group.skipped.append(mail)
            return
        sha256 = hashlib.sha256(raw).hexdigest()
        self._group.add(mail, Fetched(mail.uidl or f"whole.{sha256}", mail.size, raw, sha256))
        if self._group.size + self._batch.size > MOST_HELD_BYTES and len(self._group.mails) > 1:
            raise TooHeavy("mails that were listed as small are not")

    def _is_wanted(self, raw: bytes) -> bool:
        rule = self._rule
        if rule.is_whole_error_mail is not None:
            return rule.is_whole_error_mail(raw) is True
        return rule.is_error_mail is None or rule.is_error_mail(raw) is not False

    def _check(self, mail: Listed, reply: LongReply) -> None:
        if not reply.is_positive:
            self._has_check = False
        elif reply.words.split()[:2] != [b"%d" % mail.number, mail.uidl.encode("ascii")]:
            raise ListChanged(f"number {mail.number} means another mail now")
        self._close_group()

    def _close_group(self) -> None:
        self._batch.extend(self._group)
        self._group = _Group()
        batch = self._batch
        if len(batch.mails) >= BATCH_COUNT or batch.size >= BATCH_BYTES or len(batch.skipped) >= BATCH_COUNT:
            self._flush()

    def _flush(self) -> None:
        batch, self._batch = self._batch, _Group()
        collected = self._collected
        if batch.mails:
            new_count = self._keep.keep(batch.mails)
            self.kept.update(zip(batch.numbers, (mail.uidl for mail in batch.mails), strict=True))
            collected.stored_count += new_count
            collected.again_count += len(batch.mails) - new_count
            collected.byte_count += batch.size
        if batch.skipped:
            self._keep.skip(batch.skipped, Why.NOT_AN_ERROR_MAIL)
            collected.skipped_count += len(batch.skipped)

    def _fail(self, mail: Listed, why: Why) -> None:
        self._collected.failed_count += 1
        self._keep.cannot_fetch(mail, why)


class _Group:
    """Mails that are whole, with their numbers, and mails the rule does not want."""

    def __init__(self) -> None:
        self.mails: list[Fetched] = []
        self.numbers: list[int] = []
        self.skipped: list[Listed] = []
        self.size = 0

    def add(self, listed: Listed, mail: Fetched) -> None:
        self.mails.append(mail)
        self.numbers.append(listed.number)
        self.size += len(mail.raw)

    def extend(self, other: _Group) -> None:
        self.mails += other.mails
        self.numbers += other.numbers
        self.skipped += other.skipped
        self.size += other.size
