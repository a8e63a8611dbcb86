"""What a newcomer finds in the demonstration."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from fumibako.apps.sending.models import BulkSend, DraftAddress
from fumibako.cli.demo_mails import moment_of
from fumibako.cli.demo_office import DRAFT_LESSONS, DRAFT_PEOPLE, fill_office
from fumibako.practice import PracticeAddresses

JAPAN = ZoneInfo("Asia/Tokyo")
pytestmark = pytest.mark.django_db


def test_the_first_draft_shows_what_a_failure_and_an_unknown_result_look_like() -> None:
    fill_office(PracticeAddresses(2525, 2110))
    draft = BulkSend.objects.get()
    ticked = DraftAddress.objects.filter(job=draft, is_ticked=True)
    for word in DRAFT_LESSONS:
        assert ticked.filter(address__address__contains=f".{word}@").exists(), word
    assert ticked.values("recipient").distinct().count() <= DRAFT_PEOPLE


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("-0 09:12", datetime(2026, 11, 24, 9, 12, tzinfo=JAPAN)),
        ("-2 18:40", datetime(2026, 11, 22, 18, 40, tzinfo=JAPAN)),
        ("-0 17:32", datetime(2026, 11, 23, 17, 32, tzinfo=JAPAN)),
    ],
)
def test_no_letter_of_the_sample_office_comes_from_the_future(words: str, wanted: datetime) -> None:
    assert moment_of(words, datetime(2026, 11, 24, 17, 31, tzinfo=JAPAN)) == wanted


def test_what_is_there_already_stays_as_it_is() -> None:
    fill_office(PracticeAddresses(2525, 2110))
    before = list(DraftAddress.objects.values_list("address", flat=True))
    fill_office(PracticeAddresses(2525, 2110))
    assert list(DraftAddress.objects.values_list("address", flat=True)) == before
