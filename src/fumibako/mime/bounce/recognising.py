"""Recognising error mails: what a mail is, who did not get it and why. Only reads; trust is decided elsewhere.

First what the structure says (RFC 3464, 5965, 8098), then who signed it, then what it says in its own words. People who
quote or forward an error mail, and robots that answer, are recognised as what they are.
"""

from __future__ import annotations

import re
from typing import Final

from fumibako.mime.bounce.automatic import is_answer_of_a_robot, is_auto_reply, is_by_a_person, is_feedback
from fumibako.mime.bounce.dialects import DIALECTS
from fumibako.mime.bounce.dialects.dialect import Dialect
from fumibako.mime.bounce.dialogue import best_status, command_in
from fumibako.mime.bounce.failing_words import DELAYING, FAILING, GIVEN_UP
from fumibako.mime.bounce.first_look import is_surely_ordinary
from fumibako.mime.bounce.judging import judged
from fumibako.mime.bounce.notice import Notice, read_notice
from fumibako.mime.bounce.originals import original_of
from fumibako.mime.bounce.own_words import Divided, divide
from fumibako.mime.bounce.recipients import failed_recipients, has_listed_recipients
from fumibako.mime.bounce.report import RECIPIENTS, Found, Kind, Report
from fumibako.mime.bounce.senders import (
    DELAY_SUBJECTS,
    DIGEST_SUBJECTS,
    FAILING_SUBJECTS,
    is_null_path,
    is_system_address,
    is_system_name,
)
from fumibako.mime.bounce.status_report import read_status
from fumibako.mime.bounce.wording import plain

FIRST_WORDS: Final = 6_000

_POLITE: Final = re.compile(
    r"お世話|よろしく|お願い(?:いた|申し|し)|お疲れ|教えて|拝啓|"
    r"\b(?:regards|thanks|thank you|hello|hi|dear|sincerely|cheers|please help)\b",
    re.I,
)


def recognise(raw: bytes) -> Report:
    """What a mail is. Never raises, for any bytes, and takes bounded time."""
    return Report(Kind.ORDINARY) if is_surely_ordinary(raw) else read_whole(raw)


def read_whole(raw: bytes) -> Report:
    """The same without the first look: every mail is taken apart and read."""
    notice = _unwrapped(read_notice(raw))
    if is_feedback(notice):
        return Report(Kind.FEEDBACK)
    if notice.has_receipt:
        return Report(Kind.RECEIPT)
    divided = divide(notice.words)
    dialect = next((one for one in DIALECTS if one.speaks(notice, divided.own)), None)
    if notice.statuses and _may_report(notice) and not is_by_a_person(notice, divided.own):
        report = _of_status_report(notice, divided, dialect)
        if report is not None:
            return report
    return _of_words(notice, divided, dialect)


def _may_report(notice: Notice) -> bool:
    """A report part counts in a report, or in whatever a mail system signed; not among the files a person sends."""
    return notice.type == "multipart/report" or is_signed_by_system(notice) or has_system_name(notice)


def _unwrapped(notice: Notice) -> Notice:
    """The report inside, where a mail system's filter or provider wrapped it in a mail or a letter of its own.

    Only what a mail system signed is unwrapped, once: what people forward stays closed.
    """
    inside = notice.inside
    if not inside or notice.statuses or not (is_signed_by_system(notice) or has_system_name(notice)):
        return notice
    inner = read_notice(inside)
    return inner if inner.statuses or inner.header("X-Failed-Recipients") else notice


def _of_status_report(notice: Notice, divided: Divided, dialect: Dialect | None) -> Report | None:
    """RFC 3464. None when the report names nobody: then the words may."""
    found = [one for text in notice.statuses[:50] for one in read_status(text)][:RECIPIENTS]
    if not found:
        return None
    told = _told_in_words(notice, divided, dialect)
    _complete(found, told, divided.own)
    kind = _kind_of({one.action for one in found})
    return _report(kind, [one for one in found if one.address or kind is not Kind.BOUNCE], notice, divided, dialect)


def _complete(found: list[Found], told: list[Found], own: str) -> None:
    """What the fields leave out, the words often say: the address behind a pipe, the answer of the server."""
    words_of = {one.address.lower(): one for one in told}
    for one in found:
        if not one.address:
            # A pipe or a folder failed; whose it is stands in the words.
            one.address = next((other.address for other in told), "")
            one.around = ""
        other = words_of.get(one.address.lower())
        if other is not None:
            one.words = one.words or other.words
            one.hint = one.hint or other.hint
            one.around = other.around
            one.command = one.command or other.command or command_in(other.words)
        elif len(found) == 1:
            one.around = own


def _of_words(notice: Notice, divided: Divided, dialect: Dialect | None) -> Report:
    own = divided.own
    if is_by_a_person(notice, own):
        return Report(Kind.AUTO_REPLY if is_auto_reply(notice, own) else Kind.ORDINARY)
    words = plain(own[:FIRST_WORDS])
    subject = notice.header("Subject").lower()
    is_delay = _is_delay(words, subject)
    is_failing = FAILING.search(words) is not None or bool(notice.header("X-Failed-Recipients"))
    has_failing_subject = FAILING_SUBJECTS.search(subject) is not None
    speaks_of_failing = is_failing or is_delay or has_failing_subject
    is_known = dialect is not None and (is_failing or is_signed_by_system(notice))
    if not is_known and not has_failing_subject and not is_delay and is_answer_of_a_robot(notice):
        return Report(Kind.AUTO_REPLY)
    if DIGEST_SUBJECTS.search(subject) is not None and not notice.header("X-Failed-Recipients"):
        return Report(Kind.ORDINARY)
    if is_signed_by_system(notice):
        is_notice = dialect is not None or speaks_of_failing
    elif has_failing_subject:
        is_formal = (is_failing or is_delay) and _is_formal(own)
        is_notice = dialect is not None or is_formal or _has_name_and_recipient(notice, own)
    else:
        is_notice = _is_proven(notice, dialect, speaks_of_failing) or (
            speaks_of_failing and _has_name_and_recipient(notice, own)
        )
    if is_notice:
        return _of_found(_told_in_words(notice, divided, dialect), is_delay, notice, divided, dialect)
    if is_auto_reply(notice, own):
        return Report(Kind.AUTO_REPLY)
    return Report(Kind.ORDINARY)


def _is_proven(notice: Notice, dialect: Dialect | None, speaks_of_failing: bool) -> bool:
    """Whether only this system writes so, whoever signed. Words alone prove nothing: people have them in signatures."""
    if dialect is None or not dialect.is_proof:
        return False
    return dialect.is_in_head(notice) or (speaks_of_failing and bool(notice.header("Auto-Submitted")))


def _has_name_and_recipient(notice: Notice, own: str) -> bool:
    return has_system_name(notice) and _names_somebody(own)


def _is_formal(own: str) -> bool:
    """Whether a text is written as programs write notices: an address in a line of its own, or the answer of a server.

    What people write about mail that does not arrive has greetings, or addresses inside its sentences.
    """
    start = own[:FIRST_WORDS]
    return bool(best_status(start)) or (has_listed_recipients(start) and _POLITE.search(start) is None)


def _names_somebody(own: str) -> bool:
    return bool(best_status(own[:FIRST_WORDS])) or "@" in own[:FIRST_WORDS]


def _of_found(found: list[Found], is_delay: bool, notice: Notice, divided: Divided, dialect: Dialect | None) -> Report:
    if is_delay:
        for one in found:
            one.action = "delayed"
    actions = {one.action for one in found} or {"delayed" if is_delay else "failed"}
    return _report(_kind_of(actions), found, notice, divided, dialect)


def _kind_of(actions: set[str]) -> Kind:
    """One failed recipient makes an error mail of it, whatever became of the others."""
    if "failed" in actions:
        return Kind.BOUNCE
    return Kind.DELAY if "delayed" in actions else Kind.RECEIPT


def _is_delay(words: str, subject: str) -> bool:
    if DELAY_SUBJECTS.search(subject) is not None and not subject.startswith("returned mail"):
        return True
    return DELAYING.search(words) is not None and GIVEN_UP.search(words) is None


def _told_in_words(notice: Notice, divided: Divided, dialect: Dialect | None) -> list[Found]:
    found: list[Found] = []
    if dialect is not None and dialect.read is not None:
        found = dialect.read(notice, divided.own)
    if not found:
        header = notice.header("X-Failed-Recipients")
        mine = {
            address.lower() for name in ("To", "From", "Reply-To", "Return-Path") for address in notice.addresses(name)
        }
        found = failed_recipients(divided.own, header, mine)
    return found or _addressees(notice, divided)


def _addressees(notice: Notice, divided: Divided) -> list[Found]:
    """Where a notice names nobody: the one the returned mail was for, when it was for one."""
    to = original_of(notice, divided.returned, divided.own).to_addresses
    return [Found(to[0], around=divided.own)] if len(to) == 1 else []


def is_signed_by_system(notice: Notice) -> bool:
    """Whether a mail system signed it: by its address, with an empty return path, or with nothing at all."""
    addresses = [*notice.addresses("From"), *notice.addresses("Sender")]
    if any(is_system_address(address) for address in addresses):
        return True
    if "Return-Path" in notice.fields and is_null_path(notice.header("Return-Path")):
        return True
    return not addresses and "Reply-To" not in notice.fields


def has_system_name(notice: Notice) -> bool:
    """Whether only the name says "Mail Delivery System": anybody can call themselves so."""
    return is_system_name(notice.header("From"))


def _report(kind: Kind, found: list[Found], notice: Notice, divided: Divided, dialect: Dialect | None) -> Report:
    hint = dialect.hint if dialect is not None else ""
    seen: dict[str, None] = {}
    failures = []
    for one in found:
        one.hint = one.hint or hint
        one.is_one_of_several = len(found) > 1
        if one.address.lower() in seen:
            continue
        seen.setdefault(one.address.lower())
        failures.append(judged(one))
    return Report(kind, tuple(failures), original_of(notice, divided.returned, divided.own))
