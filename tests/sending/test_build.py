"""Bytes from a sheet and a row: the same every time, or a clear refusal."""

from __future__ import annotations

import pytest
from django.conf import settings

from fumibako.apps.sending import drafts
from fumibako.apps.sending.build import addresses_in, composer_of
from fumibako.apps.sending.errors import AttachmentMissing
from fumibako.apps.sending.files import keep_file, read_kept_file
from fumibako.apps.sending.models import BulkSend
from tests.sending.drafting import approve, make_draft, make_person
from tests.support.jobs import make_account

pytestmark = pytest.mark.django_db


def make_job_with_file(raw: bytes) -> BulkSend:
    draft = make_draft(
        [make_person("山田 太郎", "a@example.jp")], make_account(allow_attachments=True), body="添付です"
    )
    drafts.attach(None, draft, "案内.pdf", "application/pdf", raw)
    return approve(draft)


def test_d13_a_file_that_disappeared_is_refused_by_name() -> None:
    job = make_job_with_file(b"%PDF-gone")
    (settings.DATA.files / job.sheet["attachments"][0]["sha256"]).unlink()
    with pytest.raises(AttachmentMissing) as refusal:
        composer_of(job)
    assert (refusal.value.name, refusal.value.is_changed) == ("案内.pdf", False)


def test_d14_a_file_that_changed_is_refused_by_name() -> None:
    job = make_job_with_file(b"%PDF-before")
    (settings.DATA.files / job.sheet["attachments"][0]["sha256"]).write_bytes(b"%PDF-after")
    with pytest.raises(AttachmentMissing) as refusal:
        composer_of(job)
    assert refusal.value.is_changed


def test_a_damaged_file_is_made_good_when_the_same_bytes_come_again() -> None:
    digest = keep_file(b"good bytes")
    (settings.DATA.files / digest).write_bytes(b"bad")
    assert keep_file(b"good bytes") == digest
    assert read_kept_file(digest, "x") == b"good bytes"
    assert not [path for path in settings.DATA.files.iterdir() if path.name.startswith(".")]


def test_p6_the_same_row_gives_the_same_bytes_from_a_new_composer() -> None:
    job = make_job_with_file(b"%PDF-same")
    row = job.deliveries.get()
    assert composer_of(job).compose(row).raw == composer_of(BulkSend.objects.get(pk=job.pk)).compose(row).raw


@pytest.mark.parametrize(
    "text",
    [
        "a@example.jp,b@example.jp",
        "a@example.jp; b@example.jp",
        "a@example.jp\nb@example.jp",
        "a@example.jp、b@example.jp",
    ],
)
def test_copies_may_be_separated_in_any_usual_way(text: str) -> None:
    assert addresses_in(text) == ["a@example.jp", "b@example.jp"]


def test_a_copy_named_twice_is_one_copy() -> None:
    assert addresses_in("a@example.jp, a@example.jp,") == ["a@example.jp"]


def test_values_are_put_in_once_and_as_text() -> None:
    person = make_person("{{カナ}} {%if%}", "a@example.jp", kana="秘密")
    job = approve(make_draft([person], subject="お知らせ", body="{{氏名}}様"))
    row = job.deliveries.get()
    assert composer_of(job).render(row.values).text == "{{カナ}} {%if%}様"
    assert set(row.values) == {"氏名"}, "only what the letter uses is kept"
