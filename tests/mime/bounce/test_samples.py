"""Our own error mails, one folder for each wording and each trap, read exactly as their folders say."""

from __future__ import annotations

import pytest

from fumibako.mime.bounce import REASONS, Kind, head_is_bounce, recognise
from tests.mime.bounce.samples import Sample, as_expected, samples

SAMPLES = samples()


@pytest.mark.parametrize("mail", SAMPLES, ids=lambda mail: mail.name)
def test_a_sample_is_recognised_recipient_by_recipient(mail: Sample) -> None:
    report = recognise(mail.raw)
    assert (str(report.kind), [as_expected(failure) for failure in report.recipients]) == (mail.kind, mail.recipients)
    assert report.original.message_id == mail.message_id
    assert {failure.reason for failure in report.recipients} <= set(REASONS)


@pytest.mark.parametrize("mail", SAMPLES, ids=lambda mail: mail.name)
def test_line_ends_do_not_matter(mail: Sample) -> None:
    dos = mail.raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    told = recognise(mail.raw)
    assert (recognise(dos).kind, recognise(dos).recipients) == (told.kind, told.recipients)


@pytest.mark.parametrize("mail", SAMPLES, ids=lambda mail: mail.name)
def test_the_head_alone_never_contradicts_the_mail(mail: Sample) -> None:
    verdict = head_is_bounce(mail.raw.partition(b"\n\n")[0] + b"\n\n")
    if mail.kind in (Kind.BOUNCE, Kind.DELAY):
        assert verdict is not False
    if mail.kind == Kind.ORDINARY:
        assert verdict is not True


@pytest.mark.parametrize("mail", SAMPLES, ids=lambda mail: mail.name)
def test_every_sample_says_why_it_is_there(mail: Sample) -> None:
    assert len(mail.about.strip()) > 20


def test_there_are_enough_samples_to_cover_every_kind() -> None:
    assert len(SAMPLES) >= 60
    assert {mail.kind for mail in SAMPLES} == set(Kind)
