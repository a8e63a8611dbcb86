"""書き出す: contact records as CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from django.db.models import QuerySet
from django.utils import timezone

from fumibako.apps.office.problems import Problem, Refused
from fumibako.apps.recipients.guarding import guard

from .models import ContactRecord
from .people import label_of, place_of

ENCODINGS = {"utf-8-sig": "UTF-8", "cp932": "Shift_JIS"}
HEADINGS = (
    "連絡NO",
    "連絡日",
    "連絡時間",
    "対応者",
    "連絡部門",
    "相手",
    "相手の所属",
    "連絡区分1",
    "連絡区分2",
    "連絡区分3",
    "連絡ステータス1",
    "連絡ステータス2",
    "件名",
    "連絡内容",
    "対応内容",
    "次回対応日",
    "次回対応区分",
    "次回対応済み",
    "受信管理NO",
)
PART = 1_000


def export_csv(found: QuerySet[ContactRecord], *, encoding: str = "utf-8-sig") -> Iterator[bytes]:
    """The records in the order of `found`, headings first, in pieces.

    Raises Refused when Shift_JIS ("cp932") is wanted and a record has a letter that it lacks.
    """
    yield _written([HEADINGS]).encode(encoding)
    part: list[Sequence[str]] = []
    for record in in_pages(found):
        part.append([guard(cell) for cell in _cells(record)])
        if len(part) == PART:
            yield _lines(part, encoding)
            part = []
    if part:
        yield _lines(part, encoding)


def in_pages(found: QuerySet[ContactRecord]) -> Iterator[ContactRecord]:
    """The records in the order of `found` as it stands now, page by page, each page a finished query.

    An open query would keep every writer waiting for as long as whoever reads this takes (D07).
    """
    ids = list(found.values_list("pk", flat=True))
    for start in range(0, len(ids), PART):
        wanted = ids[start : start + PART]
        page = {record.pk: record for record in found.order_by().filter(pk__in=wanted)}
        yield from (page[pk] for pk in wanted if pk in page)


def _cells(record: ContactRecord) -> list[str]:
    person = record.recipient
    return [
        record.full_number,
        f"{timezone.localtime(record.contacted_at):%Y/%m/%d %H:%M}",
        str(record.minutes),
        record.operator_name,
        record.department.name,
        label_of(person) if person else record.party,
        place_of(person) if person else "",
        *(str(each or "") for each in (record.category1, record.category2, record.category3)),
        *(str(each or "") for each in (record.status1, record.status2)),
        record.subject,
        record.body,
        record.response,
        f"{record.next_on:%Y/%m/%d}" if record.next_on else "",
        str(record.next_category or ""),
        f"{timezone.localtime(record.next_done_at):%Y/%m/%d %H:%M}" if record.next_done_at else "",
        str(record.mail.number) if record.mail else "",
    ]


def _lines(rows: Sequence[Sequence[str]], encoding: str) -> bytes:
    # Only the first line of a file carries the mark of UTF-8.
    try:
        return _written(rows).encode("utf-8" if encoding == "utf-8-sig" else encoding)
    except UnicodeEncodeError as error:
        letter = str(error.object)[error.start]
        text = f"「{letter}」は Shift_JIS では書き出せません。文字コードは「UTF-8」を選んでください。"
        raise Refused([Problem("encoding", "X01", text)]) from None


def _written(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
