"""What a mail server's answer means in plain Japanese: whose fault it is, and what to do next."""

from __future__ import annotations

import re
from dataclasses import dataclass

ADDRESS = "address"
MAILBOX = "mailbox"
RECEIVER = "receiver"
SENDER = "sender"
LETTER = "letter"
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Explanation:
    """`whose_fault`: address (wrong or closed), mailbox (full), receiver (their filter), sender (our account), letter
    (this mail), nobody (wait). `action` is a stable word for the button: fix_address, call, resend, ask_provider,
    fix_letter, wait, find_out."""

    text: str
    next_step: str
    whose_fault: str
    action: str


@dataclass(frozen=True, slots=True)
class _Rule:
    explanation: Explanation
    codes: tuple[int, ...] = ()
    enhanced: str = ""
    words: str = ""
    domain: str = ""

    def fits(self, code: int, enhanced: str, text: str, domain: str) -> bool:
        if self.codes and code not in self.codes:
            return False
        if self.domain and not re.search(self.domain, domain):
            return False
        by_status = bool(self.enhanced) and re.fullmatch(self.enhanced, enhanced) is not None
        by_words = bool(self.words) and re.search(self.words, text, re.IGNORECASE) is not None
        return by_status or by_words or not (self.enhanced or self.words)


FIX_ADDRESS = "メールアドレスを本人に確認し、直してから送り直してください。"
WAIT = "自動でもう一度送ります。待つだけでかまいません。"

TOO_BIG = Explanation(
    "メールの大きさが、サーバーの上限を超えています。",
    "添付ファイルを小さくして送り直してください。",
    LETTER,
    "fix_letter",
)

RULES: tuple[_Rule, ...] = (
    _Rule(
        Explanation(
            "宛先がないか、受信設定で拒否されました(docomo)。",
            "電話などで、アドレスと受信設定(なりすまし・指定受信)を確認してください。",
            RECEIVER,
            "call",
        ),
        codes=(550,),
        domain=r"(^|\.)docomo\.ne\.jp$",
    ),
    _Rule(
        Explanation("サーバーが、少し待ってから送るように求めています。", WAIT, NOBODY, "wait"),
        codes=(421, 450, 451, 452),
        words=r"gr[ae]y ?list|try again later|temporar(y|ily) (deferred|rejected)|please retry",
    ),
    _Rule(
        Explanation(
            "相手のメールボックスの容量が一杯です。",
            "相手に知らせるか、日をあけて送り直してください。",
            MAILBOX,
            "resend",
        ),
        enhanced=r"[245]\.2\.2",
        words=r"(mailbox|inbox|account).{0,20}(full|quota|exceed)|over ?quota|quota exceeded|insufficient .*storage",
    ),
    _Rule(
        TOO_BIG,
        enhanced=r"[245]\.(2|3)\.[34]",
        codes=(452, 552, 554, 550),
        words=r"(message|mail).{0,20}(too (large|big)|size (limit|exceed)|exceeds.*size)|size limit",
    ),
    _Rule(
        Explanation(
            "一度に送る数や速さが、サーバーの制限を超えました。",
            "自動で間隔をあけて続けます。続くときは、スリープ間隔を長くしてください。",
            SENDER,
            "wait",
        ),
        codes=(421, 450, 451, 452, 454),
        enhanced=r"4\.(7\.\d+|3\.2|2\.1)",
        words=r"rate|too many|limit exceeded|throttl",
    ),
    _Rule(
        Explanation(
            "このメールアドレスを差出人として使うことを、サーバーが認めていません。",
            "メールアカウント設定の「メールアドレス」を確認してください。宛先の問題ではありません。",
            SENDER,
            "ask_provider",
        ),
        codes=(501, 503, 530, 550, 551, 552, 553, 554),
        enhanced=r"5\.(7\.60|7\.515|1\.[78])",
        words=r"sender (address )?(rejected|denied|not allowed|unknown)|not (allowed|owned).*(from|sender|by user)",
    ),
    _Rule(
        Explanation(
            "サーバーが、社外あての中継を認めませんでした。",
            "SMTP認証の設定を確認してください。宛先の問題ではありません。",
            SENDER,
            "ask_provider",
        ),
        codes=(530, 550, 551, 553, 554),
        words=r"relay(ing)? (access )?(denied|not permitted|not allowed)|authentication required",
    ),
    _Rule(
        Explanation(
            "宛先のドメイン(@の右側)がありません。",
            "つづりの間違いが考えられます。アドレスを直してから送り直してください。",
            ADDRESS,
            "fix_address",
        ),
        enhanced=r"[45]\.(1\.2|4\.4|1\.10)",
        words=r"domain.{0,20}(not found|does ?n[o']t exist|unknown|invalid)"
        r"|host (or domain )?(name )?(not found|unknown)|nxdomain|no mx|unrouteable|bad destination system",
    ),
    _Rule(
        Explanation(
            "相手のサーバーが、迷惑メールの疑いで受け取りませんでした。",
            "件名・本文・リンクを見直してください。続くときは、SPF・DKIM・DMARC の設定を提供会社に確認してください。",
            SENDER,
            "ask_provider",
        ),
        codes=(421, 450, 451, 550, 551, 552, 553, 554, 571),
        words=r"spam|blacklist|blocklist|block(ed)? (list|using)|spamhaus|reputation|dmarc|\bspf\b|dkim|policy reasons",
    ),
    _Rule(
        Explanation(
            "宛先のメールアドレスが存在しません。",
            FIX_ADDRESS,
            ADDRESS,
            "fix_address",
        ),
        codes=(550, 551, 553, 554),
        enhanced=r"5\.1\.(1|3|6)|5\.0\.1",
        words=r"(user|mailbox|recipient|address|account|addressee).{0,30}(unknown|not found|does ?n[o']t exist|invalid|"
        r"unavailable|no such|rejected)|no such (user|mailbox|recipient|person)|unknown (user|recipient|mailbox|local)"
        r"|invalid (recipient|mailbox|user)|user not local",
    ),
    _Rule(
        Explanation(
            "相手のメールアドレスは、いま使えなくなっています。",
            "本人に、いま使っているアドレスを確認してください。",
            ADDRESS,
            "call",
        ),
        enhanced=r"5\.2\.1",
        words=r"(mailbox|account|user).{0,20}(disabled|inactive|suspended|closed|expired)",
    ),
    _Rule(
        Explanation(
            "相手のサーバーが、決まりにより受け取りを断りました。",
            "電話などで、受信設定を確認してください。同じ返答が多いときは、提供会社に問い合わせてください。",
            RECEIVER,
            "call",
        ),
        enhanced=r"5\.7\.\d+",
        words=r"access denied|not authorized|refused by|prohibited|rejected by",
    ),
    _Rule(
        Explanation(
            "相手のサーバーの設定に問題があり、受け取れません。",
            "時間をおいて送り直してください。続くときは、電話などで知らせてください。",
            RECEIVER,
            "resend",
        ),
        enhanced=r"5\.(3|4)\.\d+",
        words=r"loop|hop count|configuration|no answer from host",
    ),
    _Rule(
        Explanation("相手のサーバーが、いまは受け取れないと答えました。", WAIT, NOBODY, "wait"), enhanced=r"4\.\d+\.\d+"
    ),
)

NO_ANSWER = Explanation(
    "送信の途中で接続が切れました。届いたかもしれません。",
    "相手に届いたかを確かめてから、結果を選んでください。自動では送り直しません。",
    NOBODY,
    "find_out",
)
NOT_BUILT = Explanation(
    "このメールを作れませんでした。", "本文と差し込む値を確認し、送り直してください。", LETTER, "fix_letter"
)
LATER = Explanation("相手のサーバーが、いまは受け取れないと答えました。", WAIT, NOBODY, "wait")
NEVER = Explanation("相手のサーバーが、受け取りを断りました。", FIX_ADDRESS, RECEIVER, "call")


def explain(code: int, enhanced: str, text: str, domain: str) -> Explanation:
    """The meaning of one answer about one address. `code` 0 = no complete answer was read.

    The enhanced status (RFC 3463) counts for more than the words, and a receiver known to use one answer for two things
    for more than either.
    """
    if not code:
        return _without_answer(text)
    for rule in RULES:
        if rule.fits(code, enhanced, text, domain.lower()):
            return rule.explanation
    return LATER if 400 <= code < 500 else NEVER


def _without_answer(text: str) -> Explanation:
    """Our own words (English, from the engine) where the server was not asked, or did not answer."""
    if not text:
        return NO_ANSWER
    return TOO_BIG if "takes at most" in text else NOT_BUILT
