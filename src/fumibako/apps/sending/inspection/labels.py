"""Japanese words of 点検: each finding as (title, detail)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time

from fumibako.apps.sending.labels import PARTY_KINDS, clock, hours_text, megabytes
from fumibako.apps.sending.labels import over_limit as over_limit_text
from fumibako.apps.sending.plan import Plan

Texts = tuple[str, str]

NO_SUBJECT: Texts = ("件名を入力してください。", "")
NO_BODY: Texts = ("本文を入力してください。", "")
NO_ACCOUNT: Texts = ("送信元アカウントを選択してください。", "")
NO_RECIPIENTS: Texts = ("送信する宛先がありません。宛先を 1件以上追加してください。", "")
NO_SIGNATURE: Texts = (
    "広告のメールには、送信者の表示が必要です。",
    "メールアカウント設定の「署名」に、会社名・住所・連絡先を入力してください。",
)
NO_OPT_OUT: Texts = (
    "広告のメールには、配信停止の方法の表示が必要です。",
    "本文か署名に「配信停止」の方法を書いてください。",
)
UNTESTED: Texts = ("テスト送信をしていません。", "自分にテスト送信をすると、届くメールをそのまま確かめられます。")
TESTED_BEFORE: Texts = (
    "本文を変えた後、テスト送信をしていません。",
    "変えた内容を確かめるときは、自分にテスト送信をします。",
)

FIELDS = {"subject": "件名", "text": "本文", "to": "宛先", "from": "差出人", "cc": "CC", "attachment": "添付ファイル名"}

CHECKS = {
    "C01": "宛先・件名・本文・送信元がそろっている",
    "C02": "差込項目の間違いや、書きかけの文字がない",
    "C03": "差し込む値に空欄がない",
    "C04": "「添付」の言葉と添付ファイルが合っている",
    "C05": "すべての文字を、選んだエンコードで送れる",
    "C06": "ドメインのつづりに、よくある間違いがない",
    "C07": "本文に、特定の人の氏名が残っていない",
    "C09": "24時間以内に、同じ件名を同じ人に送っていない",
    "C10": "宛先の種類が混ざっていない",
    "C11": "「送らない」の人を含んでいない",
    "C13": "全員あての送信ではない",
    "C15": "慎重に扱う言葉がない",
    "C16": "CC・BCC が付かない",
    "C17": "警告時間帯と送信期限にかからない",
    "C18": "広告に必要な表示がそろっている",
    "C19": "メールの大きさに問題がない",
    "C20": "最後の変更の後にテスト送信をした",
}
"""What each check makes sure of, for the list of those that found nothing."""


def _place(where: str, line: int) -> str:
    return "件名" if where == "subject" else f"本文 {line}行目"


def letter_problem(kind: str, field: str, line: int, where: str) -> str:
    """V11 and its relatives."""
    fix = f"{_place(where, line)}を直してください。"
    texts = {
        "unknown_field": f"差込項目「{field}」はありません。{fix}",
        "unclosed": f"「{field}」が閉じられていません。{fix}",
        "unopened": f"「{field}」に対応する始まりがありません。{fix}",
        "unknown_tag": f"「{field}」という書き方は使えません。{fix}",
        "unknown_filter": f"差込項目の後の「{field}」は使えません。{fix}",
        "bad_expression": f"「{field}」を差込項目として読めません。{fix}",
        "unbalanced": f"条件「{field}」の始まりと終わり(endif)がそろっていません。{fix}",
        "too_long": "本文が長すぎます。100万文字以内にしてください。",
    }
    return texts.get(kind, f"「{field}」を読めません。{fix}")


def leftover(word: str, where: str, line: int) -> Texts:
    """C02."""
    return f"書きかけの文字「{word}」が残っています。", f"{_place(where, line)}"


def attachment_word(word: str, excerpt: str, line: int) -> Texts:
    """C04."""
    if not word:
        return (
            "添付ファイルがありますが、本文に「添付」の言葉がありません。",
            "違うファイルを付けていないか確かめてください。",
        )
    return f"本文に「{word}」とありますが、添付ファイルがありません。", f"本文 {line}行目「{excerpt}」"


def registered_name(name: str, excerpt: str, line: int, where: str) -> Texts:
    """C07."""
    return (
        f"登録されている人の氏名「{name}」が、差し込みではなく直接書かれています。全員に届きます。",
        f"{_place(where, line)}「{excerpt[:40]}」",
    )


def sensitive_word(word: str, excerpt: str, line: int, where: str) -> Texts:
    """C15."""
    return f"慎重に扱う言葉「{word}」があります。", f"{_place(where, line)}「{excerpt[:40]}」"


def unbuilt(kind: str, count: int) -> Texts:
    """C01: mails that cannot be built."""
    field = FIELDS.get(kind.partition(":")[2], kind.partition(":")[2])
    return f"{field}に使えない文字があり、{count:,}人のメールを作れません。", "下の人の登録内容を直してください。"


def empty_field(name: str, count: int, honorific: str) -> Texts:
    """C03."""
    title = f"差込項目「{name}」が空の人が {count:,}人います。"
    if honorific:
        return title, f"「{honorific}」だけが残ります。"
    return title, "空白のまま送られます。"


def typing_error(domain: str, meant: str, count: int) -> Texts:
    """C06."""
    return f"「@{domain}」の宛先が {count:,}件あります。「@{meant}」の間違いではありませんか。", ""


def fix_domain(meant: str) -> str:
    """Button of C06."""
    return f"{meant} に直す"


def fallen_back(charset: str, characters: Sequence[str], count: int) -> Texts:
    """C05."""
    listed = " ".join(characters)
    return f"{charset} で送れない文字があるため、{count:,}通を UTF-8 で送ります。", f"文字:{listed}"


def big_mail(biggest: int, total: int) -> Texts:
    """C19."""
    return (
        f"1通が {megabytes(biggest)} あります。",
        f"合計 {megabytes(total)} を送ります。大きいメールは、相手のサーバーが受け取らないことがあります。",
    )


def account_unusable(name: str) -> Texts:
    """C01: hidden, or without a way out."""
    return (
        f"送信元アカウント「{name}」は、いま送信に使えません。",
        "SMTP設定と表示区分を確認するか、別の送信元を選んでください。",
    )


def account_stopped(name: str, text: str) -> Texts:
    """C01: the account waits for a person."""
    return (
        f"送信元アカウント「{name}」は、問題があるため止まっています。",
        text or "接続テストで原因を確認してください。",
    )


def attachments_not_allowed(name: str) -> Texts:
    """C01: files although the account has none (⑤)."""
    return (
        f"送信元アカウント「{name}」では、添付ファイルを使えません。",
        "添付ファイルを外すか、別の送信元を選んでください。",
    )


def over_limit(mail_count: int, limit: int) -> Texts:
    """B02."""
    return over_limit_text(mail_count, limit), ""


def repeated(last: datetime, count: int, now: datetime) -> Texts:
    """C09."""
    return f"{clock(last, now)} に、同じ件名で送信済みの宛先が {count:,}件あります。", "二重に送ることになります。"


def mixed(by_kind: Mapping[str, int]) -> Texts:
    """C10: the smaller kinds are the surprise."""
    ordered = sorted(by_kind.items(), key=lambda item: -item[1])
    others = "、".join(f"{PARTY_KINDS[kind]} {count:,}通" for kind, count in ordered[1:])
    return f"{others}が含まれます。", f"おもな宛先は {PARTY_KINDS[ordered[0][0]]} {ordered[0][1]:,}通です。"


def lifted(count: int) -> Texts:
    """C11."""
    return (
        f"「送らない」に設定したスタッフの宛先 {count:,}件に送ります。",
        "アカウントの設定により送れます。操作履歴に残ります。",
    )


def everybody(chosen: int, active: int) -> Texts:
    """C13."""
    return (
        f"スタッフのほぼ全員({chosen:,}人、{min(100, chosen * 100 // active)}%)に送ります。",
        "条件の付け忘れがないか確かめてください。",
    )


def copies(cc: Sequence[str], bcc: Sequence[str], mail_count: int) -> Texts:
    """C16."""
    parts = [f"CC {len(cc)}件"] * bool(cc) + [f"BCC {len(bcc)}件"] * bool(bcc)
    total = mail_count * (1 + len(cc) + len(bcc))
    return (
        f"1通ごとに {'・'.join(parts)} が付き、提供会社の数え方で {total:,}通分になります。",
        "宛先の人の情報が、CC・BCC の相手にも届きます。",
    )


def runs_into_warning(plan: Plan, start: time | None, end: time | None, now: datetime) -> Texts:
    """C17."""
    begin = clock(plan.warning_from, now) if plan.warning_from else ""
    return (
        f"送信の途中で、警告時間帯({hours_text(start, end)})に入ります。",
        f"{begin} に警告時間帯になり、{clock(plan.end_at, now)} に終わる見込みです。",
    )


def fix_start(at: datetime, now: datetime) -> str:
    """Button of C17."""
    return f"開始を {clock(at, now)} にする"


def misses_deadline(plan: Plan, now: datetime) -> Texts:
    """C17."""
    deadline = clock(plan.deadline_at, now) if plan.deadline_at else ""
    return (
        f"送信期限({deadline})までに終わらない見込みです。",
        f"{clock(plan.end_at, now)} に終わる見込みです。期限を過ぎた分は送られません。",
    )


def missing_file(name: str) -> Texts:
    """C01: a file is gone or changed."""
    return f"添付ファイル「{name}」が見つからないか、内容が変わっています。", "いちど外して、付け直してください。"


def unusable_sender(field: str) -> Texts:
    """C01: the common headers cannot be written."""
    item = {"from": "メールアドレスか送信者名", "reply_to": "Reply-To", "cc": "CC", "bcc": "BCC"}.get(field, "差出人")
    return f"メールアカウント設定の「{item}」を送信に使えません。", "メールアカウント設定で直してください。"
