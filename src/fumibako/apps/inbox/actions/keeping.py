"""What one run of receiving remembers and keeps: `Known` and `Keep` of the collector, on files and rows.

A mail is a file first, synced under a name nobody else uses, then a row; only then may it be deleted on the server.
A process that dies between the two leaves a file without a row (`sweeping` judges it), never a row without a file.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import F, Max

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.office.models import Office, Operator
from fumibako.apps.office.queries import office
from fumibako.apps.sending.ledger.moves import one_writer
from fumibako.services.collecting import memory
from fumibako.services.collecting.memory import Seen, SeenState, SeenTrigger
from fumibako.services.collecting.terms import Fetched, Listed, Rule, Why
from fumibako.services.mail_store import write_all

from .. import bulk
from ..models import FetchRun, ReceivedMail, Reception, SeenMail
from ..sort_key import sort_key

ROWS_PER_STATEMENT = 500
BY_RULE = "error_mail"
"""`SeenMail.why` of a mail that エラーメールのみ受信する let through: of those alone may be deleted while it holds."""
ONE_UID = ("account_id", "uidl")
SEEN_COLUMNS = ("uidl", "state", "size", "try_count", "absent_count", "absent_since_at", "why")


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is remembered of one uid, and why."""

    seen: Seen
    why: str = ""


class Mailbox:
    """One account during one run, held by nobody else. Every method that writes has committed when it returns."""

    def __init__(
        self,
        account: MailAccount,
        rule: Rule,
        run: FetchRun,
        operator: Operator | None,
        now: Callable[[], datetime],
    ) -> None:
        self._account = account
        self._rule = rule
        self._run = run
        self._operator = operator
        self._now = now
        self._entries: dict[str, _Entry] = {}
        self.kept_count = 0

    # Known

    def note_list(self, listed: Sequence[Listed], *, is_complete: bool = True) -> None:
        """Write down what is there and, from a complete list, what is not any more."""
        now = self._now()
        self._entries = _entries_of(self._account)
        present = {one.uidl for one in listed}
        with one_writer():
            before = Reception.objects.get_or_create(account=self._account)[0].empty_list_count
            empty_count = before + 1 if is_complete and not listed else 0
            Reception.objects.filter(account=self._account).update(empty_list_count=empty_count)
            self._welcome(listed, now)
            if is_complete and memory.is_believable(len(listed), before):
                self._miss([uidl for uidl in self._entries if uidl not in present], now)
                _forget(self._account, now)

    def unknown_of(self, listed: Sequence[Listed]) -> Sequence[Listed]:
        """What is to be fetched, what failed before last."""
        new = [one for one in listed if memory.is_new(one, self._seen(one.uidl), bounce_only=self._rule.bounce_only)]
        return sorted(new, key=lambda one: seen.try_count if (seen := self._seen(one.uidl)) else 0)

    def deletable_of(self, listed: Sequence[Listed]) -> Sequence[Listed]:
        """What is stored; while only error mails are received, of those alone."""
        stored = [one for one in listed if memory.may_delete(one, self._seen(one.uidl))]
        if not self._rule.bounce_only:
            return stored
        return [one for one in stored if self._entries[one.uidl].why == BY_RULE]

    # Keep

    def keep(self, batch: Sequence[Fetched]) -> int:
        """Files first, then rows and memory in one transaction. Raises OSError when the disk is full."""
        now = self._now()
        new = self._new_among(batch)
        folder = folder_of(self._account, now)
        names = {one.sha256: file_name(one.sha256, now) for one in new}
        if new:
            write_all(folder, [(names[one.sha256], one.raw) for one in new])
        why = BY_RULE if self._rule.bounce_only else ""
        with one_writer():
            relative = folder.relative_to(settings.DATA.mail)
            self._store(new, {sha256: str(relative / name) for sha256, name in names.items()}, now)
            self._remember(_unique(batch), SeenTrigger.KEEP, now, why=why)
        self.kept_count += len(new)
        return len(new)

    def skip(self, listed: Sequence[Listed], why: Why) -> None:
        """Left on the server by rule."""
        with one_writer():
            self._move([(one.uidl, one.size) for one in listed], SeenTrigger.SKIP, str(why), self._now())

    def cannot_fetch(self, listed: Listed, why: Why) -> None:
        """取得不能, for now or for good."""
        seen = self._seen(listed.uidl) or Seen()
        tried = replace(seen, try_count=seen.try_count + 1)
        self._entries[listed.uidl] = _Entry(tried)
        with one_writer():
            self._move([(listed.uidl, listed.size)], memory.after_failure(seen, why), str(why), self._now())

    def leaving(self, uidls: Sequence[str]) -> None:
        """DELE is about to be said."""
        self._turn(uidls, SeenTrigger.LEAVE)

    def stayed(self, uidls: Sequence[str]) -> None:
        """DELE was refused, or taken back."""
        self._turn(uidls, SeenTrigger.STAY)

    def gone(self, uidls: Sequence[str]) -> None:
        """The server said yes to QUIT."""
        self._turn(uidls, SeenTrigger.CONFIRM, gone_at=self._now())

    def _seen(self, uidl: str) -> Seen | None:
        entry = self._entries.get(uidl)
        return entry.seen if entry else None

    def _welcome(self, listed: Sequence[Listed], now: datetime) -> None:
        """Rows for what was never seen, and an end to the absence of what is back."""
        strangers: dict[str, int] = {}
        back = []
        for one in listed:
            entry = self._entries.get(one.uidl)
            if entry is None and one.uidl not in strangers:
                strangers[one.uidl] = one.size
            elif entry is not None and (entry.seen.state is SeenState.GONE or entry.seen.absent_count):
                back.append(one.uidl)
        bulk.insert(self._row(now), ("uidl", "size"), list(strangers.items()), unique=ONE_UID)
        self._entries |= {uidl: _Entry(Seen(size=size)) for uidl, size in strangers.items()}
        self._update(back, absent_count=0, absent_since_at=None, gone_at=None, last_seen_at=now)

    def _miss(self, absent: Sequence[str], now: datetime) -> None:
        # What has been missing often enough is not counted any further: an account that deletes has many of those.
        fresh = [uidl for uidl in absent if self._entries[uidl].seen.absent_count < memory.ABSENT_LISTS]
        first = [uidl for uidl in fresh if self._entries[uidl].seen.absent_since is None]
        self._update(first, absent_since_at=now)
        self._update(fresh, absent_count=F("absent_count") + 1)
        vanished = [uidl for uidl in fresh if self._entries[uidl].seen.state is not SeenState.GONE]
        self._update(vanished, state=SeenState.GONE, gone_at=now)
        for uidl in vanished:
            del self._entries[uidl]

    def _new_among(self, batch: Sequence[Fetched]) -> list[Fetched]:
        by_hash = {one.sha256: one for one in batch}
        mine = ReceivedMail.objects.filter(account=self._account)
        known = {
            sha256
            for chunk in _chunks(list(by_hash))
            for sha256 in mine.filter(raw_sha256__in=chunk).values_list("raw_sha256", flat=True)
        }
        return [one for sha256, one in by_hash.items() if sha256 not in known]

    def _store(self, new: Sequence[Fetched], paths: dict[str, str], now: datetime) -> None:
        if not new:
            return
        Office.objects.select_for_update().filter(pk=office().pk).first()
        last = ReceivedMail.objects.aggregate(last=Max("number"))["last"] or 0
        sample = ReceivedMail(
            account=self._account,
            run=self._run,
            fetched_at=now,
            fetched_by=self._operator,
            fetched_by_name=str(self._operator or "")[:100],
            at=now,
        )
        rows = [
            (number, sort_key(now, number), one.sha256, paths[one.sha256], len(one.raw), one.uidl)
            for number, one in enumerate(new, start=last + 1)
        ]
        bulk.insert(sample, ("number", "sort_key", "raw_sha256", "raw_path", "raw_size", "uidl"), rows)

    def _remember(self, batch: Sequence[Fetched], trigger: SeenTrigger, now: datetime, *, why: str) -> None:
        hashes = {one.sha256 for one in batch}
        mine = ReceivedMail.objects.filter(account=self._account)
        mails = {
            sha256: pk
            for chunk in _chunks(sorted(hashes))
            for sha256, pk in mine.filter(raw_sha256__in=chunk).values_list("raw_sha256", "pk")
        }
        rows = []
        for one in batch:
            state = memory.after((self._seen(one.uidl) or Seen()).state, trigger)
            rows.append((one.uidl, str(state), one.size_listed, one.sha256, mails[one.sha256]))
            self._entries[one.uidl] = _Entry(Seen(state, one.size_listed), why)
        varying = ("uidl", "state", "size", "raw_sha256", "mail_id")
        fresh = ("why", "try_count", "absent_count", "absent_since_at", "gone_at", "last_seen_at")
        bulk.insert(self._row(now, why), varying, rows, unique=ONE_UID, update=(*varying[1:], *fresh))

    def _move(self, found: Sequence[tuple[str, int]], trigger: SeenTrigger, why: str, now: datetime) -> None:
        rows = []
        for uidl, size in dict(found).items():
            seen = self._seen(uidl) or Seen()
            state = memory.after(seen.state, trigger)
            self._entries[uidl] = _Entry(replace(seen, state=state), why)
            if (seen.state, trigger) != (SeenState.SKIPPED, SeenTrigger.SKIP):
                rows.append((uidl, str(state), size, seen.try_count))
        varying = ("uidl", "state", "size", "try_count")
        update = ("state", "why", "try_count", "last_seen_at", "gone_at")
        bulk.insert(self._row(now, why), varying, rows, unique=ONE_UID, update=update)

    def _turn(self, uidls: Sequence[str], trigger: SeenTrigger, **columns: Any) -> None:
        states: dict[SeenState, list[str]] = {}
        for uidl in uidls:
            entry = self._entries.get(uidl, _Entry(Seen()))
            state = memory.after(entry.seen.state, trigger)
            self._entries[uidl] = replace(entry, seen=replace(entry.seen, state=state))
            states.setdefault(state, []).append(uidl)
        with one_writer():
            for state, moved in states.items():
                self._update(moved, state=state, **columns)

    def _row(self, now: datetime, why: str = "") -> SeenMail:
        """What rows of one moment have in common."""
        state = SeenState.WAITING
        return SeenMail(account=self._account, state=state, why=why[:40], first_seen_at=now, last_seen_at=now)

    def _update(self, uidls: Iterable[str], **columns: Any) -> None:
        for chunk in _chunks(list(uidls)):
            SeenMail.objects.filter(account=self._account, uidl__in=chunk).update(**columns)


def folder_of(account: MailAccount, at: datetime) -> Path:
    """Where this month's mail of an account is kept."""
    return Path(settings.DATA.mail) / str(account.account_no) / f"{at:%Y%m}"


def file_name(sha256: str, at: datetime) -> str:
    """A name that nobody else uses: what a killed run left behind is never in the way of the next one."""
    return f"{at:%Y%m%d-%H%M%S}_{sha256[:16]}_{secrets.token_hex(3)}.eml"


def _entries_of(account: MailAccount) -> dict[str, _Entry]:
    rows = SeenMail.objects.filter(account=account).values_list(*SEEN_COLUMNS)
    return {
        uidl: _Entry(Seen(SeenState(state), size, try_count, absent_count, absent_since_at), why)
        for uidl, state, size, try_count, absent_count, absent_since_at, why in rows.iterator(chunk_size=5000)
    }


def _forget(account: MailAccount, now: datetime) -> None:
    """Drop from memory what `memory.may_forget` allows, without fetching the rows."""
    SeenMail.objects.filter(
        account=account,
        state=SeenState.GONE,
        absent_count__gte=memory.ABSENT_LISTS,
        absent_since_at__lte=now - memory.ABSENT_FOR,
    ).delete()


def _unique(batch: Sequence[Fetched]) -> list[Fetched]:
    """One per uid: of two mails under one uid the last is remembered, and both are stored."""
    return list({one.uidl: one for one in batch}.values())


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(items), ROWS_PER_STATEMENT):
        yield items[first : first + ROWS_PER_STATEMENT]
