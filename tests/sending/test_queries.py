"""Where a job stands: sums that always add up, a state computed from them, one sentence about now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fumibako.apps.accounts.models import AccountPermission, MailAccount
from fumibako.apps.office.models import Operator
from fumibako.apps.sending import actions, ledger, queries
from fumibako.apps.sending.errors import SumsDisagree
from fumibako.apps.sending.models import BulkSend, Delivery, Pace, Worker
from fumibako.apps.sending.state import JobCounts, JobState, opens_result
from fumibako.delivery.states import IN_FLIGHT, State
from tests.sending.drafting import NOW, approve, fresh, make_draft, make_person
from tests.support.jobs import make_account, put_into

pytestmark = pytest.mark.django_db


def make_running(states: list[State], **account: Any) -> BulkSend:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(len(states))]
    job = approve(make_draft(people, make_account(**account)))
    ledger.release_due(NOW)
    for row, state in zip(job.deliveries.order_by("seq"), states, strict=True):
        owner = "w1" if state in IN_FLIGHT else ""
        put_into(row, state, owner=owner, exclusion="cannot" if state is State.SUPPRESSED else "")
    return fresh(job)


def account_of(job: BulkSend) -> MailAccount:
    assert job.account is not None
    return job.account


def state_now(job: BulkSend) -> str:
    return queries.status_line(fresh(job), now=NOW).state


def text_now(job: BulkSend, **later: Any) -> str:
    return queries.status_line(fresh(job), now=NOW + timedelta(**later)).text


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(st.sampled_from(list(State)), min_size=1, max_size=12))
def test_p1_the_sums_add_up_to_the_frozen_rows_in_every_mixture_of_states(states: list[State]) -> None:
    people = [make_person(f"見本{n} 花子", f"q{BulkSend.objects.count()}-{n}@example.jp") for n in range(len(states))]
    job = approve(make_draft(people))
    for row, state in zip(job.deliveries.order_by("seq"), states, strict=True):
        put_into(row, state, owner="w" if state in IN_FLIGHT else "", exclusion="x" if state == "suppressed" else "")
    counts = queries.counts_of_job(fresh(job))
    sums = (counts.sent, counts.failed, counts.unknown, counts.excluded, counts.waiting, counts.unsent)
    assert sum(sums) == counts.total == len(states)
    assert sum(queries.filtered(job, {"result": word}).count() for word in queries.FILTERS) == len(states)


def test_p1_a_row_that_disappeared_is_never_glossed_over() -> None:
    job = make_running([State.SENT, State.SENT])
    BulkSend.objects.filter(pk=job.pk).update(selected_count=3)
    with pytest.raises(SumsDisagree):
        queries.counts_of_job(fresh(job))


def test_a_whole_page_of_jobs_costs_two_queries_more_than_the_jobs() -> None:
    for _ in range(5):
        make_running([State.SENT])
    with CaptureQueriesContext(connection) as spent:
        assert len(queries.lines(queries.jobs(None), NOW)) == 5
    assert len(spent) == 3


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([State.SENT, State.SENT], "done"),
        ([State.SENT, State.SUPPRESSED], "done"),
        ([State.SUPPRESSED], "done"),
        ([State.SENT, State.FAILED], "partly_failed"),
        ([State.SENT, State.UNKNOWN], "partly_failed"),
        ([State.SENT, State.EXPIRED], "partly_failed"),
        ([State.SENT, State.BOUNCED], "partly_failed"),
        ([State.FAILED, State.FAILED], "failed"),
        ([State.EXPIRED], "failed"),
        ([State.SENT, State.QUEUED], "sending"),
        ([State.HANDING_OVER], "sending"),
    ],
)
def test_the_state_follows_from_the_rows(states: list[State], expected: str) -> None:
    assert state_now(make_running(states)) == expected


def test_before_the_start_it_is_a_draft_a_hold_or_a_reservation() -> None:
    draft = make_draft([make_person("山田 太郎", "a@example.jp")])
    assert state_now(draft) == "draft"
    job = approve(draft, start=NOW + timedelta(minutes=30))
    assert state_now(job) == "hold"
    assert text_now(job) == "10:30 に 1通の送信を開始します。"
    BulkSend.objects.filter(pk=job.pk).update(release_at=NOW + timedelta(days=1))
    assert state_now(job) == "scheduled"
    assert text_now(job) == "11/25 10:00 に 1通の送信を開始します。"


def test_between_bursts_it_rests_and_says_for_how_long() -> None:
    job = make_running([State.SENT, State.QUEUED], batch_size=1, sleep_seconds=600)
    Pace.objects.create(account=account_of(job), next_slot_at=NOW + timedelta(seconds=372), wait_cause="pause")
    line = queries.status_line(job, now=NOW)
    assert (line.state, line.seconds_to_resume) == ("resting", 372)
    assert line.text == "休止しています。6分12秒後に再開します。"


def test_what_the_provider_asked_for_is_said_in_its_own_words() -> None:
    job = make_running([State.QUEUED])
    until = NOW + timedelta(minutes=5)
    pace = Pace.objects.create(
        account=account_of(job), next_slot_at=until, wait_cause="push_back", wait_text="452 4.3.1"
    )
    assert text_now(job) == "提供会社の制限のため 10:05 まで待っています(452 4.3.1)。"
    Pace.objects.filter(pk=pace.pk).update(wait_cause="trouble", wait_text="")
    assert text_now(job) == "メールサーバーにつながらないため、10:05 にやり直します。"
    assert state_now(job) == "limited"


def test_rows_that_wait_for_their_next_try_are_a_state_of_their_own() -> None:
    job = make_running([State.SENT, State.QUEUED])
    Delivery.objects.filter(job=job, seq=2).update(not_before_at=NOW + timedelta(minutes=6), deferred_count=1)
    assert state_now(job) == "retrying"
    assert text_now(job) == "相手のサーバーの求めにより、10:06 に 1通をもう一度送ります。"


def test_a_stopped_account_names_its_trouble() -> None:
    job = make_running([State.QUEUED])
    Pace.objects.create(account=account_of(job), stopped_at=NOW, stop_kind="login_refused")
    line = queries.status_line(job, now=NOW)
    assert line.state == "stopped"
    assert line.is_alarm
    assert "パスワード" in line.text


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("", "一時停止中です(システム 10:00)。"),
        ("failures", "失敗が 20%を超えたため、一時停止しました。"),
        ("attachment_missing", "添付ファイルが見つからないか、内容が変わっているため、一時停止しました。"),
        ("content_changed", "確定した内容を同じ形で作れないため、一時停止しました。"),
    ],
)
def test_a_pause_says_by_whom_or_why(cause: str, words: str) -> None:
    job = make_running([State.QUEUED], stop_failure_percent=20)
    actions.pause(None, job, now=NOW)
    BulkSend.objects.filter(pk=job.pk).update(pause_cause=cause)
    assert text_now(job) == words


def test_the_end_is_told_in_numbers() -> None:
    job = make_running([State.SENT, State.SENT, State.FAILED, State.UNKNOWN])
    assert text_now(job) == "2通を送信しました。1通に失敗しました。1通は結果不明です。"
    stopped = make_running([State.SENT, State.HANDING_OVER])
    actions.cancel(None, stopped, now=NOW)
    assert text_now(stopped) == "送信を中止しました。0通は送っていません。いま引き渡している 1通の結果を待っています。"


def test_a_missing_worker_turns_the_line_red_after_a_minute() -> None:
    job = make_running([State.QUEUED])
    assert not queries.status_line(job, now=NOW + timedelta(seconds=30)).is_worker_missing
    line = queries.status_line(job, now=NOW + timedelta(seconds=90))
    assert (line.is_worker_missing, line.text) == (True, "送信の処理が止まっています。管理者に連絡してください。")
    later = NOW + timedelta(seconds=90)
    Worker.objects.create(id="w", pid=1, host="h", version="1", started_at=NOW, seen_at=later)
    assert not queries.status_line(job, now=later).is_worker_missing


def test_the_estimated_end_counts_the_pauses_still_to_come() -> None:
    job = make_running([State.SENT, *[State.QUEUED] * 4], batch_size=2, sleep_seconds=100)
    Pace.objects.create(account=account_of(job), burst_count=1, mail_seconds=1.0)
    line = queries.status_line(job, now=NOW)
    assert line.finish_at == NOW + timedelta(seconds=204), "one to fill the burst, then two bursts with two pauses"
    actions.pause(None, job, now=NOW)
    assert queries.status_line(fresh(job), now=NOW).finish_at is None


@pytest.mark.parametrize(
    ("notice", "counts", "opens"),
    [
        ("failures", JobCounts(sent=3, total=3), False),
        ("failures", JobCounts(sent=2, failed=1, total=3), True),
        ("failures", JobCounts(sent=2, unknown=1, total=3), True),
        ("failures", JobCounts(sent=2, excluded=1, total=3), False),
        ("failures", JobCounts(sent=2, unsent=1, total=3), False),
        ("always", JobCounts(sent=3, total=3), True),
        ("never", JobCounts(failed=3, total=3), False),
    ],
)
def test_example_17_the_result_opens_by_itself_as_set(notice: str, counts: JobCounts, opens: bool) -> None:
    assert opens_result(notice, counts) is opens


def test_what_needs_a_person_is_listed_unknown_first_and_not_once_it_was_repeated() -> None:
    job = make_running([State.FAILED, State.UNKNOWN, State.SENT, State.FAILED])
    Delivery.objects.filter(job=job, seq=1).update(code=550, enhanced="5.1.1", text="User unknown")
    Delivery.objects.filter(job=job, seq=4).update(code=552, enhanced="5.2.2", text="Mailbox full")
    listed = queries.needs_attention(job)
    assert listed[0].delivery.seq == 2
    by_seq = {one.delivery.seq: one.explanation for one in listed}
    assert by_seq[1].text == "宛先のメールアドレスが存在しません。"
    assert by_seq[2].action == "find_out"
    assert by_seq[4].whose_fault == "mailbox"
    approve(actions.resend_failed(None, job, [job.deliveries.get(seq=1).pk]))
    assert {one.delivery.seq for one in queries.needs_attention(job)} == {2, 4}


def test_jobs_are_found_by_tab_and_by_whom_they_reached() -> None:
    done = make_running([State.SENT])
    sending = make_running([State.QUEUED])
    scheduled = approve(make_draft([make_person("石井 健", "z@example.jp")]), start=NOW + timedelta(days=1))
    draft = make_draft()
    tabs = {tab: [job.pk for job in queries.jobs(None, tab=tab)] for tab in ("done", "sending", "scheduled", "draft")}
    assert tabs == {"done": [done.pk], "sending": [sending.pk], "scheduled": [scheduled.pk], "draft": [draft.pk]}
    assert queries.jobs(None).count() == 4
    assert list(queries.jobs(None, conditions={"recipient": "石井"})) == [scheduled]


@pytest.mark.parametrize(
    ("asked", "is_found"),
    [
        ({"since": "2026-11-24"}, True),
        ({"since": "2026-11-25"}, False),
        ({"until": "2026-11-24"}, True),
        ({"until": "2026-11-23"}, False),
        ({"since": "0001-01-01", "until": "9999-12-31"}, True),
    ],
)
def test_days_are_those_of_the_office_and_the_last_one_belongs_to_them(asked: dict[str, str], is_found: bool) -> None:
    job = make_draft()
    BulkSend.objects.filter(pk=job.pk).update(created_at=datetime(2026, 11, 23, 15, 30, tzinfo=UTC))
    assert queries.jobs(None, conditions=asked).exists() is is_found


@pytest.mark.parametrize("odd", [{"since": "昨日"}, {"until": "2026-13-45"}, {"account": "x"}, {"account": "9" * 30}])
def test_a_condition_that_cannot_be_read_is_no_condition(odd: dict[str, str]) -> None:
    make_draft()
    assert queries.jobs(None, conditions=odd).count() == 1


def test_x28_a_job_of_an_account_without_permission_does_not_exist() -> None:
    clerk = Operator.objects.create(username="tanaka", display_name="田中 一郎")
    job = make_running([State.SENT])
    assert not queries.jobs(clerk).exists()
    assert not queries.job_seen_by(clerk, job)
    with pytest.raises(BulkSend.DoesNotExist):
        queries.job_numbered(clerk, job.number)
    AccountPermission.objects.create(account=account_of(job), operator=clerk, may_send=True)
    assert queries.job_numbered(clerk, job.number) == job
    assert queries.job_seen_by(clerk, job)


def test_the_pill_follows_the_newest_job_that_is_not_over() -> None:
    sato = Operator.objects.create(username="sato", display_name="佐藤 美咲", is_administrator=True)
    job = make_running([State.QUEUED])
    BulkSend.objects.filter(pk=job.pk).update(created_by=sato)
    live = queries.live_job(sato, NOW)
    assert live is not None
    assert (live.job, live.state) == (job, JobState.SENDING)
    Delivery.objects.update(state=State.SENT)
    assert queries.live_job(sato, NOW) is None


def test_sent_today_counts_from_local_midnight() -> None:
    job = make_running([State.SENT, State.SENT])
    Delivery.objects.filter(seq=1).update(sent_at=NOW - timedelta(hours=11))
    Delivery.objects.filter(seq=2).update(sent_at=NOW - timedelta(hours=9))
    assert job.account is not None
    assert queries.sent_today([job.account.pk, 999], NOW) == {job.account.pk: 1, 999: 0}
