"""Error mails: what they do to deliveries and addresses, by proof alone."""

from __future__ import annotations

import pytest

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.inbox import actions, queries
from fumibako.apps.inbox.bounce_words import WHOSE, explanation
from fumibako.apps.inbox.errors import NotNow, Refused
from fumibako.apps.inbox.models import BounceReport
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import AddressEvent, PartyAddress
from fumibako.apps.sending.models import Delivery
from fumibako.delivery.states import State, Trigger
from fumibako.mime.bounce import REASONS
from tests.inbox.desk import Post, dsn_about, error_mail, fetch, letter, mails_of
from tests.support.jobs import make_job, make_people, put_into

pytestmark = pytest.mark.django_db(transaction=True)


def sent_row(account: MailAccount, state: State = State.SENT) -> Delivery:
    """A delivery that stands in `state`, to a person of its own."""
    job = make_job(account, make_people(1))
    row = job.deliveries.get()
    put_into(row, state, sent_at=job.approved_at)
    row.refresh_from_db()
    return row


def address_of(row: Delivery) -> PartyAddress:
    """Its address as it stands now."""
    assert row.party_address is not None
    return PartyAddress.objects.get(pk=row.party_address.pk)


def report_of(account: MailAccount) -> BounceReport:
    """The one report about the newest mail."""
    return mails_of(account)[-1].bounces.get()


def test_example_10_an_error_mail_with_our_message_id_makes_the_row_bounced_and_counts_once(
    account: MailAccount, post: Post
) -> None:
    row = sent_row(account)
    post.put(dsn_about(row))
    fetch(account)
    row.refresh_from_db()
    assert (row.state, row.is_counted, address_of(row).error_count) == (State.BOUNCED, True, 1)
    report = report_of(account)
    assert (report.match, report.effect, report.reason) == ("message_id", "counted", "userunknown")
    assert mails_of(account)[0].delivery == row

    post.put(dsn_about(row, number=2))
    fetch(account)
    assert address_of(row).error_count == 1
    assert report_of(account).effect == "already"
    assert [event.trigger for event in row.events.all()] == [Trigger.BOUNCE]
    assert AddressEvent.objects.filter(cause="bounced").count() == 1


def test_the_third_hard_error_turns_the_address_to_cannot_in_the_same_transaction(
    account: MailAccount, post: Post
) -> None:
    row = sent_row(account)
    PartyAddress.objects.filter(pk=address_of(row).pk).update(error_count=2)
    post.put(dsn_about(row))
    fetch(account)
    assert (address_of(row).error_count, address_of(row).flag) == (3, PartyAddress.Flag.CANNOT)


def test_a_full_mailbox_is_bounced_but_nobody_is_counted(account: MailAccount, post: Post) -> None:
    row = sent_row(account)
    post.put(dsn_about(row, status="5.2.2", said="552 5.2.2 Mailbox full"))
    fetch(account)
    row.refresh_from_db()
    assert (row.state, row.is_counted, address_of(row).error_count) == (State.BOUNCED, False, 0)
    assert report_of(account).effect == "not_counted"


def test_x16_a_forged_error_mail_changes_no_flag_and_stays_unproven(account: MailAccount, post: Post) -> None:
    row = sent_row(account)
    number, seq = row.job.number, row.seq
    forged = f"fb.{number}.{seq}.{'0' * 24}@example.jp"
    post.put(error_mail(row.address), error_mail(row.address, forged, number=2))
    fetch(account)
    row.refresh_from_db()
    assert (row.state, address_of(row).error_count, address_of(row).flag) == (State.SENT, 0, PartyAddress.Flag.SEND)
    reports = list(BounceReport.objects.all())
    assert [(one.match, one.effect, one.delivery) for one in reports] == [("address_time", "unverified", row)] * 2
    assert set(queries.unmatched_bounces(None)) == set(reports)


def test_x16_a_token_of_one_person_cannot_switch_off_another(account: MailAccount, post: Post) -> None:
    mine, other = sent_row(account), sent_row(account)
    post.put(error_mail(other.address, mine.message_id))
    fetch(account)
    other.refresh_from_db()
    assert (other.state, address_of(other).error_count, address_of(mine).error_count) == (State.SENT, 0, 0)


def test_x16_an_error_mail_about_a_row_that_was_never_accepted_changes_nothing(
    account: MailAccount, post: Post
) -> None:
    row = sent_row(account, State.QUEUED)
    post.put(dsn_about(row))
    fetch(account)
    row.refresh_from_db()
    assert (row.state, address_of(row).error_count) == (State.QUEUED, 0)
    assert report_of(account).effect == "already"


def test_a_message_id_whose_domain_was_rewritten_is_known_by_its_token(account: MailAccount, post: Post) -> None:
    row = sent_row(account)
    token = row.message_id.partition("@")[0]
    post.put(error_mail(row.address, f"{token}@relay.example"))
    fetch(account)
    row.refresh_from_db()
    assert (row.state, report_of(account).match) == (State.BOUNCED, "token")


def test_an_error_mail_about_a_copy_leaves_the_person_alone(account: MailAccount, post: Post) -> None:
    job = make_job(account, make_people(1), sheet={"cc": ["boss@example.jp"]})
    row = job.deliveries.get()
    put_into(row, State.SENT)
    post.put(error_mail("boss@example.jp", row.message_id))
    fetch(account)
    row.refresh_from_db()
    assert (row.state, report_of(account).effect) == (State.SENT, "copy")


def test_an_unknown_result_is_proven_by_its_error_mail(account: MailAccount, post: Post) -> None:
    row = sent_row(account, State.UNKNOWN)
    post.put(dsn_about(row))
    fetch(account)
    row.refresh_from_db()
    assert row.state == State.BOUNCED


def test_a_reply_that_names_our_message_id_proves_an_unknown_result_sent(account: MailAccount, post: Post) -> None:
    row = sent_row(account, State.UNKNOWN)
    post.put(letter(1, text="可です。", In_Reply_To=f"<{row.message_id}>"))
    fetch(account)
    row.refresh_from_db()
    (mail,) = mails_of(account)
    assert (row.state, mail.job, mail.delivery) == (State.SENT, row.job, row)
    assert (mail.answer, mail.answer_is_confirmed) == ("yes", False)


def test_a_person_settles_what_nothing_proves(account: MailAccount, post: Post, operator: Operator) -> None:
    row = sent_row(account)
    post.put(error_mail(row.address), error_mail("stranger@example.com", number=2))
    fetch(account)
    ours, stranger = BounceReport.objects.order_by("mail__number")
    assert (stranger.match, stranger.effect) == ("none", "unmatched")
    with pytest.raises(Refused):
        actions.settle_bounce(operator, ours, row, "  ")
    actions.settle_bounce(operator, ours, row, "本人に電話で確認")
    actions.settle_bounce(operator, stranger, None, "当社のメールではない")
    row.refresh_from_db()
    assert (row.state, address_of(row).error_count) == (State.BOUNCED, 1)
    assert not queries.unmatched_bounces(operator).exists()
    with pytest.raises(NotNow):
        actions.settle_bounce(operator, ours, row, "もう一度")


def test_every_reason_has_words_and_an_owner() -> None:
    for reason in REASONS:
        words, whose = explanation(reason)
        assert words.endswith("。")
        assert whose in WHOSE
    assert explanation("userunknown")[1] == "address"
    assert explanation("blocked")[1] == "ours"
