"""Changing a draft: nothing is lost, nothing is done twice, nobody overwrites somebody else."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.conf import settings

from fumibako.apps.accounts.models import AccountPermission
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import PartyAddress
from fumibako.apps.sending import actions, drafts, selection
from fumibako.apps.sending.errors import ChangedMeanwhile, NotADraft, NotNow, Refused
from fumibako.apps.sending.models import BulkSend, DraftAddress
from tests.sending.drafting import approve, fresh, make_draft, make_person
from tests.support.jobs import make_account

pytestmark = pytest.mark.django_db


def operator_named(name: str) -> Operator:
    return Operator.objects.create(username=name, display_name=name)


def test_c09_the_same_form_makes_one_draft() -> None:
    key = uuid.uuid4()
    assert drafts.start_draft(None, idempotency_key=key).pk == drafts.start_draft(None, idempotency_key=key).pk
    assert BulkSend.objects.count() == 1


def test_numbers_follow_each_other_and_a_discarded_one_stays_used() -> None:
    first = drafts.start_draft(None)
    drafts.discard_draft(None, first)
    assert drafts.start_draft(None).number == first.number + 1
    with pytest.raises(NotADraft):
        drafts.set_letter(None, first, "件名", "本文")


def test_c10_two_operators_cannot_overwrite_each_other() -> None:
    draft = make_draft()
    drafts.set_letter(operator_named("田中"), draft, "田中の件名", "本文", version=draft.version)
    stale = fresh(draft)
    drafts.set_letter(operator_named("鈴木"), draft, "鈴木の件名", "本文", version=stale.version)
    with pytest.raises(ChangedMeanwhile) as refusal:
        drafts.set_letter(operator_named("佐藤"), stale, "佐藤の件名", "本文", version=stale.version - 1)
    assert refusal.value.who == "鈴木"
    assert fresh(draft).subject == "鈴木の件名"


def test_c10_an_edit_while_the_job_runs_is_refused_with_who_and_when() -> None:
    job = approve(make_draft([make_person("山田 太郎", "a@example.jp")]), operator_named_admin())
    changes: list[Callable[[], object]] = [
        lambda: drafts.set_letter(None, job, "別の件名", "別の本文"),
        lambda: drafts.remove_person(None, job, job.deliveries.get().recipient_id or 0),
        lambda: drafts.clear_list(None, job),
        lambda: drafts.confirm_finding(None, job, "C20", "x"),
    ]
    for change in changes:
        with pytest.raises(NotADraft) as refusal:
            change()
        assert refusal.value.who == "管理 花子"
        assert refusal.value.at == job.approved_at


def operator_named_admin() -> Operator:
    return Operator.objects.create(username="admin", display_name="管理 花子", is_administrator=True)


def test_adding_twice_merges_and_counts() -> None:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(3)]
    draft = make_draft(people[:2])
    assert drafts.add_people(None, draft, "staff", {}) == drafts.Added(1, 2, 0)
    assert selection.counts_of(fresh(draft)).mail_count == 3


def test_a_person_removed_by_hand_stays_removed_until_brought_back() -> None:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(2)]
    draft = make_draft(people)
    drafts.remove_person(None, draft, people[0].pk)
    assert drafts.add_people(None, draft, "staff", {}) == drafts.Added(0, 1, 1)
    assert selection.removed_people(draft) == [people[0]]
    assert drafts.bring_back_person(None, draft, people[0].pk).added_count == 1
    assert [row.name for row in selection.rows_of(fresh(draft)).rows] == ["見本1 花子", "見本0 花子"]


def test_both_addresses_come_along_and_only_do_not_send_is_unticked() -> None:
    person = make_person("山田 太郎", "a@example.jp", "b@example.jp")
    PartyAddress.objects.filter(recipient=person, slot=2).update(flag="do_not")
    make_draft([person])
    assert list(DraftAddress.objects.order_by("address__slot").values_list("is_ticked", flat=True)) == [True, False]


def test_every_change_raises_the_version() -> None:
    person = make_person("山田 太郎", "a@example.jp")
    draft = make_draft([person], make_account(allow_attachments=True))
    versions = [draft.version]
    address = PartyAddress.objects.get(recipient=person)
    file = drafts.attach(None, draft, "案内.pdf", "application/pdf", b"%PDF")
    versions.append(fresh(draft).version)
    changes: list[Callable[[], object]] = [
        lambda: drafts.tick(None, draft, address.pk, False),
        lambda: drafts.detach(None, draft, file.pk),
        lambda: drafts.remove_person(None, draft, person.pk),
        lambda: drafts.clear_list(None, draft),
        lambda: drafts.set_letter(None, draft, "新しい件名", "新しい本文"),
    ]
    for change in changes:
        change()
        versions.append(fresh(draft).version)
    assert versions == list(range(versions[0], versions[0] + len(versions)))
    assert draft.version == versions[-1]


def test_a_tick_for_somebody_who_is_not_in_the_list_is_refused() -> None:
    stranger = make_person("石井 健", "b@example.jp")
    draft = make_draft([make_person("山田 太郎", "a@example.jp")])
    with pytest.raises(NotNow):
        drafts.tick(None, draft, PartyAddress.objects.get(recipient=stranger).pk, True)


def test_a_forged_upload_is_refused_when_the_account_allows_no_files() -> None:
    draft = make_draft()
    with pytest.raises(Refused, match="添付ファイルを使えません"):
        drafts.attach(None, draft, "案内.pdf", "application/pdf", b"%PDF")
    assert not fresh(draft).attachments.exists()


def test_files_larger_than_a_mail_may_be_are_refused_with_their_size() -> None:
    draft = make_draft(account=make_account(allow_attachments=True))
    drafts.attach(None, draft, "一.bin", "application/octet-stream", b"x" * (6 << 20))
    with pytest.raises(Refused) as refusal:
        drafts.attach(None, draft, "二.bin", "application/octet-stream", b"x" * (6 << 20))
    (problem,) = refusal.value.problems
    assert problem.id == "B06"
    assert "12MB" in problem.text
    with pytest.raises(Refused, match="空です"):
        drafts.attach(None, draft, "空.txt", "text/plain", b"")


@pytest.mark.parametrize(
    ("given", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\書類\\案内.pdf", "案内.pdf"), ("\u202efdp.exe", "fdp.exe"), ("...", "file")],
)
def test_a_file_keeps_only_the_last_part_of_its_name(given: str, kept: str) -> None:
    draft = make_draft(account=make_account(allow_attachments=True))
    assert drafts.attach(None, draft, given, "application/pdf", b"%PDF").name == kept


def test_a_file_is_kept_under_its_own_hash_and_readable_by_nobody_else_through_its_name() -> None:
    draft = make_draft(account=make_account(allow_attachments=True))
    kept = drafts.attach(None, draft, "案内.pdf", "application/pdf", b"%PDF-1")
    assert (settings.DATA.files / kept.sha256).read_bytes() == b"%PDF-1"


def test_an_account_without_permission_cannot_be_chosen() -> None:
    clerk = operator_named("田中")
    account = make_account()
    draft = make_draft()
    with pytest.raises(Refused, match="権限がありません"):
        drafts.set_sender(clerk, draft, account, "business")
    AccountPermission.objects.create(account=account, operator=clerk, may_send=True)
    assert drafts.set_sender(clerk, draft, account, "recruit").account == account
    account.visible = False
    account.save()
    with pytest.raises(Refused):
        drafts.set_sender(clerk, draft, account, "business")


def test_a_new_draft_begins_with_the_account_used_last() -> None:
    chief = operator_named_admin()
    account = make_account()
    drafts.set_sender(chief, drafts.start_draft(chief), account, "business")
    assert drafts.start_draft(chief).account == account


def test_a_subject_never_becomes_two_lines() -> None:
    draft = make_draft()
    drafts.set_letter(None, draft, "件名\r\nBcc: victim@example.jp", "本文\r\n二行目")
    assert fresh(draft).subject == "件名 Bcc: victim@example.jp"
    assert fresh(draft).body == "本文\n二行目"


def test_ticking_people_keeps_a_test_mail_valid_and_changing_the_letter_does_not() -> None:
    person = make_person("山田 太郎", "a@example.jp")
    draft = make_draft([person, make_person("石井 健", "b@example.jp")])
    actions.send_test(None, draft, "me@example.jp")
    drafts.tick(None, draft, PartyAddress.objects.get(recipient=person).pk, False)
    assert fresh(draft).tested_version == fresh(draft).version
    drafts.set_letter(None, draft, "新しい件名", "新しい本文")
    assert fresh(draft).tested_version != fresh(draft).version
