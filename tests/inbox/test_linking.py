"""Whom a mail is linked to, and which conversation it belongs to (SPEC 2.7.1–2)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.inbox import actions, queries
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.inbox.reading import after_reading
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import PartyAddress, Recipient
from tests.inbox.desk import BOX, Post, fetch, letter, mails_of
from tests.support.jobs import make_people

pytestmark = pytest.mark.django_db(transaction=True)


def person(address: str, number: str) -> Recipient:
    """Somebody with this address."""
    found = Recipient.objects.create(kind="staff", number=number, family_name="見本", given_name=number)
    PartyAddress.objects.create(recipient=found, slot=1, address=address, address_key=address.lower())
    return found


def roles_of(mail: ReceivedMail) -> dict[str, str]:
    """Number of each linked person → place."""
    return {link.recipient.number: link.role for link in mail.persons.all()}


def test_persons_are_found_in_from_to_and_cc_and_our_own_addresses_are_nobody(account: MailAccount, post: Post) -> None:
    person("D@Example.com", "1")
    person("e@example.com", "2")
    person(BOX, "9")
    post.put(letter(1, sender='"D" <d@EXAMPLE.com>', to=f"{BOX}, other@example.com", Cc="e@example.com, d@example.com"))
    fetch(account)
    assert roles_of(mails_of(account)[0]) == {"1": "from", "2": "cc"}


def test_quotes_in_an_address_make_no_difference(account: MailAccount, post: Post) -> None:
    person("taro.yamada@example.com", "1")
    post.put(letter(1, sender='"taro.yamada"@example.com'))
    fetch(account)
    assert roles_of(mails_of(account)[0]) == {"1": "from"}


def test_two_owners_of_an_address_are_both_linked_until_a_person_decides_for_the_conversation(
    account: MailAccount, post: Post, operator: Operator
) -> None:
    husband, wife = person("home@example.com", "1"), person("home@example.com", "2")
    post.put(letter(1, sender="home@example.com"))
    fetch(account)
    (first,) = mails_of(account)
    assert set(roles_of(first)) == {"1", "2"}
    actions.unlink_person(operator, first, husband)
    actions.link_person(operator, first, wife)
    post.put(letter(2, sender="home@example.com", In_Reply_To=f"<{first.message_id}>"))
    fetch(account)
    assert roles_of(mails_of(account)[1]) == {"2": "from"}


def test_an_adopted_applicant_is_one_person(account: MailAccount, post: Post) -> None:
    applicant, staff = person("new@example.com", "1"), person("new@example.com", "2")
    Recipient.objects.filter(pk=applicant.pk).update(adopted_as=staff)
    post.put(letter(1, sender="new@example.com"))
    fetch(account)
    assert roles_of(mails_of(account)[0]) == {"2": "from"}


def test_conversations_follow_header_links_and_never_the_subject_alone(account: MailAccount, post: Post) -> None:
    post.put(
        letter(1, subject="同じ件名"),
        letter(2, subject="同じ件名"),
        letter(3, subject="Re: 同じ件名", References="<letter-1@example.com>"),
        letter(4, subject="別の件名", In_Reply_To="<letter-3@example.com>"),
    )
    fetch(account)
    one, two, three, four = mails_of(account)
    assert list(queries.conversation_of(None, one)) == [one, three, four]
    assert list(queries.conversation_of(None, two)) == [two]


def test_an_answer_that_came_before_the_mail_it_answers_joins_its_conversation(
    account: MailAccount, post: Post
) -> None:
    post.put(letter(4, In_Reply_To="<letter-3@example.com>"))
    fetch(account)
    post.put(letter(3, References="<letter-1@example.com>"))
    fetch(account)
    late, early = mails_of(account)
    assert late.thread == early.thread == "letter-1@example.com"


def test_a_reply_to_a_bulk_mail_belongs_to_its_job(account: MailAccount, post: Post) -> None:
    from fumibako.delivery.states import State
    from tests.support.jobs import make_job, put_into

    job = make_job(account, make_people(2))
    row = job.deliveries.get(seq=2)
    put_into(row, State.SENT)
    post.put(letter(1, text="不可です。", References=f"<{row.message_id}>"))
    fetch(account)
    assert list(queries.search(None, queries.Conditions(job_number=job.number))) == mails_of(account)
    assert (mails_of(account)[0].delivery, mails_of(account)[0].answer) == (row, "no")


def test_a_follower_runs_once_per_reading_and_its_failure_keeps_the_others_read(
    account: MailAccount, post: Post
) -> None:
    seen: list[str] = []

    def follow(mails: Sequence[ReceivedMail]) -> None:
        for mail in mails:
            seen.append(mail.subject)
            if mail.subject == "mail 2":
                raise ValueError("a follower's own mistake")

    after_reading.append(follow)
    try:
        post.put(letter(1), letter(2), letter(3))
        fetch(account)
    finally:
        after_reading.remove(follow)
    states = [mail.reading for mail in mails_of(account)]
    assert states == ["read", "unreadable", "read"]
    assert {"mail 1", "mail 3"} <= set(seen)


def test_presence_shows_others_for_thirty_seconds(
    account: MailAccount, post: Post, operator: Operator, guest: Operator
) -> None:
    from datetime import timedelta

    from tests.support.jobs import NOW

    guest.is_administrator = True
    guest.save()
    post.put(letter(1))
    fetch(account)
    (mail,) = mails_of(account)
    actions.touch_presence(operator, mail, True, now=NOW)
    actions.touch_presence(guest, mail, now=NOW)
    (other,) = queries.present_others(mail, guest, NOW + timedelta(seconds=29))
    assert (str(other.operator), other.is_writing) == ("佐藤 美咲", True)
    assert queries.present_others(mail, guest, NOW + timedelta(seconds=31)) == []
    assert queries.present_in([mail], guest, NOW) == {mail.pk: "佐藤 美咲"}
    actions.leave(operator, mail)
    assert queries.present_others(mail, guest, NOW) == []


def test_work_notes_and_assignment_raise_the_version_and_reading_does_not(
    account: MailAccount, post: Post, operator: Operator
) -> None:
    post.put(letter(1))
    fetch(account)
    (mail,) = mails_of(account)
    actions.mark_read(operator, mail)
    mail.refresh_from_db()
    assert (mail.is_read, mail.version) == (True, 1)
    actions.set_work(operator, mail, "done")
    actions.set_work(operator, mail, "done")
    actions.assign(operator, mail, operator)
    actions.add_note(operator, mail, "折り返し電話")
    actions.confirm_answer(operator, mail, "yes")
    mail.refresh_from_db()
    assert (mail.work, mail.assignee, mail.version, mail.answer) == ("done", operator, 5, "yes")
    assert [event.what for event in mail.events.order_by("id")] == ["work_set", "assigned", "noted", "answer_confirmed"]
    assert queries.counts(operator).open == 0
