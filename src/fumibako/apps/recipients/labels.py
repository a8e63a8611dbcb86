"""The Japanese words of the people's masters: kinds, flags, states, causes."""

from __future__ import annotations

from .models import Applicant, Client, PartyAddress, Recipient, Staff

KIND: dict[str, str] = {
    Recipient.Kind.STAFF: "スタッフ",
    Recipient.Kind.CLIENT: "得意先",
    Recipient.Kind.APPLICANT: "応募者",
}
NUMBER: dict[str, str] = {
    Recipient.Kind.STAFF: "スタッフNO",
    Recipient.Kind.CLIENT: "得意先NO",
    Recipient.Kind.APPLICANT: "応募者NO",
}
FLAG: dict[str, str] = {
    PartyAddress.Flag.SEND: "送る",
    PartyAddress.Flag.DO_NOT: "送らない",
    PartyAddress.Flag.CANNOT: "送れない",
}
EMPLOYMENT: dict[str, str] = {
    Staff.Employment.WORKING: "就業中",
    Staff.Employment.WAITING: "待機中",
    Staff.Employment.LEFT: "退職",
}
DEALING: dict[str, str] = {
    Client.Dealing.ACTIVE: "取引中",
    Client.Dealing.PROSPECT: "見込み",
    Client.Dealing.ENDED: "取引終了",
}
STATUS: dict[str, str] = {
    Applicant.Status.APPLIED: "応募",
    Applicant.Status.INTERVIEW: "面接",
    Applicant.Status.OFFERED: "内定",
    Applicant.Status.HIRED: "採用",
    Applicant.Status.REJECTED: "不採用",
    Applicant.Status.WITHDRAWN: "辞退",
}
MAIL_STATE: dict[str, str] = {
    "send": "送る",
    "do_not": "送らない",
    "cannot": "送れない",
    "opt_out": "配信停止",
    "none": "未登録",
}
CAUSE: dict[str, str] = {
    "refused": "相手のサーバーに断られました",
    "bounced": "エラーメールが返ってきました",
    "threshold": "エラーの回数が上限になったため、「送れない」にしました",
    "by_hand": "担当者が変更しました",
    "restored": "送れる状態に戻しました",
    "imported": "取り込みで変更しました",
    "edited": "メールアドレスが変わりました",
    "undone": "取り込みを元に戻しました",
}
OPT_OUT_SOURCE: dict[str, str] = {
    "link": "メールの中の配信停止ページ",
    "mail": "配信停止のメール",
    "by_hand": "担当者が登録",
}
