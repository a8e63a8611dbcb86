"""What may be written into a contact record. Pure: no database, no clock of its own.

A record travels between form, rules and rows as a sheet: text by the keys of `LABELS`, ids for what is chosen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from fumibako.apps.office.problems import Problem
from fumibako.apps.recipients.rules import day_of, moment_of, one_line

from .labels import LABELS

Sheet = dict[str, str]

CHOSEN = (
    "operator",
    "department",
    "person",
    "category1",
    "category2",
    "category3",
    "status1",
    "status2",
    "next_category",
)
"""Items that hold the id of a row, "" for none."""
REQUIRED = {"contacted_at": "V01", "operator": "V02", "department": "V02", "subject": "V01"}
LONGEST_SUBJECT = 500
MOST_MINUTES = 1440 * 7


@dataclass(slots=True)
class Reading:
    """A sheet in the form in which it is stored, and what has to be put right."""

    sheet: Sheet = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read(values: Mapping[str, str], now: datetime) -> Reading:
    """Read the text of a form. Keys missing in `values` stay missing; short dates go by `now`, local time."""
    reading = Reading()
    for key in LABELS:
        if key in values:
            found = _READERS.get(key, _identity)(key, values[key], now)
            if isinstance(found, Problem):
                reading.problems.append(found)
                found = ""
            reading.sheet[key] = found
    return reading


def missing(sheet: Mapping[str, str]) -> list[Problem]:
    """Required items that a whole record lacks."""
    found = []
    for key, identifier in REQUIRED.items():
        if not sheet.get(key):
            doing = "選択" if identifier == "V02" else "入力"
            found.append(Problem(key, identifier, f"{LABELS[key]}を{doing}してください。"))
    if sheet.get("next_category") and not sheet.get("next_on"):
        found.append(Problem("next_on", "V01", "次回対応日を入力してください。次回対応区分だけでは一覧に出せません。"))
    return found


def lines_of(text: str) -> str:
    """Several lines as they are stored: LF, without control characters and blank ends."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(char for char in plain if char in "\n\t" or unicodedata.category(char) != "Cc")
    return kept.strip("\n").rstrip()


_SHORT = re.compile(r"(\d{1,2})\s*[/月-]\s*(\d{1,2})日?|(\d{2})(\d{2})")
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2})|時(?:(\d{1,2})分)?)")


def moment_typed(text: str, now: datetime) -> datetime | None:
    """A moment as people type it: in full, 「1124」, 「11/24 9:30」, or a time of today; without a time zone.

    A day without a year is the last one that has been; a day of the month alone (「5」) is not guessed.
    """
    plain = unicodedata.normalize("NFKC", text).strip().replace("T", " ")
    whole = moment_of(plain)
    if whole is not None:
        return whole if _has_clock(plain) else whole.replace(hour=now.hour, minute=now.minute)
    day_text, _, clock_text = plain.partition(" ")
    day, clock = _short_day(day_text, now.date(), is_past=True), _clock_of(clock_text.strip())
    if day is None and not clock_text:
        day, clock = now.date(), _clock_of(day_text)
        return datetime.combine(day, clock) if clock else None
    if day is None or (clock_text and clock is None):
        return None
    return datetime.combine(day, clock or time(now.hour, now.minute))


def day_typed(text: str, today: date) -> date | None:
    """A day to come as people type it; without a year it is the next one that will be."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return day_of(plain) or _short_day(plain, today, is_past=False)


def _has_clock(plain: str) -> bool:
    return bool(re.search(r"\d[:時]\d", plain))


def _short_day(text: str, today: date, *, is_past: bool) -> date | None:
    match = _SHORT.fullmatch(text)
    if match is None:
        return None
    month, day = int(match[1] or match[3]), int(match[2] or match[4])
    years = (today.year, today.year - 1) if is_past else (today.year, today.year + 1)
    for year in years:
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if (found <= today) == is_past or found == today:
            return found
    return None


def _clock_of(text: str) -> time | None:
    match = _CLOCK.fullmatch(text)
    hour, minute = (int(match[1]), int(match[2] or match[3] or 0)) if match else (24, 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _moment(key: str, text: str, now: datetime) -> str | Problem:
    if not text.strip():
        return ""
    at = moment_typed(text, now)
    if at is None:
        return Problem(key, "P03", f"{LABELS[key]}は「2026/11/24 17:31」の形で入力してください。")
    return f"{at:%Y/%m/%d %H:%M}"


def _day(key: str, text: str, now: datetime) -> str | Problem:
    if not text.strip():
        return ""
    day = day_typed(text, now.date())
    if day is None:
        return Problem(key, "P03", f"{LABELS[key]}は「2026/11/24」の形で入力してください。")
    return f"{day:%Y/%m/%d}"


def _minutes(key: str, text: str, now: datetime) -> str | Problem:
    plain = unicodedata.normalize("NFKC", text).strip().removesuffix("分").strip() or "0"
    if plain.isascii() and plain.isdigit() and int(plain) <= MOST_MINUTES:
        return str(int(plain))
    return Problem(key, "V03", f"{LABELS[key]}は半角の数字で入力してください(0〜{MOST_MINUTES}分)。")


def _subject(key: str, text: str, now: datetime) -> str | Problem:
    plain = one_line(text)
    if len(plain) <= LONGEST_SUBJECT:
        return plain
    words = f"{LABELS[key]}は {LONGEST_SUBJECT}文字以内で入力してください(いまは {len(plain)}文字です)。"
    return Problem(key, "V05", words)


def _lines(key: str, text: str, now: datetime) -> str:
    return lines_of(text)


def _identity(key: str, text: str, now: datetime) -> str | Problem:
    plain = text.strip()
    if not plain or (plain.isascii() and plain.isdigit() and len(plain) < 19):
        return plain
    return Problem(key, "V02", f"{LABELS[key]}を選択してください。")


_READERS = {
    "contacted_at": _moment,
    "minutes": _minutes,
    "subject": _subject,
    "body": _lines,
    "response": _lines,
    "next_on": _day,
}
