"""The sending loop against a server that misbehaves on purpose: faults of RELIABILITY §3.1 as the ledger sees them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, Protocol

import pytest
from django.conf import settings

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.recipients.actions import opt_out
from fumibako.apps.recipients.models import PartyAddress
from fumibako.apps.sending import ledger
from fumibako.apps.sending.files import keep_file
from fumibako.apps.sending.models import BulkSend, Delivery, JobAttachment, Pace
from fumibako.apps.sending.work import Fleet, send_account, tidy_up
from fumibako.delivery.states import State
from fumibako.services.mailer import SmtpRoute
from tests.support.jobs import FakeTime, around, make_account, make_job, make_people, row_of, states_of
from tests.support.post_office import ACCEPT_AND_DROP, DROP, PostOffice, Rule

pytestmark = pytest.mark.django_db


class Bench:
    """An account, a job, a server, a clock: and a worker that works until nothing is left before `hours` are over."""

    def __init__(self, office: PostOffice, account: MailAccount, job: BulkSend) -> None:
        self.office, self.account, self.job = office, account, job
        self.port = office.port
        self.clock = FakeTime()
        self.stop = threading.Event()

    def work(self, hours: float = 0, worker_id: str = "w1", **values: Any) -> str:
        """Sweep and send, jumping from one due moment to the next; return the cause of the last wait."""
        end = self.clock.now + timedelta(hours=hours)
        world = around(self.port, self.clock, **{"short_wait": timedelta(0), **values})
        while True:
            tidy_up(self.clock.now)
            wait = send_account(self.account.pk, worker_id, self.stop, world)
            tidy_up(self.clock.now)
            if wait.until is None or wait.until > end:
                return wait.cause
            self.clock.now = max(self.clock.now, wait.until)

    @property
    def states(self) -> dict[str, int]:
        return states_of(self.job)

    def assert_nobody_got_two(self) -> None:
        assert set(self.office.copies().values()) <= {1}


class MakeBench(Protocol):
    """Makes a bench with a job of `count` mails; `account` holds settings of the account."""

    def __call__(self, count: int, rule: Rule = ..., **account: Any) -> Bench: ...


@pytest.fixture
def bench() -> Iterator[MakeBench]:
    """Servers stop when the test ends."""
    with ExitStack() as stack:

        def make(count: int, rule: Rule = willing, **account: Any) -> Bench:
            office = stack.enter_context(PostOffice(rule))
            sender = make_account(**account)
            return Bench(office, sender, make_job(sender, make_people(count)))

        yield make


def willing(step: str, address: str, count: int) -> str | None:
    """Everything goes well."""
    return None


def address_of(job: BulkSend, seq: int) -> str:
    return row_of(job, seq).wire_address


def test_example_02_three_bursts_two_pauses_and_one_session_per_burst(bench: MakeBench) -> None:
    it = bench(25, batch_size=10, sleep_seconds=60)
    started_at = it.clock.now
    assert it.work(hours=1) == "nothing"
    assert it.states == {"sent": 25}
    assert it.clock.now - started_at == timedelta(seconds=120)
    assert (it.office.count_of("EHLO"), it.office.count_of("QUIT")) == (3, 3)
    events = list(it.job.events.order_by("id").values_list("what", flat=True))
    assert events == ["released", *["burst_started", "burst_finished"] * 2, "burst_started", "finished"]
    assert [mail.address for mail in it.office.taken] == list(it.job.deliveries.values_list("wire_address", flat=True))


def test_bursts_are_counted_within_the_job_whatever_the_account_sent_before(bench: MakeBench) -> None:
    it = bench(4, batch_size=2, sleep_seconds=60)
    assert it.work(hours=1) == "nothing"
    second = make_job(it.account, make_people(4))
    assert it.work(hours=1) == "nothing"
    begun = second.events.filter(what="burst_started").order_by("id")
    assert [event.data["burst"] for event in begun] == [1, 2]


def test_a_restart_in_the_middle_of_a_pause_keeps_the_pace(bench: MakeBench) -> None:
    it = bench(4, batch_size=2, sleep_seconds=600)
    assert it.work() == "pause"
    it.clock.pass_by(minutes=9)
    assert it.work(worker_id="after-restart") == "pause"
    assert it.states == {"sent": 2, "queued": 2}
    it.clock.pass_by(minutes=1)
    assert it.work(worker_id="after-restart") == "nothing"
    assert it.states == {"sent": 4}


def test_two_jobs_of_one_account_share_its_pace_and_never_overlap(bench: MakeBench) -> None:
    it = bench(3, batch_size=2, sleep_seconds=60)
    second = make_job(it.account, make_people(3))
    it.work()
    assert (it.states, states_of(second)) == ({"sent": 2, "queued": 1}, {"queued": 3})
    it.work(hours=1)
    order = [mail.address for mail in it.office.taken]
    assert order == [row.wire_address for row in Delivery.objects.order_by("job__number", "seq")]
    assert it.clock.waits == []


def test_s13_a_refused_password_is_tried_once_and_stops_the_account(bench: MakeBench) -> None:
    it = bench(5, lambda step, address, count: "535 5.7.8 no" if step == "AUTH" else None)
    it.office.extensions = ("AUTH LOGIN PLAIN",)
    route = SmtpRoute("127.0.0.1", it.office.port, security="none", auth="LOGIN", user="u", helo_name="example.jp")
    assert it.work(hours=24, route_of=lambda account: route) == "stopped"
    assert it.office.count_of("AUTH") == 1
    assert it.states == {"queued": 5}
    assert Pace.objects.get().stop_kind == "login_refused"
    assert sum(Delivery.objects.values_list("attempt", flat=True)) == 0
    assert [event.data for event in it.job.events.filter(what="stopped")] == [{"why": "login_refused"}]


def test_a_stopped_account_goes_on_once_it_is_saved_with_other_settings(bench: MakeBench) -> None:
    it = bench(2, lambda step, address, count: "535 5.7.8 no" if step == "AUTH" else None)
    Pace.objects.create(account=it.account, stopped_at=it.clock.now - timedelta(days=400), stop_kind="login_refused")
    it.account.save()
    assert it.work() == "nothing"
    assert it.states == {"sent": 2}


def test_s01_a_closed_port_is_tried_three_times_and_no_recipient_is_charged(bench: MakeBench) -> None:
    it = bench(3)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        it.port = closed.getsockname()[1]
    assert it.work(hours=24) == "stopped"
    assert it.states == {"queued": 3}
    assert set(Delivery.objects.values_list("attempt", "deferred_count")) == {(0, 0)}
    assert Pace.objects.get().stop_kind == "refused"


@pytest.mark.parametrize("greeting", ["554 5.3.2 go away", "421 busy", "abc", "2200 hello", ""])
def test_s04_a_greeting_that_is_none_leaves_every_row_queued(bench: MakeBench, greeting: str) -> None:
    it = bench(3, lambda step, address, count: greeting if step == "greeting" else None)
    assert it.work() in ("trouble", "push_back")
    assert it.states == {"queued": 3}
    assert it.office.taken == []


@pytest.mark.parametrize("reply", ["450 4.1.8 x", "452 4.1.8 x", "552 5.1.8 x", "553 5.1.8 x", "550 5.1.8 x"])
def test_s16_a_refused_sender_pauses_the_job_after_three_and_refuses_nobody(bench: MakeBench, reply: str) -> None:
    it = bench(5, lambda step, address, count: reply if step == "MAIL" else None)
    it.work(hours=1)
    it.job.refresh_from_db()
    assert (it.job.pause_cause, it.office.count_of("MAIL")) == ("sender_refused", 3)
    assert it.states == {"queued": 5}
    assert not PartyAddress.objects.filter(error_count__gt=0).exists()


def test_s17_three_refused_of_a_hundred_are_three_failed_and_97_sent(bench: MakeBench) -> None:
    it = bench(100)
    gone = {address_of(it.job, seq) for seq in (1, 50, 100)}
    it.office.rule = lambda step, address, count: "550 5.1.1 no" if step == "RCPT" and address in gone else None
    assert it.work() == "nothing"
    assert it.states == {"sent": 97, "failed": 3}
    assert set(PartyAddress.objects.filter(error_count=1).values_list("address", flat=True)) == gone
    it.assert_nobody_got_two()


def test_s18_greylisting_ends_in_two_attempts_with_five_minutes_between(bench: MakeBench) -> None:
    it = bench(10, lambda step, address, count: "450 4.2.0 greylisted" if step == "RCPT" and count == 1 else None)
    started_at = it.clock.now
    it.work(hours=1)
    assert it.states == {"sent": 10}
    assert set(Delivery.objects.values_list("attempt", "deferred_count")) == {(2, 1)}
    assert not Delivery.objects.filter(sent_at__lt=started_at + timedelta(minutes=5)).exists()


def test_s19_a_server_that_closes_after_seven_mails_gets_them_all_once(bench: MakeBench) -> None:
    it = bench(30)
    it.office.rule = lambda step, address, count: "421 4.7.0 enough" if step == "MAIL" and count % 8 == 0 else None
    assert it.work(hours=1) == "nothing"
    assert it.states == {"sent": 30}
    it.assert_nobody_got_two()


@pytest.mark.parametrize(("reply", "state"), [("451 4.3.0 later", "queued"), ("554 5.6.0 no", "failed")])
def test_s20_no_to_data_defers_or_fails(bench: MakeBench, reply: str, state: str) -> None:
    it = bench(1, lambda step, address, count: reply if step == "DATA" else None)
    it.work()
    assert it.states == {state: 1}


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_s21_a_line_lost_before_the_dot_puts_the_row_back(bench: MakeBench, step: str) -> None:
    it = bench(10, Once(step, times=2))
    it.work(hours=2)
    assert it.states == {"sent": 10}
    assert set(Delivery.objects.values_list("deferred_count", flat=True)) == {0}
    it.assert_nobody_got_two()


class Once:
    """Drops the line at `step` the first `times` times."""

    def __init__(self, step: str, times: int, reply: str = DROP) -> None:
        self.step, self.left, self.reply = step, times, reply

    def __call__(self, step: str, address: str, count: int) -> str | None:
        if step != self.step or self.left == 0:
            return None
        self.left -= 1
        return self.reply


@pytest.mark.parametrize("reply", ["421 4.3.2 closing", "451 4.3.0 later", "452 4.2.2 full", "454 4.3.0 busy"])
def test_s24_s25_a_4xx_after_the_dot_is_tried_again_and_arrives_once(bench: MakeBench, reply: str) -> None:
    it = bench(3, Once("DOT", 1, reply))
    it.work(hours=2)
    assert it.states == {"sent": 3}
    it.assert_nobody_got_two()


@pytest.mark.parametrize("reply", ["550 5.1.1 no", "552 5.2.2 full", "554 5.7.1 spam"])
def test_s26_a_5xx_after_the_dot_fails_with_its_text(bench: MakeBench, reply: str) -> None:
    it = bench(2, Once("DOT", 1, reply))
    it.work()
    assert it.states == {"failed": 1, "sent": 1}
    row = row_of(it.job, 1)
    assert f"{row.code} {row.enhanced} {row.text}".startswith(reply[:9])


@pytest.mark.parametrize("loss", [ACCEPT_AND_DROP, DROP])
def test_s27_s28_a_line_lost_after_the_dot_is_unknown_whatever_became_of_the_mail(bench: MakeBench, loss: str) -> None:
    it = bench(10)
    lost = {address_of(it.job, seq) for seq in (3, 7)}
    it.office.rule = lambda step, address, count: loss if step == "DOT" and address in lost else None
    it.work(hours=3)
    assert it.states == {"sent": 8, "unknown": 2}
    it.assert_nobody_got_two()
    assert set(Delivery.objects.filter(state="unknown").values_list("wire_address", flat=True)) == lost
    it.job.refresh_from_db()
    assert it.job.finished_at is not None


@pytest.mark.parametrize("reply", ["25", "2500 ok", "200 ok", "350 go on", "abc"])
def test_s31_an_answer_to_the_dot_that_is_none_is_unknown(bench: MakeBench, reply: str) -> None:
    it = bench(2, Once("DOT", 1, reply))
    it.work(hours=2)
    assert it.states == {"unknown": 1, "sent": 1}


@pytest.mark.parametrize("reply", [DROP, "554 never"])
def test_s32_what_happens_at_quit_changes_nothing(bench: MakeBench, reply: str) -> None:
    it = bench(2, lambda step, address, count: reply if step == "QUIT" else None)
    assert it.work() == "nothing"
    assert it.states == {"sent": 2}


def test_push_back_slows_the_account_and_costs_no_recipient_a_try(bench: MakeBench) -> None:
    it = bench(4, Once("RCPT", 1, "450 4.7.1 too many messages"))
    assert it.work() == "push_back"
    assert (Pace.objects.get().wait_cause, it.states) == ("push_back", {"queued": 4})
    it.work(hours=1)
    assert it.states == {"sent": 4}
    assert set(Delivery.objects.values_list("deferred_count", flat=True)) == {0}


def test_a_deferred_mail_expires_at_the_deadline_of_its_job(bench: MakeBench) -> None:
    it = bench(1, lambda step, address, count: "450 4.2.1 later" if step == "RCPT" else None)
    it.work(hours=30)
    assert it.states == {"expired": 1}
    tries = Delivery.objects.get().attempt
    assert 6 <= tries <= 10


@pytest.mark.parametrize("at", [1, 4])
def test_c12_pausing_during_a_run_stops_within_one_mail(bench: MakeBench, at: int) -> None:
    it = bench(8)
    fleet = Fleet(it.account.pk, "w1", it.stop, around(it.port, it.clock, short_wait=timedelta(0)))
    tidy_up(it.clock.now)
    while fleet.sent_count < at:
        assert fleet.step() is None
    is_handing_over = Delivery.objects.filter(job=it.job, state=State.HANDING_OVER).exists()
    ledger.pause_job(it.job.pk, "", it.clock.now)
    assert fleet.run() == ledger.Wait("nothing")
    assert it.states == {"sent": at + is_handing_over, "queued": 8 - at - is_handing_over}
    assert len(it.office.taken) == at + is_handing_over


def test_cancelling_leaves_nothing_waiting_and_the_job_ends(bench: MakeBench) -> None:
    it = bench(6, batch_size=2, sleep_seconds=60)
    it.work()
    BulkSend.objects.filter(pk=it.job.pk).update(cancelled_at=it.clock.now)
    assert ledger.cancel_job(it.job.pk, it.clock.now) == 4
    it.work(hours=1)
    it.job.refresh_from_db()
    assert it.states == {"sent": 2, "cancelled": 4}
    assert it.job.finished_at is not None


def test_c14_a_row_that_cannot_be_built_fails_alone(bench: MakeBench) -> None:
    it = bench(3)
    Delivery.objects.filter(job=it.job, seq=2).update(dated_at=None)
    it.work()
    assert it.states == {"sent": 2, "failed": 1}
    row = row_of(it.job, 2)
    assert (row.stage, row.is_counted) == ("build", False)


def test_a_mail_that_is_not_what_was_approved_pauses_the_job(bench: MakeBench) -> None:
    it = bench(3)
    Delivery.objects.filter(job=it.job, seq=2).update(party_name="別人")
    it.work()
    it.job.refresh_from_db()
    assert (it.job.pause_cause, it.states) == ("content_changed", {"sent": 1, "queued": 2})


@pytest.mark.parametrize("harm", ["d13_gone", "d14_changed"])
def test_d13_d14_an_attachment_gone_or_changed_pauses_before_the_first_mail_without_it(
    bench: MakeBench, harm: str
) -> None:
    it = bench(1)
    digest = keep_file(b"time table")
    draft = BulkSend.objects.create(number=99, account=it.account, created_by_name="x")
    JobAttachment.objects.create(job=draft, name="表.txt", content_type="text/plain", size=10, sha256=digest)
    attached = [{"name": "表.txt", "content_type": "text/plain", "size": 10, "sha256": digest}]
    job = make_job(it.account, make_people(2), number=100, sheet={"attachments": attached})
    place = settings.DATA.files / digest
    place.unlink() if harm == "d13_gone" else place.write_bytes(b"other bytes")
    it.work()
    job.refresh_from_db()
    assert (job.pause_cause, states_of(job)) == ("attachment_missing", {"queued": 2})
    assert it.states == {"sent": 1}


def test_too_many_failures_pause_the_job_after_fifty_mails(bench: MakeBench) -> None:
    it = bench(80, lambda step, address, count: "550 5.1.1 no" if step == "RCPT" else None, stop_failure_percent=20)
    it.work()
    it.job.refresh_from_db()
    assert (it.job.pause_cause, it.states) == ("failures", {"failed": 50, "queued": 30})
    BulkSend.objects.filter(pk=it.job.pk).update(paused_at=None, pause_cause="")
    it.job.events.create(at=it.clock.now + timedelta(seconds=1), what="resumed")
    it.clock.pass_by(seconds=2)
    it.work()
    assert it.states == {"failed": 80}


def test_c11_nobody_is_mailed_after_opting_out(bench: MakeBench) -> None:
    it = bench(5)
    last = address_of(it.job, 5)
    tidy_up(it.clock.now)
    fleet = Fleet(it.account.pk, "w1", it.stop, around(it.port, it.clock, short_wait=timedelta(0)))
    while fleet.sent_count < 1:
        assert fleet.step() is None
    opt_out(last, "link")
    assert fleet.run() == ledger.Wait("nothing")
    assert it.states == {"sent": 4, "suppressed": 1}
    assert last not in it.office.copies()


def test_a_worker_asked_to_stop_writes_no_further_dot(bench: MakeBench) -> None:
    it = bench(3)

    def stop(step: str, address: str, count: int) -> str | None:
        if step == "DATA" and len(it.office.taken) == 1:
            it.stop.set()
        return None

    it.office.rule = stop
    it.work()
    assert it.states == {"sent": 1, "queued": 2}
    assert len(it.office.taken) == 1


def test_copies_go_to_the_envelope_and_a_refused_copy_is_noted(bench: MakeBench) -> None:
    it = bench(1)
    job = make_job(it.account, make_people(1), number=50, sheet={"bcc": ["boss@example.jp", "gone@example.jp"]})
    refused = "gone@example.jp"
    it.office.rule = lambda step, address, count: "550 no" if step == "RCPT" and address == refused else None
    it.work()
    assert row_of(job, 1).refused_copies == refused
    assert it.office.taken[-1].copies == ("boss@example.jp",)


def test_a_full_disk_stops_claims_before_anything_is_sent(bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    it = bench(1)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 64 * 1024 * 1024 - 1})())
    assert it.work() == "disk_full"
    assert it.states == {State.QUEUED.value: 1}
    assert it.office.steps == []
