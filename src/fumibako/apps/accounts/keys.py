"""Changing the key of stored passwords: every sealed value is sealed anew, and the old key goes when nothing needs it.

Killed anywhere, both keys are in the file and every password can be read; the same call finishes the work.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from fumibako import data_folder
from fumibako.apps.audit.actions import record
from fumibako.apps.office.problems import Problem, Refused

from .models import MailAccount
from .secrets import opened, seal

LOCK = "keys.lock"
FIELD = "password"
BATCH = 100
BUSY = "鍵の入れ替えは、ほかで行われています。終わるまで待ってください。"


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many passwords were sealed anew, how many no key opens (they stay as they are), whether it was resumed."""

    sealed_count: int
    unreadable_count: int
    was_resumed: bool


def rotate_keys() -> Rotated:
    """Give every stored password a new key and retire the old one, or finish what an earlier call began.

    Raises Refused while another call is at work, UnsafeFolder when the key file cannot be used.
    """
    with _alone():
        keys = data_folder.read_keys(settings.DATA)
        was_resumed = len(keys) > 1
        if not was_resumed:
            keys = (data_folder.new_key(), *keys)
            # Both are in the file before the first value changes: whoever runs meanwhile reads either.
            data_folder.write_keys(settings.DATA, keys)
        sealed_count = sum(_seal_anew(pks, keys) for pks in _batches())
        with transaction.atomic():
            # Nobody else writes during this: a value sealed meanwhile with the old key is found here.
            sealed_count += _seal_anew(None, keys)
            unreadable_count = sum(opened(keys[0], pk, FIELD, raw) is None for pk, raw in _values(None))
            record(None, "keys.rotated", "office", changes={"sealed": [0, sealed_count]})
            data_folder.write_keys(settings.DATA, keys[:1])
    return Rotated(sealed_count, unreadable_count, was_resumed)


def _seal_anew(pks: list[int] | None, keys: tuple[bytes, ...]) -> int:
    """Seal anew what an older key opens. What none opens is left alone: a password is never blanked."""
    count = 0
    with transaction.atomic():
        for pk, raw in _values(pks):
            if opened(keys[0], pk, FIELD, raw) is not None:
                continue
            found = next((secret for key in keys[1:] if (secret := opened(key, pk, FIELD, raw)) is not None), None)
            if found is not None:
                rows = MailAccount.objects.filter(pk=pk, password_sealed=raw)
                count += rows.update(password_sealed=seal(pk, FIELD, found.reveal()))
    return count


def _values(pks: list[int] | None) -> Iterator[tuple[int, bytes]]:
    rows = MailAccount.objects.filter(password_sealed__isnull=False)
    rows = rows if pks is None else rows.filter(pk__in=pks)
    for pk, raw in rows.values_list("pk", "password_sealed"):
        yield pk, bytes(raw or b"")


def _batches() -> Iterator[list[int]]:
    rows = MailAccount.objects.filter(password_sealed__isnull=False)
    pks = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(pks), BATCH):
        yield pks[start : start + BATCH]


@contextmanager
def _alone() -> Iterator[None]:
    descriptor = os.open(settings.DATA.run / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Refused([Problem("", "", BUSY)]) from None
    finally:
        os.close(descriptor)
