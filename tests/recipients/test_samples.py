"""The samples: the same seed makes the same people, and enough of each kind of trouble."""

from __future__ import annotations

import re
import time

import pytest

from fumibako.apps.recipients.models import Client, OptOut, PartyAddress, Recipient
from fumibako.apps.recipients.sample_names import PRACTICE_SHARES
from fumibako.apps.recipients.samples import make_samples
from fumibako.mime.addresses import judge
from fumibako.practice.people import BEHAVIOURS

pytestmark = pytest.mark.django_db


def test_practice_begins_with_300_staff_40_clients_62_contacts_and_25_applicants() -> None:
    counts = make_samples()
    assert (counts.staff_count, counts.client_count, counts.contact_count, counts.applicant_count) == (300, 40, 62, 25)
    assert Recipient.objects.filter(kind="staff").count() == 300
    assert Client.objects.count() == 40
    assert Client.objects.filter(contacts__isnull=True).count() == 0
    assert Recipient.objects.filter(kind="client").count() == 62
    assert Recipient.objects.filter(kind="applicant").count() == 25


def test_every_kind_of_odd_person_is_there() -> None:
    make_samples()
    addresses = list(PartyAddress.objects.all())
    words = {re.split(r"[.+]", row.address.split("@")[0])[-1] for row in addresses}
    assert set(PRACTICE_SHARES) <= words
    assert set(PRACTICE_SHARES) <= set(BEHAVIOURS)
    assert {row.flag for row in addresses} == {"send", "do_not", "cannot"}
    assert any(not judge(row.address, allow_non_rfc=False).is_accepted for row in addresses)
    assert all(judge(row.address, allow_non_rfc=True).is_accepted for row in addresses)
    keys = [row.address_key for row in addresses]
    assert len(keys) > len(set(keys))
    assert Recipient.objects.filter(addresses__isnull=True).exists()
    assert Recipient.objects.filter(addresses__slot=2).exists()
    assert Recipient.objects.filter(family_name__contains=", ").exists()
    assert OptOut.objects.exists()
    told = PartyAddress.objects.filter(flag="cannot").first()
    assert told is not None
    assert list(told.events.order_by("id").values_list("cause", flat=True)) == ["refused"] * 3 + ["threshold"]


def test_every_address_is_at_an_example_domain() -> None:
    make_samples(staff=60, clients=10, applicants=5)
    domains = {row.address.rpartition("@")[2] for row in PartyAddress.objects.all()}
    assert all(domain.endswith(".example.jp") for domain in domains)


def test_the_same_seed_makes_the_same_people() -> None:
    def names(seed: int) -> list[tuple[str, str]]:
        Recipient.objects.all().delete()
        Client.objects.all().delete()
        make_samples(clients=5, applicants=5, staff=50, seed=seed)
        return list(Recipient.objects.order_by("id").values_list("number", "family_name"))

    assert names(7) == names(7)
    assert names(7) != names(8)


def test_samples_are_added_to_what_is_there() -> None:
    make_samples(staff=10, clients=2, applicants=2)
    make_samples(staff=10, clients=2, applicants=2)
    assert Recipient.objects.filter(kind="staff").count() == 20


def test_without_odd_people_everybody_accepts_mail() -> None:
    make_samples(staff=200, clients=0, applicants=0, has_odd=False)
    assert not PartyAddress.objects.exclude(flag="send").exists()
    words = {re.split(r"[.+]", row.address.split("@")[0])[-1] for row in PartyAddress.objects.all()}
    assert not words & set(BEHAVIOURS)


def test_five_thousand_people_take_seconds() -> None:
    begun = time.process_time()
    make_samples(staff=5_000, clients=0, applicants=0)
    assert time.process_time() - begun < 15
    assert Recipient.objects.count() == 5_000
