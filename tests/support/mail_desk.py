"""What an office remembers and keeps of its mailbox, as plainly as can be: `Known` and `Keep` on SQLite and files.

Every method has committed when it returns, so a process may be killed at any moment and another one go on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fumibako.services.collecting import memory
from fumibako.services.collecting.memory import Seen, SeenState, SeenTrigger
from fumibako.services.collector import Fetched, Listed, Why
from fumibako.services.mail_store import write_all

_TABLES = """
CREATE TABLE IF NOT EXISTS seen (
    uidl TEXT PRIMARY KEY, state TEXT, size INT, tries INT, sha256 TEXT, why TEXT
);
CREATE TABLE IF NOT EXISTS mail (sha256 TEXT PRIMARY KEY, raw BLOB, path TEXT);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value INT);
"""


class Desk:
    """With `folder`, mails are files, in `store` or there, and the rows a file; without, all of it is in memory."""

    def __init__(self, folder: Path | None = None, *, store: Path | None = None, bounce_only: bool = False) -> None:
        self._folder = store or folder
        self._rows = sqlite3.connect(":memory:" if folder is None else folder / "rows.db", isolation_level=None)
        self._rows.execute("PRAGMA synchronous=FULL")
        self._rows.executescript(_TABLES)
        found = self._rows.execute("SELECT uidl, state, size, tries FROM seen").fetchall()
        self._remembered = {uidl: Seen(SeenState(state), size, tries) for uidl, state, size, tries in found}
        self._hashes = {sha256 for (sha256,) in self._rows.execute("SELECT sha256 FROM mail").fetchall()}
        self.bounce_only = bounce_only
        self.batches: list[int] = []

    @property
    def mails(self) -> list[bytes]:
        """Every mail that has a row, oldest first; read from its file if it has one."""
        found = self._rows.execute("SELECT raw, path FROM mail ORDER BY rowid").fetchall()
        return [raw if path is None else Path(path).read_bytes() for raw, path in found]

    def state_of(self, uidl: str) -> SeenState | None:
        """Where a uid stands."""
        seen = self._seen(uidl)
        return seen.state if seen else None

    def why_of(self, uidl: str) -> str:
        """Why a mail was not fetched."""
        found = self._rows.execute("SELECT why FROM seen WHERE uidl = ?", [uidl]).fetchone()
        return found[0] or "" if found else ""

    def try_again(self, uidl: str) -> None:
        """A person asks for another try."""
        self._turn([uidl], SeenTrigger.TRY_AGAIN)

    def note_list(self, listed: Sequence[Listed], *, is_complete: bool = True) -> None:
        before = self._rows.execute("SELECT value FROM fact WHERE name = 'empty'").fetchone() or (0,)
        empty = 0 if listed or not is_complete else before[0] + 1
        self._rows.execute("INSERT OR REPLACE INTO fact VALUES ('empty', ?)", [empty])
        if is_complete and memory.is_believable(len(listed), before[0]):
            there = {mail.uidl for mail in listed}
            self._turn([uidl for uidl in self._remembered if uidl not in there], SeenTrigger.VANISH)

    def unknown_of(self, listed: Sequence[Listed]) -> Sequence[Listed]:
        new = [m for m in listed if memory.is_new(m, self._seen(m.uidl), bounce_only=self.bounce_only)]
        return sorted(new, key=lambda mail: (self._seen(mail.uidl) or Seen()).try_count)

    def deletable_of(self, listed: Sequence[Listed]) -> Sequence[Listed]:
        return [mail for mail in listed if memory.may_delete(mail, self._seen(mail.uidl))]

    def keep(self, batch: Sequence[Fetched]) -> int:
        self.batches.append(len(batch))
        new = list({mail.sha256: mail for mail in batch if mail.sha256 not in self._hashes}.values())
        self._store(new)
        self._rows.execute("BEGIN IMMEDIATE")
        for mail in new:
            where = (mail.raw, None) if self._folder is None else (None, str(self._path_of(mail)))
            self._rows.execute("INSERT INTO mail VALUES (?, ?, ?)", [mail.sha256, *where])
        for mail in batch:
            seen = replace(self._seen(mail.uidl) or Seen(), size=mail.size_listed, try_count=0)
            self._put(mail.uidl, seen, SeenTrigger.KEEP, sha256=mail.sha256)
        self._rows.execute("COMMIT")
        self._hashes |= {mail.sha256 for mail in new}
        return len(new)

    def skip(self, listed: Sequence[Listed], why: Why) -> None:
        for mail in listed:
            self._put(mail.uidl, self._seen(mail.uidl) or Seen(), SeenTrigger.SKIP, why=why)

    def cannot_fetch(self, listed: Listed, why: Why) -> None:
        seen = self._seen(listed.uidl) or Seen()
        self._put(listed.uidl, replace(seen, try_count=seen.try_count + 1), memory.after_failure(seen, why), why=why)

    def leaving(self, uidls: Sequence[str]) -> None:
        self._turn(uidls, SeenTrigger.LEAVE)

    def stayed(self, uidls: Sequence[str]) -> None:
        self._turn(uidls, SeenTrigger.STAY)

    def gone(self, uidls: Sequence[str]) -> None:
        self._turn(uidls, SeenTrigger.CONFIRM)

    def close(self) -> None:
        """Close the rows."""
        self._rows.close()

    def _store(self, mails: Sequence[Fetched]) -> None:
        if self._folder is not None:
            # A process killed between file and row leaves a file without a row; the next one writes another.
            write_all(
                self._folder, [(self._path_of(mail).name, mail.raw) for mail in mails if not self._is_there(mail)]
            )

    def _is_there(self, mail: Fetched) -> bool:
        return self._path_of(mail).exists()

    def _path_of(self, mail: Fetched) -> Path:
        assert self._folder is not None
        return self._folder / f"{mail.sha256}.eml"

    def _seen(self, uidl: str) -> Seen | None:
        return self._remembered.get(uidl)

    def _turn(self, uidls: Sequence[str], trigger: SeenTrigger) -> None:
        self._rows.execute("BEGIN IMMEDIATE")
        for uidl in uidls:
            self._put(uidl, self._seen(uidl) or Seen(), trigger)
        self._rows.execute("COMMIT")

    def _put(self, uidl: str, seen: Seen, trigger: SeenTrigger, *, sha256: str = "", why: str = "") -> None:
        state = memory.after(seen.state, trigger)
        self._remembered[uidl] = replace(seen, state=state)
        values = [uidl, state, seen.size, seen.try_count, sha256, why]
        self._rows.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?)", values)
