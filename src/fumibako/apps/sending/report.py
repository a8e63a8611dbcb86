"""書き出し: the rows of a job as CSV, safe to open in a spreadsheet (X23), in UTF-8 or Shift_JIS."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

from django.db.models import QuerySet
from django.utils import timezone

from fumibako.apps.sending.labels import (
    EXCLUSIONS,
    PARTY_KINDS,
    REPORT_COLUMNS,
    REPORT_EXCLUSION_COLUMNS,
    delivery_state_text,
    exclusion_text,
)
from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.apps.sending.queries import explanation_of, filtered
from fumibako.apps.sending.selection import judged_rows
from fumibako.delivery.states import State

FileCharset = Literal["utf-8", "shift_jis"]

PAGE = 1000

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
_GETA = "〓"
"""What stands in Shift_JIS for a character it lacks: visible, never silent."""


def result_csv(job: BulkSend, filters: Mapping[str, str], charset: FileCharset = "utf-8") -> Iterator[bytes]:
    """The rows of a job that `filters` ask for (see queries.filtered), line by line, exclusions with their reason."""
    rows = in_pages(filtered(job, filters))
    return _lines(REPORT_COLUMNS, (_result_row(row) for row in rows), charset)


def in_pages(rows: QuerySet[Delivery, Delivery]) -> Iterator[Delivery]:
    """The rows of one job in the order of its list, page by page, each page a finished query.

    An open query would keep every writer waiting for as long as whoever reads this takes (D07).
    """
    seen = 0
    while page := list(rows.filter(seq__gt=seen).order_by("seq")[:PAGE]):
        yield from page
        seen = page[-1].seq


def exclusions_csv(job: BulkSend, charset: FileCharset = "utf-8") -> Iterator[bytes]:
    """送信しない宛先 of a draft (judged now) or of a job (as frozen)."""
    return _lines(REPORT_EXCLUSION_COLUMNS, _exclusions(job), charset)


def _exclusions(job: BulkSend) -> Iterator[Sequence[str]]:
    if job.approved_at is None:
        for judged in judged_rows(job):
            one = judged.candidate
            if judged.reason:
                kind = PARTY_KINDS.get(one.kind, one.kind)
                yield kind, one.number, one.name, one.address or "", exclusion_text(judged.reason)
        return
    for row in in_pages(job.deliveries.filter(state=State.SUPPRESSED)):
        kind = PARTY_KINDS.get(row.party_kind, row.party_kind)
        yield kind, row.party_number, row.party_name, row.address, exclusion_text(row.exclusion)


def _result_row(row: Delivery) -> Sequence[str]:
    is_trouble = row.state in (State.FAILED, State.BOUNCED, State.UNKNOWN)
    answer = " ".join(part for part in (str(row.code or ""), row.enhanced, row.text) if part)
    return (
        str(row.job.number),
        str(row.seq),
        PARTY_KINDS.get(row.party_kind, row.party_kind),
        row.party_number,
        row.party_name,
        row.address,
        delivery_state_text(row.state),
        EXCLUSIONS.get(row.exclusion, row.exclusion) or (explanation_of(row).text if is_trouble else ""),
        answer,
        _moment(row.sent_at),
        _moment(row.changed_at),
        str(row.attempt),
        row.charset,
        f"<{row.message_id}>" if row.message_id else "",
    )


def _moment(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%Y/%m/%d %H:%M:%S}" if at else ""


def _lines(heads: Sequence[str], rows: Iterable[Sequence[str]], charset: FileCharset) -> Iterator[bytes]:
    if charset == "utf-8":
        yield b"\xef\xbb\xbf"
    yield _encoded(_line(heads), charset)
    for row in rows:
        yield _encoded(_line(row), charset)


def _line(cells: Sequence[str]) -> str:
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n").writerow([guarded(cell) for cell in cells])
    return target.getvalue()


def guarded(cell: str) -> str:
    """The cell with `'` before anything a spreadsheet would take for a formula (OWASP ASVS 1.2.10)."""
    looked_at = cell.lstrip(" \u3000\"'")
    return f"'{cell}" if looked_at.startswith(_STARTS_FORMULA) or cell.startswith(_STARTS_FORMULA) else cell


def _encoded(line: str, charset: FileCharset) -> bytes:
    if charset == "utf-8":
        return line.encode("utf-8")
    try:
        return line.encode("cp932")
    except UnicodeEncodeError:
        return "".join(char if _fits(char) else _GETA for char in line).encode("cp932")


def _fits(char: str) -> bool:
    try:
        char.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True
