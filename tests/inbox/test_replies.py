"""返信・転送: through the account's own engine, with links, quoting, an undo, and a stop when somebody was faster."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied

from fumibako.apps.accounts.models import AccountPermission, MailAccount
from fumibako.apps.inbox import actions
from fumibako.apps.inbox.actions import Reply
from fumibako.apps.inbox.errors import ChangedMeanwhile, NotNow, Refused
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.office.models import Operator
from fumibako.apps.sending import ledger, queries
from fumibako.apps.sending.build import composer_of
from fumibako.apps.sending.models import BulkSend
from fumibako.delivery.states import State
from tests.inbox.desk import Post, fetch, letter, mails_of
from tests.support.jobs import NOW

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mail(account: MailAccount, post: Post) -> ReceivedMail:
    """One mail in the box, read."""
    post.put(
        letter(
            1,
            subject="面談の件",
            text="{{氏名}}は差し込みですか。",
            References="<first@example.com> <second@example.com>",
        )
    )
    fetch(account)
    return mails_of(account)[0]


def answer(to: str = "tanaka@example.com", **more: object) -> Reply:
    """An answer as the form sends it."""
    values = {"subject": "Re: 面談の件", "body": "承知しました。\n\n> {{氏名}}", "to": to}
    return Reply(**(values | more))  # type: ignore[arg-type]


def raw_of(job: BulkSend) -> bytes:
    """The very bytes that would leave."""
    return composer_of(job).compose(job.deliveries.get()).raw


def test_an_answer_is_a_held_job_of_one_row_with_the_links_of_its_mail(mail: ReceivedMail, operator: Operator) -> None:
    job = actions.reply(operator, mail, answer(), mail.version, now=NOW)
    assert (job.origin, job.release_at, job.selected_count) == ("reply", NOW + timedelta(seconds=10), 1)
    assert job.deliveries.get().state == State.PLANNED
    assert list(queries.jobs(None, conditions={"address": "tanaka@", "origin": "any"})) == [job]
    sent = message_from_bytes(raw_of(job))
    assert sent["In-Reply-To"] == "<letter-1@example.com>"
    assert sent["References"].split() == ["<first@example.com>", "<second@example.com>", "<letter-1@example.com>"]
    payload = sent.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert "> {{氏名}}" in payload.decode()
    mail.refresh_from_db()
    assert (mail.work, mail.replied_by_name, mail.replied_at) == ("waiting", "佐藤 美咲", NOW)


def test_what_is_quoted_goes_to_the_sender_and_carries_the_signature(mail: ReceivedMail) -> None:
    mail.account.signature = "-- \n見本スタッフ"
    first = actions.quoted(mail)
    assert (first.subject, first.to) == ("Re: 面談の件", "tanaka@example.com")
    assert "見本スタッフ" in first.body
    assert "> {{氏名}}は差し込みですか。" in first.body
    assert actions.quoted(mail, is_forward=True).subject == "Fwd: 面談の件"


def test_an_answer_can_be_taken_back_while_it_is_held(mail: ReceivedMail, operator: Operator) -> None:
    job = actions.reply(operator, mail, answer(cc="boss@example.jp"), mail.version, now=NOW)
    words = actions.take_back_reply(operator, job)
    assert (words.to, words.cc, words.body) == ("tanaka@example.com", "boss@example.jp", answer().body)
    assert job.deliveries.get().state == State.CANCELLED
    mail.refresh_from_db()
    assert (mail.work, mail.replied_at) == ("open", None)
    with pytest.raises(NotNow):
        actions.take_back_reply(operator, job)


def test_an_answer_that_was_released_cannot_be_taken_back(mail: ReceivedMail, operator: Operator) -> None:
    job = actions.reply(operator, mail, answer(), mail.version, now=NOW)
    ledger.release_due(NOW + timedelta(seconds=11))
    with pytest.raises(NotNow):
        actions.take_back_reply(operator, job)


def test_an_answer_stops_when_somebody_changed_the_mail_meanwhile(mail: ReceivedMail, operator: Operator) -> None:
    seen = mail.version
    actions.add_note(operator, mail, "電話で話した")
    with pytest.raises(ChangedMeanwhile) as stopped:
        actions.reply(operator, mail, answer(), seen)
    assert stopped.value.who == "佐藤 美咲"
    assert actions.reply(operator, mail, answer(), seen, force=True).origin == "reply"


def test_c09_a_double_click_makes_one_answer(mail: ReceivedMail, operator: Operator) -> None:
    words = answer(idempotency_key=uuid4())
    first = actions.reply(operator, mail, words, mail.version)
    assert actions.reply(operator, mail, words, mail.version) == first
    assert BulkSend.objects.count() == 1


def test_an_answer_needs_a_text_an_address_and_the_permission_to_send(
    mail: ReceivedMail, operator: Operator, guest: Operator
) -> None:
    with pytest.raises(Refused) as refused:
        actions.reply(operator, mail, answer(to="not an address", body=" "), mail.version)
    assert {problem.field for problem in refused.value.problems} == {"body", "to"}
    AccountPermission.objects.create(account=mail.account, operator=guest, may_view=True)
    with pytest.raises(PermissionDenied):
        actions.reply(guest, mail, answer(), mail.version)


def test_the_answer_to_our_answer_belongs_to_the_same_conversation(
    mail: ReceivedMail, account: MailAccount, post: Post, operator: Operator
) -> None:
    job = actions.reply(operator, mail, answer(), mail.version)
    post.put(letter(2, subject="Re: Re: 面談の件", In_Reply_To=f"<{job.deliveries.get().message_id}>"))
    fetch(account)
    again = mails_of(account)[1]
    assert again.thread == mail.thread == "first@example.com"


def test_forwarding_takes_the_saved_files_along(account: MailAccount, post: Post, operator: Operator) -> None:
    raw = (
        b"From: a@example.com\r\nTo: desk@example.jp\r\nSubject: file\r\nMessage-ID: <f@example.com>\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\n"
        b'hello\r\n--b\r\nContent-Type: application/pdf; name="plan.pdf"\r\nContent-Disposition: attachment\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b--\r\n"
    )
    post.put(raw)
    fetch(account)
    (mail,) = mails_of(account)
    job = actions.forward(operator, mail, answer(to="boss@example.jp", subject="Fwd: file"), mail.version)
    (part,) = [one for one in message_from_bytes(raw_of(job)).walk() if one.get_filename()]
    assert (part.get_filename(), part.get_payload(decode=True)) == ("plan.pdf", b"%PDF")
    assert "In-Reply-To" not in message_from_bytes(raw_of(job))
    mail.refresh_from_db()
    assert (mail.work, mail.replied_at) == ("open", None)
