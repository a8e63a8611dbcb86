"""What a server's answer means, and whom it is about. Pure rules, read as tables.

Only an answer about the recipient's own address may count against a person; when in doubt it is about the mail.
A server that pushes back on us as a customer (421, 4.7.x, "too many") is about the session: nobody's fault but ours.
"""

from __future__ import annotations

import re

from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict
from fumibako.protocol.errors import RemoteError
from fumibako.protocol.smtp.replies import Reply

_PUSH_BACK_CODES = frozenset({450, 451, 452, 454})
_PUSH_BACK_WORDS = re.compile(r"too many|too fast|slow down|throttl|\brate\b", re.IGNORECASE)
_GREYLIST_WORDS = re.compile(r"gr[ae]y-?\s?list", re.IGNORECASE)
_SIZE_WORDS = re.compile(r"\bsize\b|too (?:large|big|long)|message length", re.IGNORECASE)
_SIZE_STATUS = frozenset({"5.3.4", "4.3.4", "5.2.3", "4.2.3"})
_ACCOUNT_WORDS = re.compile(
    r"\brelay|authentication (?:is )?required|not (?:logged|authenticated)|must (?:log ?in|authenticate)", re.IGNORECASE
)


def outcome_of_mail(reply: Reply) -> Outcome:
    """Judge a negative answer to MAIL FROM."""
    if _is_about_session(reply):
        return _outcome(reply, Scope.SESSION, Stage.MAIL)
    is_size = reply.code in (452, 552) and _is_about_size(reply)
    return _outcome(reply, Scope.MESSAGE if is_size else Scope.SENDER, Stage.MAIL)


def outcome_of_recipient(reply: Reply) -> Outcome:
    """Judge a negative answer to the recipient's RCPT TO."""
    if _is_about_session(reply):
        return _outcome(reply, Scope.SESSION, Stage.RCPT)
    if not reply.is_transient and _ACCOUNT_WORDS.search(reply.text):
        # "Relay access denied" is the answer to an account that is not logged in where it should be.
        return _outcome(reply, Scope.SENDER, Stage.RCPT)
    return _outcome(reply, Scope.RECIPIENT, Stage.RCPT)


def outcome_of_content(
    reply: Reply, stage: Stage, *, has_copies: bool = False, refused_copies: tuple[str, ...] = ()
) -> Outcome:
    """Judge a negative answer to DATA, or any answer to the final dot.

    After the dot only a 25z says "taken", 4yz and 5yz say "not taken". A 200, 220, 221 or 354 answers something else.
    With copies in the envelope "no such mailbox" may be about a copy, so it does not count against the recipient.
    """
    if stage is Stage.DOT and 250 <= reply.code < 260:
        return Outcome(
            Verdict.SENT, Scope.RECIPIENT, stage, reply.code, reply.enhanced, reply.text, refused_copies=refused_copies
        )
    if not reply.is_negative:
        return Outcome(Verdict.UNCERTAIN, Scope.SESSION, stage, 0, "", f"unexpected answer {reply.code} {reply.text}")
    if _is_about_session(reply):
        return _outcome(reply, Scope.SESSION, stage)
    is_personal = not has_copies and _is_about_mailbox(reply)
    return _outcome(reply, Scope.RECIPIENT if is_personal else Scope.MESSAGE, stage)


def outcome_of_loss(error: RemoteError, stage: Stage) -> Outcome:
    """Judge a conversation that broke. Only from the final dot on may the mail have gone (RFC 1047)."""
    verdict = Verdict.UNCERTAIN if stage is Stage.DOT else Verdict.UNREACHABLE
    return Outcome(verdict, Scope.SESSION, stage, text=error.detail)


def _outcome(reply: Reply, scope: Scope, stage: Stage) -> Outcome:
    verdict = Verdict.DEFERRED if reply.is_transient else Verdict.REFUSED
    return Outcome(verdict, scope, stage, reply.code, reply.enhanced, reply.text)


def _is_about_session(reply: Reply) -> bool:
    if reply.code in (421, 530):
        return True
    if reply.code not in _PUSH_BACK_CODES:
        return False
    text = reply.text
    # Greylisting is often written as 4.7.1, but it is about this recipient and passes by itself.
    if _GREYLIST_WORDS.search(text):
        return False
    return reply.enhanced.startswith("4.7.") or bool(_PUSH_BACK_WORDS.search(text))


def _is_about_size(reply: Reply) -> bool:
    return reply.enhanced in _SIZE_STATUS or bool(_SIZE_WORDS.search(reply.text))


def _is_about_mailbox(reply: Reply) -> bool:
    if _is_about_size(reply):
        return False
    if reply.is_transient:
        return True
    return reply.enhanced.startswith(("5.1.", "5.2."))
