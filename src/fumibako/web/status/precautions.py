"""Judgements about what protects an installation: holds, backups, keys, who can read what; facts in, lines out."""

from __future__ import annotations

from datetime import datetime, timedelta

from fumibako.sqlite_engine import Engine
from fumibako.web.status.findings import MIB, Level, Line

BACKUP_AGE = timedelta(days=7)
OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 35)
LONG_LOG_BYTES = 512 * MIB

HOLD_WORDS = {
    "restored": "復元したデータです。",
    "restoring": "復元が途中で止まっています。",
    "behind": "復元を検知しました。データベースが、いちばん新しい記録より古いものです。",
    "ahead": "データベースの来歴を確かめるファイルがないか、データベースより古いものです。",
    "foreign": "ほかのふみばこのデータベースです。",
    "elsewhere": "複製を検知しました。ほかのコンピューターか、ほかの場所から写したデータです。",
}
HOLD_EFFECT = "送信も受信もしていません。"
HOLD_ADVICE = (
    "元のふみばこが動いていないことを確かめて、管理者が、この画面の「送信と受信を始める」か"
    "「./fumibako release」で解除してください。"
)
START_AGAIN = "「./fumibako serve」で動かし直してください。"
RESTORE_AGAIN = "もう一度「./fumibako restore FILE」を実行してください。"
BACKUP_ADVICE = "「./fumibako backup FILE」で、ほかのディスクに控えを作ってください。"


def hold_line(why: str) -> Line:
    """送信と受信: is this a restored or copied data folder (D18, D19)."""
    name, facts = "送信と受信の許可", {"hold": why}
    if not why:
        return Line("hold", name, Level.OK, "この場所で続けて使われているデータです。", "", facts)
    advice = RESTORE_AGAIN if why == "restoring" else HOLD_ADVICE
    return Line("hold", name, Level.BAD, f"{HOLD_WORDS.get(why, why)}{HOLD_EFFECT}", advice, facts)


def backup_line(latest_at: datetime | None, first_used_at: datetime | None, now: datetime) -> Line:
    """控え: is there one, and how old. A place in use for less than a week needs none yet."""
    facts = {"latest_at": latest_at.isoformat() if latest_at else None}
    if latest_at is not None and now - latest_at > BACKUP_AGE:
        words = f"最後の控えは {(now - latest_at).days}日前です。"
        return Line("backup", "控え", Level.WARN, words, BACKUP_ADVICE, facts)
    if latest_at is not None:
        return Line("backup", "控え", Level.OK, "1週間以内の控えがあります。", "", facts)
    if first_used_at is not None and now - first_used_at > BACKUP_AGE:
        return Line("backup", "控え", Level.WARN, "控えが 1つもありません。", BACKUP_ADVICE, facts)
    return Line("backup", "控え", Level.OK, "使い始めたばかりです。1週間に一度は控えを作ってください。", "", facts)


def key_change_line(key_count: int) -> Line | None:
    """鍵の入れ替え: only while it is unfinished (D21)."""
    if key_count < 2:
        return None
    words = "鍵の入れ替えが途中です。パスワードは、どちらの鍵でも読めます。"
    return Line(
        "key_change", "鍵の入れ替え", Level.WARN, words, "もう一度「./fumibako keys rotate」を実行してください。"
    )


def database_file_line(folder_mode: int, mode: int | None, path: str) -> Line | None:
    """データベースのファイル: only when the folder lets others in and the file lets them read."""
    if mode is None or not folder_mode & mode & 0o077:
        return None
    level = Level.BAD if folder_mode & mode & 0o007 else Level.WARN
    advice = f"「chmod go-rwx {path}」を実行してください。"
    return Line("database_file", "データベースのファイル", level, "ほかの利用者が読めます。", advice)


def log_line(byte_count: int) -> Line | None:
    """データベースの記録ファイル: only when somebody has kept it from being emptied for a long time (D07)."""
    if byte_count < LONG_LOG_BYTES:
        return None
    words = f"書き込みの記録(fumibako.sqlite3-wal)が {byte_count // MIB:,}MB あります。空になるのを何かが妨げています。"
    advice = "データベースを開いたままのほかのプログラムを閉じてください。"
    return Line("database_log", "データベースの記録", Level.WARN, words, advice, {"byte_count": byte_count})


def engine_words(engine: Engine) -> str:
    """Which SQLite it is, and what that means for speed."""
    version = ".".join(map(str, engine.version))
    origin = "ふみばこに付属" if engine.is_bundled else "この Python のもの"
    pace = "" if engine.journal_mode == "wal" else "。古いため、送信が遅くなります"
    return f"SQLite {version}({origin}){pace}"


def share_line(root: str, mode: int | None) -> Line | None:
    """メール保存先: is the shared folder there, and is it open to everybody on this computer."""
    if not root:
        return None
    if mode is None:
        words = f"{root} がありません。受信したメールの写しは、あとで作ります。"
        return Line("share", "メール保存先", Level.WARN, words, "共有フォルダーにつながっているか確かめてください。")
    if mode & 0o007:
        words = f"{root} を、このコンピューターの利用者ならだれでも読めます。"
        return Line("share", "メール保存先", Level.WARN, words, "読める人をグループで限ってください。")
    return Line("share", "メール保存先", Level.OK, f"{root} に写しを置きます。")


def exposure_line(hosts: list[str], *, is_debug: bool, is_behind_tls: bool) -> Line:
    """画面の公開: by which names others may come, and whether anything is shown to them that must not be."""
    name, facts = "画面の公開", {"hosts": hosts, "debug": is_debug, "tls": is_behind_tls}
    others = [host for host in hosts if host not in ("localhost", "127.0.0.1", "[::1]")]
    if is_debug:
        advice = "設定の DEBUG を False に戻してください。"
        return Line("exposure", name, Level.BAD, "デバッグ表示が有効です。内部の情報が画面に出ます。", advice, facts)
    if "*" in others:
        advice = "FUMIBAKO_HOSTS に、このコンピューターの名前だけを指定してください。"
        return Line("exposure", name, Level.BAD, "どの名前でも画面を開けます。", advice, facts)
    if others and not is_behind_tls:
        advice = "TLS の中継を置き、FUMIBAKO_ORIGINS=https://… を指定してください。"
        words = "ほかのコンピューターから、暗号化なしで開けます。"
        return Line("exposure", name, Level.WARN, words, advice, facts)
    words = "暗号化した通信で開けます。" if others else "このコンピューターからだけ開けます。"
    return Line("exposure", name, Level.OK, words, "", facts)


def runtime_line(python: tuple[int, ...], sqlite: tuple[int, ...]) -> Line | None:
    """Versions that are too old to be relied on: only when they are."""
    if python >= OLDEST_PYTHON and sqlite >= OLDEST_SQLITE:
        return None
    words = f"Python {'.'.join(map(str, python[:3]))}、SQLite {'.'.join(map(str, sqlite[:3]))} は古すぎます。"
    advice = "Python 3.11 以上と SQLite 3.35 以上にしてください。"
    return Line("runtime", "Python と SQLite", Level.BAD, words, advice)
