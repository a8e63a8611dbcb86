"""When an account is received from, and what follows trouble: waiting longer, or for a person."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.inbox import actions, pacing, reception, work
from fumibako.apps.inbox.models import FetchRequest, FetchRun, ReceivedMail, Reception
from fumibako.apps.office.models import Office, Operator
from fumibako.apps.office.queries import office
from fumibako.apps.sending.work import run_worker
from tests.inbox.desk import Post, fetch, letter, receiving_account
from tests.support.jobs import NOW, FakeTime
from tests.support.peers.pop import PopServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_words_are_forgotten")]


def run_at(account: MailAccount, at: datetime) -> FetchRun:
    """One run at a time of its own."""
    run = work.fetch_account(account.pk, is_scheduled=True, around=work.Around(now=lambda: at))
    assert run is not None
    return run


def refusing(words: str) -> PopServer:
    """A server that answers the password with `words`."""
    return PopServer(rule=lambda command: f"-ERR {words}" if command.startswith("PASS") else None)


def test_a_new_account_is_due_at_once_and_then_every_so_many_minutes(account: MailAccount, post: Post) -> None:
    assert pacing.due_accounts(NOW) == [account.pk]
    run_at(account, NOW)
    assert pacing.due_accounts(NOW + timedelta(minutes=4)) == []
    assert pacing.due_accounts(NOW + timedelta(minutes=5)) == [account.pk]
    assert reception.next_fetch_at(account) == NOW + timedelta(minutes=5)


def test_an_account_that_does_not_receive_or_only_by_hand_is_never_due(account: MailAccount) -> None:
    MailAccount.objects.filter(pk=account.pk).update(fetch_interval_minutes=0)
    assert pacing.due_accounts(NOW) == []
    MailAccount.objects.filter(pk=account.pk).update(fetch_interval_minutes=5, receive_enabled=False)
    assert pacing.due_accounts(NOW) == []
    assert actions.fetch_now(None) == []


def test_p01_a_refused_password_stops_receiving_after_one_try(operator: Operator) -> None:
    with refusing("[AUTH] no such user or password") as server:
        account = receiving_account(server.port)
        assert run_at(account, NOW).trouble_kind == "pop_login_refused"
        assert pacing.due_accounts(NOW + timedelta(days=1)) == []
        status = reception.fetch_status(account)
        assert (status.is_stopped, status.next_at, status.failing_since_at) == (True, None, NOW)
        assert status.trouble_text
        actions.allow_again(operator, account, now=NOW)
        assert pacing.due_accounts(NOW) == [account.pk]


def test_p01_other_settings_end_a_stop(account: MailAccount) -> None:
    with refusing("[AUTH] no") as server:
        MailAccount.objects.filter(pk=account.pk).update(pop_port=server.port)
        run_at(account, NOW)
    assert pacing.due_accounts(NOW + timedelta(minutes=1)) == []
    MailAccount.objects.filter(pk=account.pk).update(version=account.version + 1)
    assert pacing.due_accounts(NOW + timedelta(minutes=1)) == [account.pk]


@pytest.mark.parametrize("words", ["[IN-USE] mailbox is locked", "[LOGIN-DELAY] too soon", "[SYS/TEMP] try later"])
def test_p01_a_server_that_is_busy_is_asked_again_later_and_later(words: str) -> None:
    with refusing(words) as server:
        account = receiving_account(server.port)
        for minutes in (1, 5, 15):
            run_at(account, NOW)
            assert reception.next_fetch_at(account) == NOW + timedelta(minutes=minutes)
        assert not reception.fetch_status(account).is_stopped


def test_s13_nobody_logs_in_more_than_three_times_an_hour_while_it_fails_not_even_by_hand() -> None:
    with refusing("[AUTH] no") as server:
        account = receiving_account(server.port)
        kinds = [run_at(account, NOW + timedelta(minutes=n)).trouble_kind for n in range(5)]
        assert kinds == ["pop_login_refused"] * 3 + ["resting"] * 2
        assert len(server.said("PASS")) == 3
        run_at(account, NOW + timedelta(minutes=61))
        assert len(server.said("PASS")) == 4


def test_one_account_s_trouble_does_not_stop_another(account: MailAccount, post: Post) -> None:
    broken = receiving_account(1, user_id="broken@example.jp")
    post.put(letter(1))
    assert fetch(broken).trouble_kind == "refused"
    assert fetch(account).stored_count == 1
    assert set(pacing.due_accounts(timezone.now() + timedelta(minutes=6))) == {account.pk, broken.pk}


def test_practice_mode_receives_from_this_computer_only(account: MailAccount) -> None:
    Office.objects.filter(pk=office().pk).update(is_practice=True)
    MailAccount.objects.filter(pk=account.pk).update(pop_host="192.0.2.1")
    assert fetch(account).trouble_kind == "not_loopback"


def test_a_run_that_a_dead_process_left_open_is_closed_by_the_next(account: MailAccount, post: Post) -> None:
    left = FetchRun.objects.create(account=account, started_at=NOW)
    fetch(account)
    left.refresh_from_db()
    assert (left.trouble_kind, left.finished_at is not None) == ("interrupted", True)


def test_pressing_receive_twice_is_one_request_and_a_worker_takes_it_up_within_a_second(
    account: MailAccount, post: Post, operator: Operator
) -> None:
    MailAccount.objects.filter(pk=account.pk).update(fetch_interval_minutes=0)
    stop = threading.Event()
    worker = threading.Thread(target=_work, args=(stop,))
    worker.start()
    try:
        _wait_until(lambda: Reception.objects.count() == 0)
        post.put(letter(1))
        (first,) = actions.fetch_now(operator)
        (second,) = actions.fetch_now(operator)
        assert first.request == second.request or second.request is not None
        assert first.request is not None
        request = first.request
        _wait_until(lambda: actions.result_of(request).request is None)
        _wait_until(lambda: ReceivedMail.objects.filter(reading="read").exists())
    finally:
        stop.set()
        worker.join()
    result = actions.result_of(request)
    assert (result.stored_count, result.trouble_kind) == (1, "")
    run = FetchRun.objects.filter(request=request).get()
    assert (run.started_at - request.asked_at).total_seconds() < 2
    mail = ReceivedMail.objects.get()
    assert (mail.fetched_by, mail.fetched_by_name) == (operator, "佐藤 美咲")
    assert not FetchRequest.objects.filter(run=None).exists()


def _work(stop: threading.Event) -> None:
    try:
        run_worker(stop, also=(work.beside(),))
    finally:
        connection.close()


def _wait_until(is_so: object, seconds: float = 20.0) -> None:
    pause = threading.Event()
    until = timezone.now() + timedelta(seconds=seconds)
    while not is_so():  # type: ignore[operator]
        assert timezone.now() < until, "it did not happen"
        pause.wait(0.05)


def test_the_clock_of_receiving_can_be_moved(account: MailAccount, post: Post) -> None:
    clock = FakeTime()
    work.fetch_account(account.pk, around=work.Around(now=clock.read))
    assert Reception.objects.get().last_success_at == NOW
