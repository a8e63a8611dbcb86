"""The readable copies in the configured folder (メール保存先): planned when a mail was read, made and made again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Q, QuerySet

from fumibako.apps.office.models import Office
from fumibako.services.mail_store import copy_to_share, file_name_of

from .models import ReceivedMail, ShareCopy

AT_ONCE = 200
"""Copies made in one round."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)


def plan_copies(mails: Sequence[ReceivedMail], office: Office) -> None:
    """Fix where the copy of each mail goes. Call inside the transaction of the reading; no folder set: none."""
    if not office.mail_share_root:
        return
    rows = [ShareCopy(mail=mail, root=office.mail_share_root, path=_path_of(mail)) for mail in mails]
    ShareCopy.objects.bulk_create(rows, batch_size=100, ignore_conflicts=True)


def has_due_copies(now: datetime) -> bool:
    """Whether `make_due_copies` would find something."""
    return _due(now).exists()


def make_due_copies(now: datetime) -> int:
    """Make the copies that are due; return how many. The first one that fails ends the round: the folder is away."""
    made_count = 0
    for copy in _due(now).select_related("mail").order_by("mail")[:AT_ONCE]:
        try:
            raw = (settings.DATA.mail / copy.mail.raw_path).read_bytes()
        except OSError as trouble:
            _postpone(copy, str(trouble.strerror), now)
            continue
        result = copy_to_share(Path(copy.root), copy.path, raw)
        if not result.is_ok:
            _postpone(copy, result.error, now)
            ShareCopy.objects.filter(root=copy.root, done_at=None).update(next_try_at=copy.next_try_at)
            break
        columns = {"path": result.path or copy.path, "done_at": now, "next_try_at": None, "trouble": ""}
        ShareCopy.objects.filter(pk=copy.pk).update(**columns)
        made_count += 1
    return made_count


def _due(now: datetime) -> QuerySet[ShareCopy, ShareCopy]:
    return ShareCopy.objects.filter(Q(next_try_at=None) | Q(next_try_at__lte=now), done_at=None)


def _postpone(copy: ShareCopy, trouble: str, now: datetime) -> None:
    copy.try_count += 1
    copy.next_try_at = now + min(FIRST_WAIT * 2 ** min(copy.try_count - 1, 10), LONGEST_WAIT)
    copy.trouble = trouble[:200]
    copy.save(update_fields=["try_count", "next_try_at", "trouble"])


def _path_of(mail: ReceivedMail) -> str:
    folder = mail.account.store_path.strip("/") or str(mail.account.account_no)
    return f"{folder}/{file_name_of(mail.number, mail.at, mail.subject)}"
