"""The items of a person's record: one table that forms, checks, imports and exports share.

A person as flat text, key → text, is called a sheet. Choices stand in it as their stable word, dates as 2026/04/01.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from . import labels
from .models import Recipient


class Form(StrEnum):
    """How the text of an item is read."""

    TEXT = "text"
    LINES = "lines"
    NUMBER = "number"
    """Identifying number: digits and letters, full-width made half-width."""
    COUNT = "count"
    DATE = "date"
    MOMENT = "moment"
    CHOICE = "choice"
    DEPARTMENT = "department"
    OPERATOR = "operator"
    ADDRESS = "address"
    YES_NO = "yes_no"


@dataclass(frozen=True, slots=True)
class Field:
    """One item. `aliases` are other headings under which a file may carry it."""

    key: str
    label: str
    form: Form = Form.TEXT
    limit: int = 0
    is_required: bool = False
    aliases: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    is_imported: bool = True


NAME = "name"
"""Key of a column that holds family and given name together."""

_NAMES = (
    Field("family_name", "姓", limit=50, is_required=True, aliases=("氏", "苗字", "名字", "氏名(姓)")),
    Field("given_name", "名", limit=50, aliases=("氏名(名)",)),
    Field("kana", "カナ", limit=100, aliases=("フリガナ", "ふりがな", "氏名カナ", "カナ氏名", "氏名(カナ)")),
)
_REST = (
    Field("tags", "タグ", limit=200),
    Field("note", "備考", Form.LINES, limit=4000, aliases=("メモ",)),
    Field("is_hidden", "表示しない", Form.YES_NO),
)


def _addresses() -> tuple[Field, ...]:
    found: list[Field] = []
    for slot, wide in ((1, "１"), (2, "２")):
        names: tuple[str, ...] = (
            f"メール{slot}",
            f"メールアドレス{wide}",
            f"Eメール{slot}",
            f"email{slot}",
            f"mail{slot}",
        )
        if slot == 1:
            names += ("メールアドレス", "メール", "Eメール", "email", "mail", "e-mail")
        found += [
            Field(f"address{slot}", f"メールアドレス{slot}", Form.ADDRESS, limit=254, aliases=names),
            Field(f"flag{slot}", f"送信可否{slot}", Form.CHOICE, words=labels.FLAG, aliases=(f"送る{slot}",)),
            Field(f"flag_reason{slot}", f"送信可否{slot}の理由", limit=500),
            Field(f"error_count{slot}", f"エラー回数{slot}", Form.COUNT, is_imported=False),
        ]
    return tuple(found)


_STAFF = (
    Field("number", "スタッフNO", Form.NUMBER, 6, is_required=True, aliases=("NO", "スタッフ番号", "番号", "社員番号")),
    *_NAMES,
    Field("department", "所属部門", Form.DEPARTMENT, is_required=True, aliases=("部門", "部署", "所属")),
    Field("employment", "就業ステータス", Form.CHOICE, words=labels.EMPLOYMENT, aliases=("ステータス", "就業状況")),
    Field("phone", "電話", limit=40, aliases=("電話番号", "携帯電話", "TEL")),
    Field("registered_on", "登録日", Form.DATE),
    Field("left_on", "退職日", Form.DATE),
    *_addresses(),
    *_REST,
)
COMPANY = (
    Field("client_number", "得意先NO", Form.NUMBER, limit=6, is_required=True, aliases=("得意先番号", "NO", "番号")),
    Field("branch", "枝番", Form.NUMBER, limit=3, aliases=("得意先枝番",)),
    Field("company_name", "会社名", limit=100, is_required=True, aliases=("得意先名", "社名", "企業名")),
    Field("company_kana", "会社名カナ", limit=100, aliases=("得意先名カナ",)),
    Field("operator", "担当者NO", Form.OPERATOR, aliases=("当社担当者", "担当営業")),
    Field("dealing", "取引状況", Form.CHOICE, words=labels.DEALING),
    Field("company_phone", "会社電話", limit=40, aliases=("代表電話",)),
    Field("company_note", "会社備考", Form.LINES, limit=4000),
)
CONTACT = (
    Field("contact_no", "担当者番号", Form.NUMBER, limit=3),
    Field("family_name", "担当者姓", limit=50, is_required=True, aliases=("姓",)),
    Field("given_name", "担当者名(名)", limit=50, aliases=("名",)),
    Field("kana", "担当者カナ", limit=100, aliases=("カナ", "フリガナ")),
    Field("section", "部署", limit=60, aliases=("所属", "部署名")),
    Field("title", "役職", limit=60),
    Field("phone", "担当者電話", limit=40, aliases=("電話", "電話番号", "直通電話")),
    Field("sort_order", "並び順", Form.COUNT),
    *_addresses(),
    *_REST,
)
_APPLICANT = (
    Field("number", "応募者NO", Form.NUMBER, limit=20, is_required=True, aliases=("NO", "応募者番号", "番号")),
    *_NAMES,
    Field("applied_on", "応募日", Form.DATE),
    Field("media", "募集媒体", limit=60, aliases=("媒体", "応募媒体")),
    Field("interview_at", "面接日時", Form.MOMENT, aliases=("面接日",)),
    Field("interview_place", "面接会場", limit=100),
    Field("interviewer", "面接者", limit=60, aliases=("面接担当",)),
    Field("status", "採用ステータス", Form.CHOICE, words=labels.STATUS, aliases=("ステータス",)),
    Field("impression", "所感", Form.LINES, limit=4000),
    *_addresses(),
    *_REST,
)
FIELDS: dict[str, tuple[Field, ...]] = {
    Recipient.Kind.STAFF: _STAFF,
    Recipient.Kind.CLIENT: COMPANY + CONTACT,
    Recipient.Kind.APPLICANT: _APPLICANT,
}
NAME_FIELD = Field(NAME, "氏名", aliases=("名前", "担当者名", "担当者氏名", "スタッフ名", "応募者名"))
