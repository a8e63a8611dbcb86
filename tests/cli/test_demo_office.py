"""What a newcomer finds in the demonstration."""

from __future__ import annotations

import pytest

from fumibako.apps.sending.models import BulkSend, DraftAddress
from fumibako.cli.demo_office import DRAFT_LESSONS, DRAFT_PEOPLE, fill_office
from fumibako.practice import PracticeAddresses

pytestmark = pytest.mark.django_db


def test_the_first_draft_shows_what_a_failure_and_an_unknown_result_look_like() -> None:
    fill_office(PracticeAddresses(2525, 2110))
    draft = BulkSend.objects.get()
    ticked = DraftAddress.objects.filter(job=draft, is_ticked=True)
    for word in DRAFT_LESSONS:
        assert ticked.filter(address__address__contains=f".{word}@").exists(), word
    assert ticked.values("recipient").distinct().count() <= DRAFT_PEOPLE


def test_what_is_there_already_stays_as_it_is() -> None:
    fill_office(PracticeAddresses(2525, 2110))
    before = list(DraftAddress.objects.values_list("address", flat=True))
    fill_office(PracticeAddresses(2525, 2110))
    assert list(DraftAddress.objects.values_list("address", flat=True)) == before
