"""関連ファイル of a record: kept under their SHA-256 before any row points to them, read back and checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fumibako.apps.office.problems import Problem, Refused
from fumibako.apps.sending.files import keep_file, read_kept_file

from . import labels
from .models import ContactFile, ContactRecord

FILE_OCTETS = 20 * 1024 * 1024
"""All files of one record together."""
MOST_FILES = 20
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody sent in with the form."""

    name: str
    content_type: str
    raw: bytes


def check_files(record: ContactRecord | None, uploads: Iterable[Upload], removed: Iterable[int]) -> list[Problem]:
    """What is wrong with adding these files while those with the ids `removed` go."""
    new, gone = list(uploads), set(removed)
    kept = [one for one in record.files.all() if one.pk not in gone and not one.is_from_mail] if record else []
    found = [Problem("files", "B07", labels.EMPTY_FILE.format(one.name)) for one in new if not one.raw]
    if len(kept) + len(new) > MOST_FILES:
        found.append(Problem("files", "B07", labels.TOO_MANY_FILES.format(MOST_FILES)))
    total = sum(one.size for one in kept) + sum(len(one.raw) for one in new)
    if total > FILE_OCTETS:
        words = labels.FILES_TOO_LARGE.format(FILE_OCTETS // MEGABYTE, -(-total // MEGABYTE))
        found.append(Problem("files", "B06", words))
    return found


def store_files(record: ContactRecord, uploads: Iterable[Upload], removed: Iterable[int]) -> list[str]:
    """Add and take away; returns what changed in words for the audit log. Files of the mail itself stay."""
    changed = []
    for row in record.files.filter(pk__in=list(removed), is_from_mail=False):
        changed.append(f"-{row.name}")
        row.delete()
    for upload in uploads:
        ContactFile.objects.create(
            record=record,
            name=_plain_name(upload.name),
            content_type=upload.content_type[:100],
            size=len(upload.raw),
            sha256=keep_file(upload.raw),
        )
        changed.append(f"+{_plain_name(upload.name)}")
    return changed


def bytes_of(file: ContactFile) -> bytes:
    """The bytes of a file that was added by hand. Raises AttachmentMissing, and Refused for one of the mail's own."""
    if file.is_from_mail:
        raise Refused([Problem("files", "B08", "このファイルは、受信メールの画面から保存してください。")])
    return read_kept_file(file.sha256, file.name)


def _plain_name(name: str) -> str:
    bare = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(char for char in bare if char.isprintable()).strip()
    return seen[-255:] or "file"
