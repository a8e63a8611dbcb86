"""What follows from each answer, as tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fumibako.delivery.decision import POLICY, Effect, Standing, counts_against_address, decide, decide_session
from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict
from fumibako.delivery.states import Trigger

SENT, DEFERRED, REFUSED = Verdict.SENT, Verdict.DEFERRED, Verdict.REFUSED
UNREACHABLE, UNCERTAIN = Verdict.UNREACHABLE, Verdict.UNCERTAIN

TABLE = [
    # SPEC §2.3: verdict, scope, stage, code, enhanced → trigger, charged, counted, effect
    (SENT, Scope.RECIPIENT, Stage.DOT, 250, "2.0.0", Trigger.ACCEPT, False, False, Effect.WELL),
    (REFUSED, Scope.RECIPIENT, Stage.RCPT, 550, "5.1.1", Trigger.REFUSE, False, True, Effect.WELL),
    (REFUSED, Scope.RECIPIENT, Stage.RCPT, 550, "", Trigger.REFUSE, False, True, Effect.WELL),
    (REFUSED, Scope.RECIPIENT, Stage.DOT, 550, "5.2.1", Trigger.REFUSE, False, True, Effect.WELL),
    (REFUSED, Scope.RECIPIENT, Stage.RCPT, 550, "5.7.1", Trigger.REFUSE, False, False, Effect.WELL),
    (REFUSED, Scope.MESSAGE, Stage.DOT, 554, "5.6.0", Trigger.REFUSE, False, False, Effect.WELL),
    (REFUSED, Scope.MESSAGE, Stage.DATA, 554, "", Trigger.REFUSE, False, False, Effect.WELL),
    (REFUSED, Scope.MESSAGE, Stage.MAIL, 0, "", Trigger.REFUSE, False, False, Effect.WELL),
    (REFUSED, Scope.MESSAGE, Stage.BUILD, 0, "", Trigger.REFUSE, False, False, Effect.NONE),
    (DEFERRED, Scope.RECIPIENT, Stage.RCPT, 450, "", Trigger.DEFER, True, False, Effect.WELL),
    (DEFERRED, Scope.MESSAGE, Stage.DOT, 451, "4.3.0", Trigger.DEFER, True, False, Effect.WELL),
    (DEFERRED, Scope.SESSION, Stage.RCPT, 450, "4.7.1", Trigger.PUT_BACK, False, False, Effect.SLOW),
    (DEFERRED, Scope.SESSION, Stage.MAIL, 421, "", Trigger.PUT_BACK, False, False, Effect.SLOW),
    (DEFERRED, Scope.SESSION, Stage.DOT, 454, "4.7.0", Trigger.DEFER, False, False, Effect.SLOW),
    (REFUSED, Scope.SESSION, Stage.MAIL, 530, "5.7.0", Trigger.PUT_BACK, False, False, Effect.SLOW),
    (REFUSED, Scope.SENDER, Stage.MAIL, 553, "5.1.8", Trigger.PUT_BACK, False, False, Effect.SLOW),
    (DEFERRED, Scope.SENDER, Stage.MAIL, 450, "", Trigger.PUT_BACK, False, False, Effect.SLOW),
    (UNREACHABLE, Scope.SESSION, Stage.MAIL, 0, "", Trigger.PUT_BACK, False, False, Effect.SLOW),
    (UNREACHABLE, Scope.SESSION, Stage.BODY, 0, "", Trigger.PUT_BACK, False, False, Effect.SLOW),
    (UNREACHABLE, Scope.SESSION, Stage.LOGIN, 535, "", Trigger.PUT_BACK, False, False, Effect.STOP),
    (UNCERTAIN, Scope.SESSION, Stage.DOT, 0, "", Trigger.LOSE_ANSWER, False, False, Effect.SLOW),
]


@pytest.mark.parametrize(
    ("verdict", "scope", "stage", "code", "enhanced", "trigger", "is_charged", "is_counted", "effect"), TABLE
)
def test_each_result_of_the_table(
    verdict: Verdict,
    scope: Scope,
    stage: Stage,
    code: int,
    enhanced: str,
    trigger: Trigger,
    is_charged: bool,
    is_counted: bool,
    effect: Effect,
) -> None:
    move = decide(Outcome(verdict, scope, stage, code, enhanced), Standing())
    assert (move.trigger, move.is_charged, move.is_counted) == (trigger, is_charged, is_counted)
    assert move.account.effect is effect


def test_only_a_complete_5xx_about_the_recipient_ever_counts_against_a_person() -> None:
    for verdict in Verdict:
        for scope in Scope:
            for stage in Stage:
                for code in (0, 250, 421, 450, 550, 554, 600):
                    outcome = Outcome(verdict, scope, stage, code)
                    if decide(outcome, Standing()).is_counted:
                        assert verdict is REFUSED
                        assert scope is Scope.RECIPIENT
                        assert 500 <= code < 600
                        assert counts_against_address(outcome)


def test_what_was_after_the_dot_is_never_put_back() -> None:
    for verdict in (SENT, DEFERRED, REFUSED, UNCERTAIN):
        for scope in Scope:
            move = decide(Outcome(verdict, scope, Stage.DOT, 450), Standing())
            assert move.trigger is not Trigger.PUT_BACK


def test_s13_a_refused_login_stops_the_account_after_one_try() -> None:
    assert decide_session(Stage.LOGIN, 535, "login_refused", Standing()).effect is Effect.STOP


def test_s14_a_login_that_fails_for_now_is_tried_again_and_never_more_than_three_times_an_hour() -> None:
    moves = [decide_session(Stage.LOGIN, 454, "server_busy", Standing(trouble_count=count)) for count in range(3)]
    assert [move.effect for move in moves] == [Effect.SLOW, Effect.SLOW, Effect.STOP]
    assert moves[0].wait + moves[1].wait >= timedelta(hours=1)


def test_s01_no_connection_is_tried_three_times_with_waits_between() -> None:
    moves = [decide_session(Stage.CONNECT, 0, "refused", Standing(trouble_count=count)) for count in range(3)]
    assert [move.effect for move in moves] == [Effect.SLOW, Effect.SLOW, Effect.STOP]
    assert timedelta(0) < moves[0].wait < moves[1].wait


def test_s10_trouble_that_time_does_not_heal_stops_the_account_at_once() -> None:
    move = decide_session(Stage.TLS, 0, "certificate_expired", Standing(), is_lasting=True)
    assert (move.effect, move.why) == (Effect.STOP, "certificate_expired")


def test_s16_the_third_refused_sender_in_a_row_pauses_the_job() -> None:
    refused = Outcome(REFUSED, Scope.SENDER, Stage.MAIL, 553)
    effects = [decide(refused, Standing(trouble_count=count)).account.effect for count in range(3)]
    assert effects == [Effect.SLOW, Effect.SLOW, Effect.PAUSE_JOB]


def test_s19_a_server_that_closes_after_some_mails_only_wants_a_new_line() -> None:
    closing = Outcome(DEFERRED, Scope.SESSION, Stage.MAIL, 421)
    assert decide(closing, Standing(session_mail_count=20)).account.wait == timedelta(0)
    assert decide(closing, Standing(session_mail_count=0)).account.wait >= timedelta(minutes=4)


def test_push_back_grows_and_never_stops_the_account() -> None:
    busy = Outcome(DEFERRED, Scope.SESSION, Stage.RCPT, 450, "4.7.1")
    moves = [decide(busy, Standing(trouble_count=count)).account for count in range(8)]
    assert {move.effect for move in moves} == {Effect.SLOW}
    assert [move.wait for move in moves] == sorted(move.wait for move in moves)
    assert moves[-1].wait <= POLICY.push_back_waits[-1] * 1.2


def test_three_lost_answers_in_a_row_stop_the_account_before_thousands_are_unknown() -> None:
    lost = Outcome(UNCERTAIN, Scope.SESSION, Stage.DOT)
    effects = [decide(lost, Standing(trouble_count=count)).account.effect for count in range(3)]
    assert effects == [Effect.SLOW, Effect.SLOW, Effect.STOP]


def test_a_mail_that_loses_the_line_steps_aside_longer_each_time() -> None:
    lost = Outcome(UNREACHABLE, Scope.SESSION, Stage.BODY)
    waits = [decide(lost, Standing(attempt=attempt)).wait for attempt in (1, 2, 3, 4, 9)]
    assert waits == sorted(waits)
    assert waits[0] >= timedelta(seconds=48)
