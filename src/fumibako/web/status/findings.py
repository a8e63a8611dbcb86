"""One line of 動作状況, and the judgements behind the lines as pure functions of facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

MIB = 1024 * 1024
RESERVE_BYTES = 64 * MIB
"""Less than this, and what happened after a dot might not fit (D02)."""
SCARCE_BYTES = 1024 * MIB
WORKER_SILENCE = timedelta(seconds=60)
CLOCK_SLACK = timedelta(minutes=5)
EARLIEST_YEAR = 2026
"""No clock that is right shows less."""


class Level(StrEnum):
    """●正常 ▲注意 ■停止."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


MARKS = {Level.OK: "●正常", Level.WARN: "▲注意", Level.BAD: "■停止"}


@dataclass(frozen=True, slots=True)
class Line:
    """What one thing is like: a stable `key`, its name, a level, a sentence, and what to do ("" when nothing).

    `facts` are figures for monitoring.
    """

    key: str
    name: str
    level: Level
    text: str
    next_step: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """The level in a sign and a word, readable without colour."""
        return MARKS[self.level]


def worst(lines: Sequence[Line]) -> Level:
    """Return the level of the whole."""
    levels = {line.level for line in lines}
    return next((level for level in (Level.BAD, Level.WARN) if level in levels), Level.OK)


def disk_line(free_bytes: int, total_bytes: int) -> Line:
    """空き容量."""
    facts = {"free_bytes": free_bytes, "total_bytes": total_bytes}
    words = f"空きは {free_bytes / MIB / 1024:,.1f}GB です。"
    advice = "不要なファイルを減らすか、ディスクを増やしてください。"
    if free_bytes < RESERVE_BYTES:
        return Line("disk", "空き容量", Level.BAD, f"{words}結果を記録できないため、送信できません。", advice, facts)
    if free_bytes < SCARCE_BYTES:
        return Line("disk", "空き容量", Level.WARN, f"{words}残りが少なくなっています。", advice, facts)
    return Line("disk", "空き容量", Level.OK, words, "", facts)


def worker_line(seen_at: datetime | None, waiting_count: int, now: datetime) -> Line:
    """送信の処理: the last sign of life of any worker, and how many mails wait for one."""
    age = None if seen_at is None else max(timedelta(0), now - seen_at)
    facts = {
        "seen_at": seen_at.isoformat() if seen_at else None,
        "age_seconds": None if age is None else round(age.total_seconds()),
        "waiting_count": waiting_count,
    }
    if age is not None and age <= WORKER_SILENCE:
        return Line("worker", "送信の処理", Level.OK, f"動いています。送信待ちは {waiting_count:,}通です。", "", facts)
    level = Level.BAD if waiting_count else Level.WARN
    text = f"止まっています。{waiting_count:,}通が送信を待っています。" if waiting_count else "止まっています。"
    return Line("worker", "送信の処理", level, text, "「./fumibako serve」で動かしてください。", facts)


def clock_line(now: datetime, latest_record_at: datetime | None) -> Line:
    """時計: nothing on record may lie in the future."""
    facts = {"now": now.isoformat(), "latest_record_at": latest_record_at.isoformat() if latest_record_at else None}
    advice = "このコンピューターの日付と時刻を合わせてください(自動で合わせる設定をすすめます)。"
    if now.year < EARLIEST_YEAR:
        return Line("clock", "時計", Level.BAD, f"日付が {now:%Y/%m/%d} です。正しくありません。", advice, facts)
    if latest_record_at is not None and latest_record_at - now > CLOCK_SLACK:
        return Line("clock", "時計", Level.WARN, "記録より時計が遅れています。", advice, facts)
    return Line("clock", "時計", Level.OK, "ずれは見つかりません。", "", facts)


def folder_line(mode: int, path: str) -> Line:
    """置き場所: who may read the data folder (X48)."""
    facts = {"mode": f"{mode & 0o777:o}"}
    advice = f"「chmod 700 {path}」を実行してください。"
    if mode & 0o007:
        return Line("folder", "データの置き場所", Level.BAD, "ほかの利用者が読めます。", advice, facts)
    if mode & 0o070:
        return Line("folder", "データの置き場所", Level.WARN, "同じグループの利用者が読めます。", advice, facts)
    return Line("folder", "データの置き場所", Level.OK, "この利用者だけが読めます。", "", facts)


def key_line(trouble: str) -> Line:
    """鍵: `trouble` says why it cannot be used, "" when it can."""
    if trouble:
        return Line("key", "鍵ファイル", Level.BAD, trouble, "直すまで、パスワードを読み書きできません。")
    return Line("key", "鍵ファイル", Level.OK, "この利用者だけが読めます。")


def database_line(title: str, problems: Sequence[str], damage: str, facts: dict[str, Any]) -> Line:
    """データベース: does it keep what it says it has kept, and is it whole."""
    if damage:
        advice = "データの置き場所をそのまま写してから、控え(backups フォルダー)に戻してください。"
        return Line("database", "データベース", Level.BAD, f"壊れています({damage})。", advice, facts)
    if problems:
        advice = " ".join(problems[1:]) or "設定を元に戻して、「./fumibako serve」で動かし直してください。"
        return Line("database", "データベース", Level.BAD, f"{title}。{problems[0]}", advice, facts)
    return Line("database", "データベース", Level.OK, f"{title}。記録は停電でも失われない設定です。", "", facts)


def schema_line(pending_count: int, unknown_count: int) -> Line:
    """版: code and tables belong together."""
    facts = {"pending_count": pending_count, "unknown_count": unknown_count}
    if unknown_count:
        text, advice = "新しい版のふみばこのデータです。", "新しい版のふみばこで開いてください。"
        return Line("schema", "データの版", Level.BAD, text, advice, facts)
    if pending_count:
        text, advice = "この版に合わせる必要があります。", "「./fumibako serve」が、控えを取ってから合わせます。"
        return Line("schema", "データの版", Level.WARN, text, advice, facts)
    return Line("schema", "データの版", Level.OK, "この版と合っています。", "", facts)
