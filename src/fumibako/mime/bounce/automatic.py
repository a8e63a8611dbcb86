"""Mails that look like error mails and are none: complaints, answers of robots, people who quote or forward."""

from __future__ import annotations

import re
from typing import Final

from fumibako.mime.bounce.notice import Notice
from fumibako.mime.bounce.own_words import quoted_share
from fumibako.mime.bounce.senders import (
    ANSWERING_SUBJECTS,
    FAILING_SUBJECTS,
    REPLYING_SUBJECTS,
    is_null_path,
    is_system_address,
    is_system_name,
)

COMPLAINT_SUBJECT: Final = re.compile(
    r"\bcomplaint about message from\b|\b(?:abuse|feedback|spam) report\b|\breport domain: |\btls report\b", re.I
)
_NOTIFIED: Final = re.compile(r'"notificationType\\?"\s*:\s*\\?"(Complaint|Delivery)', re.I)
_FORWARDED: Final = re.compile(
    r"^[ \t>]*(?:-{2,}[ \t]*(?:forwarded|original|weitergeleitete|mensaje reenviado|message "
    r"transf|転送|元の?メッセージ)[^\n]{0,60}-{2,}|begin forwarded message|"
    r"-+ ?(?:forwarded message|original message|転送メッセージ|転送)|(?:on|le|am) "
    r"[^\n]{4,80}(?:wrote|a écrit|schrieb)\s*:|(?:from|差出人|送信者|de|von) "
    r"?[:：][^\n]{0,200}(?:mailer-daemon|postmaster|mail delivery))",
    re.I | re.M,
)


def is_feedback(notice: Notice) -> bool:
    """A complaint (RFC 5965, or what came before it) or a report about many mails."""
    if notice.has_feedback or notice.report_type in ("feedback-report", "tlsrpt"):
        return True
    if notice.statuses:
        return False
    if _NOTIFIED.search(notice.words[:4_000]) and '"Complaint' in notice.words[:4_000].replace(" ", ""):
        return True
    return COMPLAINT_SUBJECT.search(notice.header("Subject")) is not None and not notice.header("X-Failed-Recipients")


def is_auto_reply(notice: Notice, own: str) -> bool:
    """An answer nobody wrote by hand (RFC 3834): by its header fields or its subject."""
    submitted = notice.header("Auto-Submitted").lower()
    if submitted.startswith(("auto-replied", "auto-generated", "auto-notified")) or notice.header("X-Autoreply"):
        return True
    if any(notice.header(name) for name in ("X-Autorespond", "X-Auto-Response-Suppress", "X-Autoresponder")):
        return True
    if notice.header("Precedence").lower() in ("auto_reply", "auto-reply"):
        return True
    return REPLYING_SUBJECTS.search(notice.header("Subject").lower()) is not None


def is_answer_of_a_robot(notice: Notice) -> bool:
    """An automatic answer in a person's name (RFC 3834): whatever it says, it is not about a mail that failed."""
    senders = notice.addresses("From")
    if not senders or any(is_system_address(address) for address in senders) or is_system_name(notice.header("From")):
        return False
    if notice.has_mail_inside or notice.returned is not None or notice.header("X-Failed-Recipients"):
        return False
    is_replied = notice.header("Auto-Submitted").lower().startswith(("auto-replied", "auto-notified"))
    return is_replied or REPLYING_SUBJECTS.search(notice.header("Subject").lower()) is not None


def is_by_a_person(notice: Notice, own: str) -> bool:
    """Somebody who answers, quotes or forwards; never somebody who signs as a mail system or has no return path."""
    senders = notice.addresses("From")
    subject = notice.header("Subject")
    answers = bool(notice.header("In-Reply-To") or notice.header("References"))
    if answers and ANSWERING_SUBJECTS.match(subject) and quoted_share(own) > 0.3:
        # Also a postmaster is a person when he answers.
        return True
    if any(is_system_address(address) for address in senders) or (
        is_system_name(notice.header("From")) and not _FORWARDED.search(own[:4_000])
    ):
        return False
    if "Return-Path" in notice.fields and is_null_path(notice.header("Return-Path")):
        return False
    if quoted_share(own) > 0.3 or _FORWARDED.search(own[:4_000]):
        return True
    opening = ANSWERING_SUBJECTS.match(subject)
    if opening is None:
        return False
    # `Re: your mail : delivery failed` is how some gateways word it: what follows Re: is the subject they return.
    rest = ANSWERING_SUBJECTS.sub("", subject).lower()
    failing = FAILING_SUBJECTS.search(rest)
    return answers or notice.has_mail_inside or failing is None or failing.start() < 3
