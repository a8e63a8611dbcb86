"""The Japanese words of 連絡記録 and 次回対応."""

from __future__ import annotations

from collections.abc import Mapping

LABELS: dict[str, str] = {
    "contacted_at": "連絡日",
    "minutes": "連絡時間",
    "operator": "対応者",
    "department": "連絡部門",
    "person": "相手",
    "category1": "連絡区分1",
    "category2": "連絡区分2",
    "category3": "連絡区分3",
    "status1": "連絡ステータス1",
    "status2": "連絡ステータス2",
    "subject": "件名",
    "body": "連絡内容",
    "response": "対応内容",
    "next_on": "次回対応日",
    "next_category": "次回対応区分",
}
"""The items of the form in their order."""

ROLES: Mapping[str, str] = {"from": "FROM", "to": "TO", "cc": "CC"}
NOBODY = "相手なし"
NO_SUBJECT = "(件名なし)"
NO_DEPARTMENT = "未設定"
"""部門 that is made when a mail becomes a record in an office that has no department at all."""

GROUPS: Mapping[str, str] = {
    "overdue": "期限切れ",
    "today": "今日",
    "week": "今週",
    "later": "それ以降",
}
"""Of 次回対応, in their order."""

PARTY_KINDS: Mapping[str, str] = {
    "staff": "スタッフ",
    "client": "得意先",
    "applicant": "応募者",
    "none": "相手なし",
}

ALREADY_THERE = "このメールは、連絡記録 {} に登録済みです。"
BAD_CHOICE = "{}は、上の区分で選べるものから選択してください。"
BAD_STATUS = "{}を選択してください。"
NEEDS_REASON = "削除する理由を入力してください。"
NO_BRANCH_LEFT = "枝番は 999 までです。新しい連絡記録として登録してください。"
NO_FOLLOW_UP = "次回対応は済んでいるか、次回対応日がありません。画面を開き直してください。"
NOTHING_CHOSEN = "連絡記録が選択されていません。一覧で、変更する連絡記録にチェックを付けてください。"
FILES_TOO_LARGE = "関連ファイルは、合わせて {}MB までです(いまは {}MB です)。"
TOO_MANY_FILES = "関連ファイルは {}個までです。"
EMPTY_FILE = "ファイル「{}」は空です。中身のあるファイルを選んでください。"


def done_line(day: str, who: str, words: str) -> str:
    """The line that 対応済 adds to 対応内容."""
    return f"[{day} {who}] {words}"
