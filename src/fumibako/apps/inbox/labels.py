"""Japanese words of the inbox: kinds, states, what happened, and the sentences with which an action says no."""

from __future__ import annotations

from fumibako.apps.accounts.labels import TroubleText, trouble_text
from fumibako.apps.accounts.models import MailAccount

from .models import BounceReport, ReceivedMail

KINDS = {
    ReceivedMail.Kind.ORDINARY: "通常",
    ReceivedMail.Kind.BOUNCE: "エラーメール",
    ReceivedMail.Kind.DELAY: "遅延通知",
    ReceivedMail.Kind.AUTO_REPLY: "自動応答",
    ReceivedMail.Kind.RECEIPT: "開封通知",
    ReceivedMail.Kind.FEEDBACK: "苦情通知",
    ReceivedMail.Kind.UNREADABLE: "解析不能",
}
WORKS = {
    ReceivedMail.Work.OPEN: "未処理",
    ReceivedMail.Work.WAITING: "返信待ち",
    ReceivedMail.Work.DONE: "処理済み",
}
READINGS = {
    ReceivedMail.Reading.WAITING: "読み取り待ち",
    ReceivedMail.Reading.READ: "読み取り済み",
    ReceivedMail.Reading.UNREADABLE: "解析不能",
}
ROLES = {"from": "差出人", "to": "宛先", "cc": "CC"}
EFFECTS = {
    BounceReport.Effect.COUNTED: "不達(エラー回数 +1)",
    BounceReport.Effect.NOT_COUNTED: "不達(エラー回数は変わりません)",
    BounceReport.Effect.ALREADY: "反映済み",
    BounceReport.Effect.UNVERIFIED: "未確認の不達",
    BounceReport.Effect.COPY: "控え(CC・BCC)の不達",
    BounceReport.Effect.UNMATCHED: "送信明細が見つかりません",
}
ANSWERS = {"yes": "可", "no": "不可", "circle": "○", "cross": "×"}
"""回答; a number stands for itself."""
EVENTS = {
    "read_again": "読み直し",
    "marked_read": "既読",
    "marked_unread": "未読",
    "work_set": "状態を変更",
    "assigned": "担当を変更",
    "noted": "メモを追加",
    "linked": "人を紐付け",
    "unlinked": "紐付けを解除",
    "answer_confirmed": "回答を確定",
    "replied": "返信",
    "forwarded": "転送",
    "reply_taken_back": "返信を取り消し",
    "deleted": "削除",
    "bounce_settled": "不達を確定",
}
PROBLEMS = {
    "header_cut": "ヘッダーが長すぎるため、途中までを表示しています。",
    "too_many_parts": "部品が多すぎるため、途中までを表示しています。",
    "too_deep": "入れ子が深すぎるため、途中までを表示しています。",
    "too_many_addresses": "宛先が多すぎるため、途中までを表示しています。",
    "text_cut": "本文が長すぎるため、途中までを表示しています。",
    "bad_boundary": "区切りが壊れているため、推定して表示しています。",
    "charset_guessed": "文字コードの指定が違うため、推定して表示しています。",
    "text_damaged": "読めない文字があります。文字コードを変えて読み直せます。",
    "no_sender": "差出人がありません。",
    "several_senders": "差出人が複数書かれています。",
    "sender_name_is_an_address": "差出人名と実際のアドレスが違います。",
    "hidden_characters": "件名か差出人名に、見えない文字が含まれています。",
    "bad_date": "日付が正しくありません。受信した時刻を表示しています。",
}
CHARSETS = {
    "utf-8": "UTF-8",
    "iso-2022-jp": "ISO-2022-JP(JIS)",
    "shift_jis": "Shift_JIS",
    "euc-jp": "EUC-JP",
    "gb18030": "GB18030(中国語)",
    "big5": "Big5(中国語)",
    "euc-kr": "EUC-KR(韓国語)",
    "iso-8859-1": "ISO-8859-1(西欧)",
}
"""What 文字コードを変えて読み直す offers."""
TROUBLES = {
    "disk_full": "ディスクの空きが足りないため、受信を止めています。空きを増やすと、自動で再開します。",
    "database_busy": "データベースが使用中のため、受信できませんでした。自動でやり直します。",
    "in_other_hands": "ほかの処理が受信しています。",
    "settings_broken": "受信の設定を読み取れません。メールアカウント設定を確認してください。",
    "store_failed": "メールを保存できませんでした。サーバーのメールは削除していません。",
    "too_many": "サーバーのメールが多すぎるため、受信できません。",
    "interrupted": "受信の途中で処理が止まりました。次の受信で続きから始めます。",
    "on_hold": "控えから戻したデータのため、受信を止めています。動作状況で解除できます。",
    "resting": "失敗が続いたため、少し待ってからやり直します。",
}
NO_SUCH_WORK = "状態を、未処理・返信待ち・処理済みから選んでください。"
NEEDS_REASON = "理由を入力してください。"
NEEDS_TEXT = "メモを入力してください。"
NEEDS_BODY = "本文を入力してください。"
NEEDS_TO = "宛先を入力してください。"
CANNOT_TAKE_BACK = "送信が始まったため、取り消せません。"
NO_SENDER_ADDRESS = "このアカウントには送信の設定がないため、返信できません。"
ALREADY_SETTLED = "この不達は、すでに確定しています。"
NOT_SENT_YET = "この送信明細は、不達にできる状態ではありません。"
BAD_CHARSET = "この文字コードは選べません。"
BAD_ADDRESS = "宛先「{}」はメールアドレスとして使えません。"
TOO_MANY_TO = "返信の宛先は {}件までです。"


def fetch_trouble_text(account: MailAccount, kind: str) -> TroubleText:
    """Why a run of receiving did not work and what to do; both empty without trouble."""
    if not kind or kind in TROUBLES:
        return TroubleText(TROUBLES.get(kind, ""), "")
    return trouble_text(kind, {"protocol": "pop", "host": account.pop_host, "port": account.pop_port})


def answer_text(answer: str, is_confirmed: bool) -> str:
    """回答, with 推定 until a person confirmed it."""
    words = ANSWERS.get(answer, answer)
    return words if is_confirmed or not words else f"{words}(推定)"
