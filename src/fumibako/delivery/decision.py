"""What follows from one attempt, for the delivery, for the person and for the account: values from pure functions.

Only a complete 5xx about the recipient's own address ever counts against a person. Trouble with the connection, the
login or the sender costs no recipient a try; it slows the account down and, three times in a row, stops it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from . import retry
from .outcome import Outcome, Scope, Stage, Verdict
from .states import Trigger

NO_WAIT = timedelta(0)


class Effect(StrEnum):
    """What an attempt means for everything else the account has to send."""

    NONE = "none"
    """Says nothing about the account: the mail itself was at fault."""
    WELL = "well"
    """The server answered in full: trouble in a row, if any, is over."""
    SLOW = "slow"
    """Wait, then go on by itself."""
    PAUSE_JOB = "pause_job"
    """The server does not take this job's sender: the job waits for a person."""
    STOP = "stop"
    """The account waits for a person."""


@dataclass(frozen=True, slots=True)
class AccountMove:
    """What to do with the account: `cause` is a word of `pace.Cause`, `why` the engine's word for the trouble."""

    effect: Effect
    wait: timedelta = NO_WAIT
    cause: str = ""
    why: str = ""


ALL_WELL = AccountMove(Effect.WELL)
UNTOUCHED = AccountMove(Effect.NONE)

BEFORE_MAIL = frozenset(
    {Stage.NAME, Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.TLS, Stage.LOGIN, Stage.POP_LOGIN}
)


@dataclass(frozen=True, slots=True)
class Move:
    """What to do with one delivery: leave by `trigger`, not before `wait` has passed.

    `is_charged`: one more deferral on the row. `is_counted`: one more error on the person's address.
    """

    trigger: Trigger
    wait: timedelta = NO_WAIT
    is_charged: bool = False
    is_counted: bool = False
    account: AccountMove = field(default=ALL_WELL)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known beside the answer: tries of the row, trouble of the account in a row, and the session so far.

    `seed` is any number of the row; it makes the spread of waits repeatable.
    """

    attempt: int = 1
    deferred_count: int = 0
    trouble_count: int = 0
    session_mail_count: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """The figures an installation lives by."""

    patience_count: int = 3
    """Account-level trouble in a row that stops the account, or pauses the job when it is about the sender."""
    connection_waits: tuple[timedelta, ...] = (timedelta(minutes=1), timedelta(minutes=5))
    login_waits: tuple[timedelta, ...] = (timedelta(minutes=20), timedelta(minutes=40))
    """At most three log-ins an hour in any fault (S13)."""
    push_back_waits: tuple[timedelta, ...] = (
        timedelta(minutes=5),
        timedelta(minutes=15),
        timedelta(minutes=60),
    )
    sender_wait: timedelta = timedelta(minutes=1)


POLICY = Policy()


def decide(outcome: Outcome, standing: Standing, policy: Policy = POLICY) -> Move:
    """Return what follows from one attempt to hand over one mail."""
    match outcome.verdict:
        case Verdict.SENT:
            return Move(Trigger.ACCEPT)
        case Verdict.UNCERTAIN:
            return Move(Trigger.LOSE_ANSWER, account=_after_loss(standing, policy))
        case Verdict.UNREACHABLE:
            return _after_lost_line(outcome, standing, policy)
        case Verdict.DEFERRED | Verdict.REFUSED:
            return _after_answer(outcome, standing, policy)


def decide_session(
    stage: Stage, code: int, why: str, standing: Standing, policy: Policy = POLICY, *, is_lasting: bool = False
) -> AccountMove:
    """Return what follows when no session came about: nothing was claimed, so no delivery is touched.

    A wrong password (5xx to the login, S13) stops at once: more tries lock mailboxes. So does what `is_lasting`, which
    time does not heal: a certificate that is wrong, a login that is not offered. Anything else may come three times.
    `why` is the engine's word for the trouble.
    """
    is_login = stage in (Stage.LOGIN, Stage.POP_LOGIN)
    if is_lasting or (is_login and 500 <= code < 600):
        return AccountMove(Effect.STOP, cause="trouble", why=why)
    if code == 421:
        return _push_back(standing, policy)
    return _in_a_row(standing, policy, policy.login_waits if is_login else policy.connection_waits, why)


def counts_against_address(outcome: Outcome) -> bool:
    """True for a complete 5xx to the recipient itself, unless the status says it is not about the mailbox.

    RFC 3463 §3: X.3 mail system, X.5 protocol, X.6 content and X.7 security or policy blame us or the server.
    """
    return (
        outcome.verdict is Verdict.REFUSED
        and outcome.scope is Scope.RECIPIENT
        and 500 <= outcome.code < 600
        and not outcome.enhanced.startswith(("5.3.", "5.5.", "5.6.", "5.7."))
    )


def _after_lost_line(outcome: Outcome, standing: Standing, policy: Policy) -> Move:
    if outcome.stage in BEFORE_MAIL:
        account = decide_session(outcome.stage, outcome.code, "line_lost", standing, policy)
        return Move(Trigger.PUT_BACK, account=account)
    wait = retry.lost_line(standing.attempt, standing.seed)
    return Move(Trigger.PUT_BACK, wait, account=_after_loss(standing, policy))


def _after_answer(outcome: Outcome, standing: Standing, policy: Policy) -> Move:
    is_refused = outcome.verdict is Verdict.REFUSED
    by_answer = Trigger.REFUSE if is_refused else Trigger.DEFER
    if outcome.scope in (Scope.SESSION, Scope.SENDER):
        # After the dot a row leaves by the answer it got, for only an unwritten dot may be put back. Nobody is charged.
        trigger = by_answer if outcome.stage is Stage.DOT else Trigger.PUT_BACK
        return Move(trigger, account=_account_after(outcome, standing, policy))
    if is_refused:
        account = UNTOUCHED if outcome.stage is Stage.BUILD else ALL_WELL
        return Move(Trigger.REFUSE, is_counted=counts_against_address(outcome), account=account)
    return Move(Trigger.DEFER, retry.deferral(standing.deferred_count, standing.seed), is_charged=True)


def _account_after(outcome: Outcome, standing: Standing, policy: Policy) -> AccountMove:
    if outcome.scope is Scope.SENDER:
        return _sender_refused(standing, policy)
    if outcome.verdict is Verdict.REFUSED:
        return _in_a_row(standing, policy, policy.connection_waits, "login_required")
    return _push_back(standing, policy)


def _after_loss(standing: Standing, policy: Policy) -> AccountMove:
    """A first lost line is tried again at once; servers close lines for many harmless reasons."""
    return _in_a_row(standing, policy, (NO_WAIT, *policy.connection_waits), "line_lost")


def _sender_refused(standing: Standing, policy: Policy) -> AccountMove:
    if standing.trouble_count + 1 >= policy.patience_count:
        return AccountMove(Effect.PAUSE_JOB, why="sender_refused")
    return AccountMove(Effect.SLOW, policy.sender_wait, "trouble", "sender_refused")


def _push_back(standing: Standing, policy: Policy) -> AccountMove:
    """The provider asks for less. That it closes the line after some mails (421) asks for a new line only."""
    if standing.session_mail_count > 0 and standing.trouble_count == 0:
        return AccountMove(Effect.SLOW, NO_WAIT, "push_back", "server_busy")
    wait = policy.push_back_waits[min(standing.trouble_count, len(policy.push_back_waits) - 1)]
    return AccountMove(Effect.SLOW, retry.spread(wait, standing.seed), "push_back", "server_busy")


def _in_a_row(standing: Standing, policy: Policy, waits: tuple[timedelta, ...], why: str) -> AccountMove:
    if standing.trouble_count + 1 >= policy.patience_count:
        return AccountMove(Effect.STOP, cause="trouble", why=why)
    return AccountMove(Effect.SLOW, waits[min(standing.trouble_count, len(waits) - 1)], "trouble", why)
