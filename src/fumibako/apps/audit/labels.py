"""Japanese words for what the audit log holds. Every action that any part of the product records has its words here."""

from __future__ import annotations

ACTIONS = {
    "account.allowed_again": "アカウントの送信を再開",
    "account.deleted": "メールアカウントを削除",
    "account.saved": "メールアカウントを登録",
    "address.flag_set": "送る・送らない・送れないを変更",
    "address.restored": "メールアドレスを「送る」に戻す",
    "address.threshold_reached": "エラー回数により「送れない」に変更",
    "applicant.adopted": "応募者を採用",
    "bulk_send.approved": "一括送信を指示",
    "bulk_send.cancelled": "一括送信を中止",
    "bulk_send.created": "一括送信の下書きを作成",
    "bulk_send.discarded": "一括送信の下書きを削除",
    "bulk_send.paused": "一括送信を一時停止",
    "bulk_send.resend": "失敗分の再送を作成",
    "bulk_send.resumed": "一括送信を再開",
    "bulk_send.start_now": "一括送信をすぐ開始",
    "bulk_send.tested": "テスト送信",
    "bulk_send.withdrawn": "一括送信を取り消し",
    "client.deleted": "得意先を削除",
    "client.saved": "得意先を登録",
    "codes.removed": "区分を削除",
    "codes.saved": "区分マスタを登録",
    "contact.deleted": "連絡記録を削除",
    "contact.expanded": "受信メールを連絡記録に展開",
    "contact.followed_up": "次回対応を対応済にする",
    "contact.reopened": "次回対応の対応済を取り消し",
    "contact.saved": "連絡記録を登録",
    "contact.status_set": "連絡ステータスを変更",
    "contact_categories.removed": "連絡区分を削除",
    "contact_categories.saved": "連絡区分マスタを登録",
    "contacts.exported": "連絡記録を書き出し",
    "delivery.settled": "結果不明を確定",
    "import.done": "ファイルを取り込み",
    "import.undone": "取り込みを元に戻す",
    "keys.rotated": "鍵を入れ替え",
    "mail.answer_confirmed": "回答を確定",
    "mail.assigned": "受信メールの担当を変更",
    "mail.bounce_settled": "不達を確定",
    "mail.deleted": "受信メールを削除",
    "mail.fetch_allowed_again": "受信を再開",
    "mail.fetch_asked": "受信を指示",
    "mail.forwarded": "受信メールを転送",
    "mail.linked": "受信メールに人を紐付け",
    "mail.noted": "受信メールにメモを追加",
    "mail.quarantine_lifted": "取得できなかったメールをもう一度取得",
    "mail.read_again": "受信メールを読み直し",
    "mail.replied": "受信メールに返信",
    "mail.reply_taken_back": "返信を取り消し",
    "mail.unlinked": "受信メールの紐付けを解除",
    "mail.work_set": "受信メールの状態を変更",
    "office.backed_up": "控えを作成",
    "office.released": "送信と受信の停止を解除",
    "office.restored": "控えから復元",
    "opt_out.lifted": "配信停止を解除",
    "opt_out.taken": "配信停止を受け付け",
    "people.exported": "名簿を書き出し",
    "person.deleted": "宛先を削除",
    "person.saved": "宛先を登録",
    "practice.begun": "練習モードを開始",
    "samples.made": "見本の人を作成",
    "settings.saved": "システム設定を登録",
    "setup.completed": "はじめての設定",
}
AREAS = {
    "account": "メールアカウント",
    "applicant": "応募者",
    "bulk_send": "送信管理NO",
    "client": "得意先",
    "delivery": "送信明細",
    "import": "取り込み",
    "mail": "受信管理NO",
    "office": "システム設定",
    "opt_out": "配信停止",
    "people": "名簿",
    "samples": "見本の人",
    "staff": "スタッフ",
}


def action_text(action: str) -> str:
    """Return the words for an action; one without own words is shown by its stable name."""
    return ACTIONS.get(action, action)


def target_text(target: str) -> str:
    """Return 「メールアカウント 3」 for "account:3"."""
    area, _, number = target.partition(":")
    return f"{AREAS.get(area, area)} {number}".strip()
