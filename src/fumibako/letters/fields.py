"""The catalogue of merge fields: which names a letter may use, and for which kinds of people each one has a value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

STAFF: Final = "staff"
CLIENT: Final = "client"
APPLICANT: Final = "applicant"
KINDS: Final = frozenset((STAFF, CLIENT, APPLICANT))


@dataclass(frozen=True, slots=True)
class Field:
    """One merge field. `sample` is shown where no person has been chosen yet."""

    name: str
    kinds: frozenset[str]
    sample: str


def _fields(kinds: frozenset[str], samples: dict[str, str]) -> tuple[Field, ...]:
    return tuple(Field(name, kinds, sample) for name, sample in samples.items())


FIELDS: Final[tuple[Field, ...]] = (
    *_fields(
        KINDS,
        {
            "氏名": "見本 花子",
            "姓": "見本",
            "名": "花子",
            "カナ": "ミホン ハナコ",
            "メールアドレス": "hanako@example.jp",
            "本日": "2026年4月1日",
            "送信者名": "見本スタッフ株式会社",
            "担当者名": "見本 太郎",
        },
    ),
    *_fields(
        frozenset((STAFF,)),
        {"スタッフNO": "000123", "所属部門": "東京支店", "就業ステータス": "就業中"},
    ),
    *_fields(
        frozenset((CLIENT,)),
        {"得意先NO": "000123-001", "得意先名": "見本商事株式会社", "部署": "総務部", "役職": "課長"},
    ),
    *_fields(
        frozenset((APPLICANT,)),
        {
            "応募者NO": "000123",
            "応募日": "2026年3月20日",
            "面接日時": "2026年4月3日 14:00",
            "面接会場": "東京支店 3階",
            "採用ステータス": "面接予定",
        },
    ),
)
"""Every field, in the order in which the buttons show them."""

ALL_FIELDS: Final = frozenset(field.name for field in FIELDS)
SAMPLE_VALUES: Final[dict[str, str]] = {field.name: field.sample for field in FIELDS}


def fields_for(kinds: Collection[str]) -> frozenset[str]:
    """Names that have a value for at least one of these kinds of people; no kind named means every field.

    In a job with several kinds, a field that one kind lacks counts as empty for those people.
    """
    wanted = frozenset(kinds)
    if not wanted <= KINDS:
        raise ValueError(f"unknown kind of person: {sorted(wanted - KINDS)}")
    return frozenset(field.name for field in FIELDS if not wanted or field.kinds & wanted)
