"""One folder of mailboxes that the SMTP side fills and the POP3 side empties.

A mail is a file named by the moment it becomes visible and a serial number, so that an answer which "comes in eight
seconds" is already on disk, and a restart forgets nothing. What was ever accepted stays in a journal of its own.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

JOURNAL = "accepted.jsonl"


@dataclass(frozen=True, slots=True)
class StoredMail:
    """One mail in a mailbox. `uidl` never changes (RFC 1939 §7, UIDL)."""

    uidl: str
    path: Path

    def read(self) -> bytes:
        """The raw mail."""
        return self.path.read_bytes()


class Store:
    """Mailboxes below `folder`. `clock` gives the present as seconds since 1970."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self._boxes = folder / "mailboxes"
        self._boxes.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._guard = threading.Lock()
        self._serial = max((_serial_of(path) for path in self._boxes.glob("*/*.eml")), default=0)
        self._accepted: Counter[str] = Counter()
        self._read_journal(folder / JOURNAL)
        self._journal = (folder / JOURNAL).open("ab", buffering=0)

    def put(self, address: str, raw: bytes, *, delay_seconds: float = 0.0) -> None:
        """Keeps a mail for `address`; it can be fetched after the delay."""
        box = self._box(address)
        with self._guard:
            self._serial += 1
            name = f"{int((self._clock() + delay_seconds) * 1000):013d}-{self._serial:08d}"
        box.mkdir(exist_ok=True)
        draft = box / f"{name}.tmp"
        draft.write_bytes(raw)
        draft.rename(box / f"{name}.eml")

    def accept(self, sender: str, address: str, raw: bytes, message_id: str) -> None:
        """Keeps a mail that came in by SMTP and writes it into the journal."""
        self.put(address, raw)
        self.note_accepted(sender, address, message_id)

    def note_accepted(self, sender: str, address: str, message_id: str) -> None:
        """Counts a mail as accepted by SMTP, whatever becomes of it."""
        entry = {"at": round(self._clock(), 3), "from": sender, "to": address.lower(), "message_id": message_id}
        line = json.dumps(entry, ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n"
        with self._guard:
            self._journal.write(line)
            self._accepted[address.lower()] += 1

    def mails_of(self, address: str) -> list[StoredMail]:
        """What can be fetched now, oldest first."""
        return self._visible(self._box(address))

    def mailbox_of(self, user: str) -> str:
        """The address a POP3 user name means: itself, or the first mailbox with that local part."""
        if "@" in user:
            return user
        names = sorted(path.name for path in self._boxes.glob(quote(user.lower(), safe="") + "%40*"))
        return f"{user}@{names[0].partition('%40')[2]}" if names else user

    def delete(self, mails: list[StoredMail]) -> None:
        """Removes mails for good (RFC 1939 §6, the UPDATE state)."""
        for mail in mails:
            mail.path.unlink(missing_ok=True)

    @property
    def accepted_count(self) -> int:
        """Mails accepted by SMTP since the folder was made, one for each recipient."""
        with self._guard:
            return self._accepted.total()

    def copies_of(self, address: str) -> int:
        """How many mails for `address` were accepted by SMTP since the folder was made."""
        with self._guard:
            return self._accepted[address.lower()]

    def close(self) -> None:
        """Closes the journal."""
        self._journal.close()

    def _box(self, address: str) -> Path:
        return self._boxes / quote(address.lower(), safe="")[:240]

    def _visible(self, box: Path) -> list[StoredMail]:
        now = int(self._clock() * 1000)
        names = sorted(path.stem for path in box.glob("*.eml"))
        return [StoredMail(name, box / f"{name}.eml") for name in names if int(name.partition("-")[0]) <= now]

    def _read_journal(self, path: Path) -> None:
        if not path.exists():
            return
        for line in path.read_bytes().splitlines():
            # A power cut may have left half a line at the end; what it spoke of was never confirmed.
            if line.endswith(b"}"):
                self._accepted[json.loads(line)["to"]] += 1


def _serial_of(path: Path) -> int:
    return int(path.stem.partition("-")[2])
