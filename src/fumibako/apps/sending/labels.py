"""Japanese words of sending: states, exclusions, events, and the sentences with which an action says no."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from fumibako.apps.accounts.labels import trouble_text
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.office.problems import Problem
from fumibako.apps.sending.models import BulkSend
from fumibako.apps.sending.state import JobCounts
from fumibako.delivery.states import State
from fumibako.services.trouble import TroubleKind

EXCLUSIONS = {
    "no_address": "メールアドレスが未登録",
    "cannot": "「送れない」に設定",
    "opt_out": "本人が配信停止",
    "do_not": "「送らない」に設定",
    "unticked": "チェックを外した宛先",
    "bad_address": "メールアドレスの形式",
    "duplicate": "同じアドレスが重複",
    "attachment_missing": "添付ファイルの欠落",
}
"""Why an address gets no mail, in the order in which the screens list them."""

DELIVERY_STATES = {
    State.PLANNED: "準備済",
    State.QUEUED: "送信待ち",
    State.SENDING: "送信中",
    State.HANDING_OVER: "引渡中",
    State.UNKNOWN: "結果不明",
    State.SENT: "送信済",
    State.FAILED: "送信失敗",
    State.BOUNCED: "不達",
    State.SUPPRESSED: "除外",
    State.EXPIRED: "期限切れ",
    State.CANCELLED: "取消",
    State.CLOSED: "打切",
}

JOB_STATES = {
    "draft": "下書き",
    "discarded": "削除",
    "hold": "開始待ち",
    "scheduled": "予約",
    "sending": "送信中",
    "resting": "休止中",
    "limited": "制限待ち",
    "retrying": "再送待ち",
    "paused": "一時停止",
    "stopped": "アカウント停止",
    "done": "完了",
    "partly_failed": "一部失敗",
    "failed": "失敗",
    "cancelled": "中止",
    "withdrawn": "取り消し",
}

KINDS = {"recruit": "求人案内", "business": "業務連絡", "advertising": "広告"}
PARTY_KINDS = {"staff": "スタッフ", "client": "得意先", "applicant": "応募者"}
RESULT_NOTICES = {"always": "常に出力する", "never": "常に出力しない", "failures": "失敗のみ出力する"}

PAUSE_CAUSES = {
    "failures": "失敗の割合が設定を超えた",
    "attachment_missing": "添付ファイルが見つからないか、内容が変わっている",
    "content_changed": "確定した内容を同じ形で作れない",
    "sender_refused": "差出人をサーバーが認めない",
    "missed_schedule": "予約の時刻を過ぎた",
    "restored": "控えから戻した",
}

STOP_KINDS = {
    "sender_refused": "このメールアドレスを差出人として使うことを、サーバーが認めていません。",
    "settings_broken": "送信の設定を読み取れません。パスワードを登録し直してください。",
}
"""Causes of a stop that no connection test shows."""

EVENTS = {
    "created": "下書きを作りました",
    "edited": "下書きを変えました",
    "discarded": "下書きを削除しました",
    "approved": "送信を指示しました",
    "frozen": "送信するデータを作成し、確定しました",
    "released": "送信を開始しました",
    "burst_started": "{burst}回目を開始しました",
    "burst_finished": "{burst}回目の {count}通を送りました。休止します",
    "paused": "一時停止しました",
    "resumed": "再開しました",
    "cancelled": "送信を中止しました",
    "withdrawn": "取り消して下書きに戻しました",
    "stopped": "アカウントの問題で止まりました",
    "restored": "控えから戻したため、送信待ちを結果不明にしました",
    "finished": "送信が終わりました",
    "settled": "結果不明を確定しました",
    "test_sent": "テスト送信をしました",
    "resend": "失敗した宛先への送り直しを作りました",
    "start_now": "すぐに開始するようにしました",
}

ACCOUNT_NOT_PERMITTED = "この送信元アカウントを使う権限がありません。別の送信元を選んでください。"
NOT_IN_LIST = "この宛先は、送信する宛先にありません。宛先を追加してください。"
ATTACHMENTS_NOT_ALLOWED = (
    "この送信元アカウントでは、添付ファイルを使えません。アカウントの「添付ファイルを使用する」を有効にしてください。"
)
NEEDS_REASON = "理由を入力してください。"
NO_TEST_RECIPIENT = "差し込みに使う宛先がありません。宛先を 1件以上追加してください。"
ONLY_UNKNOWN = "結果不明ではない送信は、確定できません。画面を開き直してください。"
CANNOT_WITHDRAW = "送信が始まっているため、下書きに戻せません。残りを送らないときは、中止してください。"
CANNOT_PAUSE = "送信中ではないため、一時停止できません。"
CANNOT_RESUME = "一時停止中ではないため、再開できません。"
CANNOT_CANCEL = "終わった送信は、中止できません。"
CANNOT_START_NOW = (
    "予約した送信は、すぐに開始できません。取り消して下書きに戻し、点検と確認から「すぐ」を選んでください。"
)
NOT_WAITING = "開始待ちではないため、すぐに開始できません。"
NOTHING_TO_RESEND = "送り直せる失敗した宛先がありません。"
START_IN_THE_PAST = "予約の日時が過ぎています。これからの日時を入力してください。"
START_TOO_FAR = "予約の日時が 1年より先です。1年以内の日時を入力してください。"
DEADLINE_TOO_EARLY = "送信期限が、送信の開始より前です。開始より後の日時を入力してください。"
INSIDE_WARNING = "警告時間帯({hours})に開始します。この時間に送信しますか?"


def problem(field: str, id: str, **values: Any) -> Problem:
    """A message of the catalogue (UX §2.6)."""
    texts = {
        "V01": "{item}を入力してください。",
        "V02": "{item}を選択してください。",
        "V04": "{item}は「名前@会社名.co.jp」の形で入力してください。",
        "V05": "{item}は {limit}文字以内で入力してください(いまは {length}文字です)。",
        "B01": "送信する宛先がありません。宛先を 1件以上追加してください。",
    }
    return Problem(field, id, texts[id].format(**values))


def over_limit(mail_count: int, limit: int) -> str:
    """B02."""
    return (
        f"送信件数({mail_count:,}件)が、1回の送信上限件数({limit:,}件)を超えています。"
        f"宛先を {mail_count - limit:,}件以上減らすか、{-(-mail_count // limit)}回に分けてください。"
    )


def wrong_number(typed: str) -> str:
    """B05."""
    return f"入力した通数({typed})が、送信する通数と違います。宛先を確認してください。"


def attachment_too_large(name: str, size: int, total: int) -> str:
    """B06, for one file or for all files of the mail together."""
    if not size:
        return f"添付ファイル「{name}」は空です。内容のあるファイルを選んでください。"
    if total > size:
        return f"添付ファイル「{name}」を加えると 合計 {megabytes(total)} です。1通に付けられるのは 10MB までです。"
    return f"添付ファイル「{name}」は {megabytes(size)} です。1通に付けられるのは 10MB までです。"


def megabytes(size: int) -> str:
    """Octets in the unit people know."""
    if size < 1024 * 1024:
        return f"{max(1, round(size / 1024)):,}KB"
    return f"{size / 1024 / 1024:.1f}MB".replace(".0MB", "MB")


def clock(at: datetime, now: datetime | None = None) -> str:
    """18:40, or 11/25 18:40 when it is not today."""
    local = timezone.localtime(at)
    today = timezone.localtime(now).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local.month}/{local.day} {local:%H:%M}"


def span(seconds: float) -> str:
    """6分12秒, 2時間10分, 45秒."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}時間{minutes}分" if minutes else f"{hours}時間"
    if minutes:
        return f"{minutes}分{left}秒" if left else f"{minutes}分"
    return f"{left}秒"


def span_of(duration: timedelta) -> str:
    """`span` of a timedelta."""
    return span(duration.total_seconds())


def hours_text(start: Any, end: Any) -> str:
    """20:00〜翌8:00."""
    next_day = "翌" if end < start else ""
    return f"{start.hour}:{start.minute:02d}〜{next_day}{end.hour}:{end.minute:02d}"


def event_text(what: str, data: Mapping[str, Any], actor_name: str = "") -> str:
    """One line of 経過."""
    words = EVENTS.get(what, what)
    try:
        words = words.format(**data)
    except (KeyError, IndexError):
        words = words.replace("{burst}回目を", "").replace("{burst}回目の {count}通を", "")
    cause = PAUSE_CAUSES.get(str(data.get("cause", "")), "")
    if cause:
        words = f"{words}({cause}ため)"
    return f"{actor_name} {words}".strip() if actor_name else words


def exclusion_text(reason: str) -> str:
    """Why an address gets no mail."""
    return EXCLUSIONS.get(reason, reason)


def delivery_state_text(state: str) -> str:
    """The word for a delivery's state."""
    return DELIVERY_STATES[State(state)]


def job_state_text(state: str) -> str:
    """The word for a job's state."""
    return JOB_STATES[state]


UNTICKED = {
    "sender": "送信元を確認して、チェックを付けてください。",
    "recipients": "宛先と通数を確認して、チェックを付けてください。",
    "letter": "件名と本文を確認して、チェックを付けてください。",
    "attachments": "添付ファイルを確認して、チェックを付けてください。",
}


def unconfirmed(title: str) -> str:
    """A finding that still wants このままでよい."""
    return f"点検の結果を確認して、「このままでよい」を選んでください:{title}"


WORKER_MISSING = "送信の処理が止まっています。管理者に連絡してください。"


def paused_line(job: BulkSend, now: datetime) -> str:
    """一時停止, by whom or why."""
    if not job.pause_cause:
        at = clock(job.paused_at, now) if job.paused_at else ""
        return f"一時停止中です({job.paused_by_name} {at})。"
    if job.pause_cause == "failures" and job.account is not None:
        return f"失敗が {job.account.stop_failure_percent}%を超えたため、一時停止しました。"
    if job.pause_cause == "missed_schedule" and job.release_at is not None:
        return f"開始の時刻({clock(job.release_at, now)})を過ぎたため、送らずに待っています。よければ再開してください。"
    return f"{PAUSE_CAUSES.get(job.pause_cause, job.pause_cause)}ため、一時停止しました。"


def stopped_line(kind: str, text: str, account: MailAccount | None) -> str:
    """アカウント停止: the account needs a person, the people are not charged."""
    return f"送信元アカウントの問題で止まっています。{stop_reason(kind, text, account)}原因を直すと、続きから送ります。"


def stop_reason(kind: str, text: str, account: MailAccount | None) -> str:
    """Why an account stopped, in a sentence; the server's own words where there is none."""
    if kind in STOP_KINDS:
        return STOP_KINDS[kind]
    if account is not None and kind in set(TroubleKind):
        return trouble_text(kind, {"host": account.smtp_host, "port": account.smtp_port}).text
    return f"({text})" if text else ""


def waiting_line(state: str, count: int, until: datetime, now: datetime, cause: str, text: str) -> str:
    """A job that waits: for what, and until when."""
    seconds = (until - now).total_seconds()
    at = clock(until, now)
    if state in ("hold", "scheduled"):
        return f"{at} に {count:,}通の送信を開始します。" if seconds > 0 else "まもなく送信を開始します。"
    if state == "resting":
        return f"休止しています。{span(seconds)}後に再開します。"
    if state == "retrying":
        return f"相手のサーバーの求めにより、{at} に {count:,}通をもう一度送ります。"
    reason = f"({text})" if text else ""
    if cause == "push_back":
        return f"提供会社の制限のため {at} まで待っています{reason}。"
    return f"メールサーバーにつながらないため、{at} にやり直します{reason}。"


def state_line(state: str, counts: JobCounts) -> str:
    """A job that runs or is over."""
    if state == "sending":
        return "送信しています。"
    if state == "draft":
        return "下書きです。"
    if state == "cancelled":
        rest = f"いま引き渡している {counts.in_flight:,}通の結果を待っています。" if counts.in_flight else ""
        return f"送信を中止しました。{counts.unsent:,}通は送っていません。{rest}"
    if state in ("withdrawn", "discarded"):
        return "送信を取り消しました。"
    parts = [f"{counts.sent:,}通を送信しました。"]
    parts += [f"{counts.failed:,}通に失敗しました。"] * bool(counts.failed)
    parts += [f"{counts.unknown:,}通は結果不明です。"] * bool(counts.unknown)
    parts += [f"{counts.unsent:,}通は送っていません。"] * bool(counts.unsent)
    return "".join(parts)


REPORT_COLUMNS = (
    "送信管理NO",
    "明細NO",
    "種別",
    "NO",
    "氏名",
    "メールアドレス",
    "結果",
    "理由",
    "サーバーの返答",
    "送信日時",
    "最終更新",
    "試行回数",
    "エンコード",
    "Message-ID",
)
REPORT_EXCLUSION_COLUMNS = ("種別", "NO", "氏名", "メールアドレス", "理由")
