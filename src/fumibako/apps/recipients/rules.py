"""What may be written into a person's record, and who may be mailed. Pure: no database, no clock."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from fumibako.apps.office.problems import Problem
from fumibako.mime.addresses import address_key, judge, tidy

from .fields import NAME, Field, Form
from .models import PartyAddress, Recipient

SLOTS = (1, 2)
CANNOT, DO_NOT, SEND = PartyAddress.Flag.CANNOT.value, PartyAddress.Flag.DO_NOT.value, PartyAddress.Flag.SEND.value

Sheet = dict[str, str]


def exclusion_of(flag: str, kind: str, *, allow_do_not_send: bool, is_opted_out: bool) -> str:
    """Why an address may not be mailed: "cannot", "opt_out", "do_not", or "" when it may.

    SPEC §0 fact 3: account option ⑨ (`allow_do_not_send`) lifts only 送らない, only for staff, and never an opt-out.
    """
    if flag == CANNOT:
        return "cannot"
    if is_opted_out:
        return "opt_out"
    if flag == DO_NOT and not (allow_do_not_send and kind == Recipient.Kind.STAFF):
        return "do_not"
    return ""


@dataclass(frozen=True, slots=True)
class Directory:
    """What names stand for: 部門 (by name or code → code) and 担当者 (by 利用者ID or name → 利用者ID)."""

    departments: Mapping[str, str] = field(default_factory=dict)
    operators: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """A sheet made ready for storing, what is wrong with it, and what was put right on the way."""

    sheet: Sheet
    problems: list[Problem]
    notes: list[Problem]


def read(fields: Iterable[Field], values: Mapping[str, str], directory: Directory) -> Reading:
    """Read the text of a form or a row of a file. Keys missing in `values` stay missing in the sheet."""
    reading = Reading({}, [], [])
    for item in fields:
        if item.key in values and item.is_imported:
            _read_item(item, values[item.key], directory, reading)
    for slot in SLOTS:
        _check_pair(slot, reading)
    left, registered = reading.sheet.get("left_on", ""), reading.sheet.get("registered_on", "")
    if left and registered and left < registered:
        text = f"退職日は、登録日({registered})より後の日付を入力してください。"
        reading.problems.append(Problem("left_on", "P02", text))
    return reading


def missing(fields: Iterable[Field], sheet: Mapping[str, str]) -> list[Problem]:
    """Required items that a whole record lacks (V01, V02)."""
    found = []
    for item in fields:
        if item.is_required and not sheet.get(item.key):
            is_choice = item.form in (Form.CHOICE, Form.DEPARTMENT)
            doing = "選択" if is_choice else "入力"
            found.append(Problem(item.key, "V02" if is_choice else "V01", f"{item.label}を{doing}してください。"))
    return found


def split_name(values: Mapping[str, str]) -> Sheet:
    """Replace one column 氏名 by family and given name, parted at the first blank."""
    sheet = dict(values)
    if NAME in sheet:
        parts = one_line(sheet.pop(NAME)).split(" ", 1)
        sheet["family_name"] = parts[0]
        sheet["given_name"] = parts[1] if len(parts) > 1 else ""
    return sheet


def one_line(text: str) -> str:
    """Text on one line: blanks of every kind become one, what cannot be seen goes. Letters such as 髙 and 﨑 stay."""
    spaced = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp", "Zs") else char for char in text)
    return " ".join("".join(char for char in spaced if char not in "\u200b\u2060\ufeff").split())


def _lines(text: str) -> str:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(char for char in plain if char in "\n\t" or unicodedata.category(char) != "Cc")
    return kept.strip("\n").rstrip()


def _read_item(item: Field, raw: str, directory: Directory, reading: Reading) -> None:
    reader = _READERS.get(item.form)
    text = _lines(raw) if item.form is Form.LINES else one_line(raw)
    if item.key in ("kana", "company_kana"):
        text = kana_of(text)
    if reader is not None and text:
        found = reader(item, text, directory)
        if isinstance(found, Problem):
            reading.problems.append(found)
        elif found != text and item.form in (Form.NUMBER, Form.ADDRESS) and _was_wide(text):
            reading.notes.append(Problem(item.key, "N10", f"{item.label}の全角を半角に直しました。"))
        text = found if isinstance(found, str) else text
    elif item.key == "sort_order":
        text = "0"
    if item.limit and len(text) > item.limit:
        text_of_problem = f"{item.label}は {item.limit}文字以内で入力してください(いまは {len(text)}文字です)。"
        reading.problems.append(Problem(item.key, "V05", text_of_problem))
    reading.sheet[item.key] = text


def _was_wide(text: str) -> bool:
    return unicodedata.normalize("NFKC", text) != text


def kana_of(text: str) -> str:
    """カナ as we keep it: half-width and hiragana become full-width katakana."""
    wide = unicodedata.normalize("NFKC", text)
    return "".join(chr(ord(char) + 0x60) if "ぁ" <= char <= "ゖ" else char for char in wide)


def _number(item: Field, text: str, directory: Directory) -> str | Problem:
    plain = unicodedata.normalize("NFKC", text).replace(" ", "").upper()
    if item.key == "number" and item.limit != 6:
        return (
            plain
            if re.fullmatch(r"[A-Z0-9-]+", plain)
            else Problem(item.key, "P07", f"{item.label}は半角の英数字で入力してください(例:A0412)。")
        )
    if not (plain.isascii() and plain.isdigit() and len(plain) <= item.limit):
        return Problem(item.key, "P07", f"{item.label}は {item.limit}桁までの半角の数字で入力してください。")
    return plain.zfill(2 if item.key == "contact_no" else item.limit)


def _count(item: Field, text: str, directory: Directory) -> str | Problem:
    plain = unicodedata.normalize("NFKC", text)
    if re.fullmatch(r"[0-9]{1,6}", plain):
        return str(int(plain))
    return Problem(item.key, "P08", f"{item.label}は半角の数字で入力してください。")


_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})日?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME = re.compile(r"(\d{1,2})[:時](\d{2})(?::\d{2})?分?")


def day_of(text: str) -> date | None:
    """2026/4/1, 2026-04-01, 2026年4月1日, 20260401, with or without a time after it; None when it is no day."""
    plain = unicodedata.normalize("NFKC", text).strip()
    match = _DATE.match(plain) or _COMPACT.fullmatch(plain)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def moment_of(text: str) -> datetime | None:
    """A day and a time of day (midnight when none is given), without a time zone."""
    plain = unicodedata.normalize("NFKC", text).strip()
    day, match = day_of(plain), _DATE.match(plain)
    rest = plain[match.end() :].strip(" T") if match else ""
    if day is None or not rest:
        return datetime(day.year, day.month, day.day) if day else None  # noqa: DTZ001 (local wall time)
    clock = _TIME.fullmatch(rest)
    if clock is None or int(clock[1]) > 23 or int(clock[2]) > 59:
        return None
    return datetime(day.year, day.month, day.day, int(clock[1]), int(clock[2]))  # noqa: DTZ001 (local wall time)


def _day(item: Field, text: str, directory: Directory) -> str | Problem:
    day = day_of(text)
    if day is None:
        return Problem(item.key, "P03", f"{item.label}は「2026/04/01」の形で入力してください。")
    return f"{day:%Y/%m/%d}"


def _moment(item: Field, text: str, directory: Directory) -> str | Problem:
    at = moment_of(text)
    if at is None:
        return Problem(item.key, "P03", f"{item.label}は「2026/04/01 10:30」の形で入力してください。")
    return f"{at:%Y/%m/%d %H:%M}"


def _choice(item: Field, text: str, directory: Directory) -> str | Problem:
    if text in item.words:
        return text
    for word, label in item.words.items():
        if label == text:
            return word
    names = "・".join(item.words.values())
    return Problem(item.key, "P04", f"{item.label}「{text}」はありません。{names}のどれかにしてください。")


def _department(item: Field, text: str, directory: Directory) -> str | Problem:
    if text in directory.departments:
        return directory.departments[text]
    return Problem(item.key, "P05", f"{item.label}「{text}」はありません。登録済みの部門の名前かコードにしてください。")


def _operator(item: Field, text: str, directory: Directory) -> str | Problem:
    if text in directory.operators:
        return directory.operators[text]
    return Problem(item.key, "P05", f"{item.label}「{text}」はありません。利用者IDか、利用者の名前にしてください。")


def _yes_no(item: Field, text: str, directory: Directory) -> str | Problem:
    plain = unicodedata.normalize("NFKC", text).lower()
    if plain in ("1", "on", "true", "yes", "○", "はい", "表示しない"):
        return "1"
    if plain in ("0", "off", "false", "no", "×", "いいえ", "表示する"):
        return ""
    return Problem(item.key, "P04", f"{item.label}は「はい」か「いいえ」にしてください。")


def _address(item: Field, text: str, directory: Directory) -> str | Problem:
    address = tidy(text)
    if judge(address, allow_non_rfc=True).is_accepted:
        return address
    return Problem(item.key, "V04", f"{item.label}は「名前@会社名.co.jp」の形で入力してください。")


_READERS: dict[Form, Callable[[Field, str, Directory], str | Problem]] = {
    Form.NUMBER: _number,
    Form.COUNT: _count,
    Form.DATE: _day,
    Form.MOMENT: _moment,
    Form.CHOICE: _choice,
    Form.DEPARTMENT: _department,
    Form.OPERATOR: _operator,
    Form.YES_NO: _yes_no,
    Form.ADDRESS: _address,
}


def is_unusual(address: str) -> bool:
    """Outside the RFC, yet deliverable when quoted: told to the person who types it, never refused."""
    return bool(address) and not judge(address, allow_non_rfc=False).is_accepted


def _check_pair(slot: int, reading: Reading) -> None:
    key = f"address{slot}"
    address = reading.sheet.get(key, "")
    is_bad = any(problem.field == key for problem in reading.problems)
    if address and not is_bad and is_unusual(address):
        text = 'RFCに準拠していない形式です。設定により " " で囲んで送ります。'
        reading.notes.append(Problem(key, "N11", text))
    other = reading.sheet.get("address1", "")
    if slot == 2 and address and address_key(address) == address_key(other):
        text = "メールアドレス2が、メールアドレス1と同じです。1回の送信では、同じアドレスに 1通だけ送ります。"
        reading.notes.append(Problem(key, "N12", text))


def flag_problems(sheet: Mapping[str, str], stored: Mapping[str, str] | None) -> list[Problem]:
    """送れない by hand and 送れない → 送る each need a reason that was given for this change."""
    found = []
    before = stored or {}
    for slot in SLOTS:
        key, reason_key = f"flag{slot}", f"flag_reason{slot}"
        old, new = before.get(key, SEND) or SEND, sheet.get(key, SEND) or SEND
        if not sheet.get(f"address{slot}") or old == new or CANNOT not in (old, new):
            continue
        if is_new_address(sheet, before, slot) and new != CANNOT:
            continue
        reason = sheet.get(reason_key, "")
        if not reason or (old == CANNOT and reason == before.get(reason_key, "")):
            doing = "を「送れない」にする" if new == CANNOT else "の「送れない」をやめる"
            found.append(Problem(reason_key, "P06", f"メールアドレス{slot}{doing}理由を入力してください。"))
    return found


def is_new_address(sheet: Mapping[str, str], stored: Mapping[str, str], slot: int) -> bool:
    """True when the mailbox of this slot is another one than before, whatever the spelling."""
    key = f"address{slot}"
    return address_key(sheet.get(key, "")) != address_key(stored.get(key, ""))
