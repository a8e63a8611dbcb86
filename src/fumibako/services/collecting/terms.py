"""The terms of one fetching session: what the account wants, what is on the server, what was fetched, and who keeps it.

`Known` and `Keep` are implemented where the rows are. All their methods are called in the caller's thread, in the order
of the session. An exception out of any of them ends the session at once, without a DELE, and comes out of `collect`
unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from fumibako.services.trouble import Trouble

MIB = 1024 * 1024
SIZE_CAP = 50 * MIB

Judge = Callable[[bytes], bool | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """What the account's settings ask for.

    `size_cap` is in bytes as received; a larger mail stays on the server and is reported to `Keep.cannot_fetch`.
    With `bounce_only`, `is_error_mail` is asked with the first lines of a mail: True surely or likely an error mail,
    False surely not, None undecidable from these lines. None fetches the whole mail and asks `is_whole_error_mail`,
    where only True keeps it; without that second judge the whole mail is kept.
    """

    delete_after_receive: bool = False
    bounce_only: bool = False
    size_cap: int = SIZE_CAP
    is_error_mail: Judge | None = None
    is_whole_error_mail: Judge | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One mail on the server. `number` lives one session, `uidl` names the mail, `size` is only what the server says.

    Where the server has no UIDL, `uidl` is "head." or "whole." and a SHA-256, and `size` may be 0 (not listed).
    `is_duplicate`: another mail of this list carries the same `uidl`.
    """

    number: int
    uidl: str
    size: int = 0
    is_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """One whole mail, byte for byte. `size_listed` is what the server said before."""

    uidl: str
    size_listed: int
    raw: bytes = field(repr=False)
    sha256: str


class Why(StrEnum):
    """Why a mail was not fetched."""

    NOT_AN_ERROR_MAIL = "not_an_error_mail"
    """By rule: the account takes error mails only."""
    TOO_BIG = "too_big"
    """Larger than the rule's cap. Final at once: trying again would only break off the session again."""
    CUT = "cut"
    """The line broke, or the deadline passed, while this mail was coming."""
    REFUSED = "refused"
    """The server said no to RETR."""


class ListFlaw(StrEnum):
    """What was wrong with the server's list. Any of them makes the session one that deletes nothing."""

    DUPLICATE_NUMBER = "duplicate_number"
    BAD_NUMBER = "bad_number"
    BAD_UIDL = "bad_uidl"
    """Empty, longer than 70 characters, or with characters that RFC 1939 §7 does not allow. Not fetched."""
    BAD_LINE = "bad_line"
    COUNT_DIFFERS = "count_differs"
    """UIDL and STAT tell different counts; a mail that arrives between them is not a flaw."""
    CHANGED = "changed"
    """The same numbers meant other mails later in the session."""


class Known(Protocol):
    """What was remembered of this account's mailbox; see `memory` for the decisions behind each answer."""

    def note_list(self, listed: Sequence[Listed], *, is_complete: bool = True) -> None:
        """Take note of the server's list; called once in a session, before the other questions.

        An incomplete list (some lines could not be read, or mails have no name yet) says nothing about what is not in
        it. An empty one alone proves nothing either (`memory.is_believable`).
        """

    def unknown_of(self, listed: Sequence[Listed]) -> Sequence[Listed]:
        """Return what is to be fetched (`memory.is_new`), in the order in which to fetch: failed ones last."""

    def deletable_of(self, listed: Sequence[Listed]) -> Sequence[Listed]:
        """Return what is durably stored and may be deleted (`memory.may_delete`). Asked after everything was kept.

        With `bounce_only` that means error mails only: others may have been stored before the rule was switched on.
        """


class Keep(Protocol):
    """Makes durable what the session found. Every method has committed when it returns."""

    def keep(self, batch: Sequence[Fetched]) -> int:
        """Store whole mails: files synced, rows committed, uid remembered with its hash.

        Bytes that this account already has (same SHA-256) get no second row, only the uid is remembered. Returns how
        many were new. A disk that is full is an exception: nothing was stored, nothing may be deleted.
        """

    def skip(self, listed: Sequence[Listed], why: Why) -> None:
        """Remember mails that the rule leaves on the server."""

    def cannot_fetch(self, listed: Listed, why: Why) -> None:
        """Count a failed try; TOO_BIG, or the third try, sets the mail aside (`memory.after_failure`)."""

    def leaving(self, uidls: Sequence[str]) -> None:
        """Remember, before the first DELE, that these may be gone from now on; if one comes back it is fetched again.

        The answer to QUIT may be lost after the server deleted them, and their uids may be given to other mails.
        """

    def stayed(self, uidls: Sequence[str]) -> None:
        """Remember that these are surely still there: the server refused the DELE, or took it back with RSET."""

    def gone(self, uidls: Sequence[str]) -> None:
        """Remember that the server has deleted these: it said yes to QUIT."""


@dataclass(slots=True)
class Collected:
    """What came of a session; filled while it goes on, so that a broken one still tells what it did.

    listed = known + stored + again + skipped + failed, when the session came to its end. `again_count` were fetched
    and turned out to be stored already: the server had given them other uids.
    """

    trouble: Trouble | None = None
    listed_count: int | None = None
    known_count: int = 0
    stored_count: int = 0
    again_count: int = 0
    skipped_count: int = 0
    failed_count: int = 0
    deleted_count: int = 0
    byte_count: int = 0
    flaws: set[ListFlaw] = field(default_factory=set)
    has_uidl: bool = True

    @property
    def is_renumbered(self) -> bool:
        """Whether the server seems to have given its mails new uids (it was moved, or its index was built again)."""
        return self.again_count >= 10 and self.again_count > self.stored_count
