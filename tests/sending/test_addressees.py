"""Finding sends by part of a name or an address: the jobs of few addressees are known, of many the rows are asked."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fumibako.apps.recipients.models import Recipient
from fumibako.apps.sending import actions, addressees, ledger, queries
from fumibako.apps.sending.errors import ChangedMeanwhile
from fumibako.apps.sending.models import Addressee, BulkSend, Delivery, SentTo
from fumibako.delivery.states import State
from tests.sending.drafting import NOW, approve, make_draft, make_person
from tests.support.jobs import make_account, make_job, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[addressees.MOST, 0], ids=["few have it", "many have it"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addressees, "MOST", request.param)


@pytest.fixture
def sends() -> dict[int, str]:
    """Three sends by what they are called here; one person is in two of them, with another name in the later."""
    ishii = make_person("石井 健", "Ken.Ishii@docomo.example", "ishii_2@example.jp")
    mori = make_person("森 Anna", "anna@例え.example")
    nobody = make_person("宛先 なし")
    first = approve(make_draft([ishii, mori]))
    ishii.family_name = "石丸"
    ishii.save()
    second = approve(make_draft([ishii, make_person("見本 花子", "h%na@example.jp")]))
    third = approve(make_draft([nobody, mori]))
    return {first.pk: "first", second.pk: "second", third.pk: "third"}


def found(sends: dict[int, str], **asked: str) -> list[str]:
    return sorted(sends[job.pk] for job in queries.jobs(None, conditions=asked))


def written_down() -> set[tuple[tuple[str, str], int]]:
    found = SentTo.objects.values_list("addressee__address", "addressee__name", "job")
    return {((address, name), job) for address, name, job in found}


def laid_down() -> set[tuple[tuple[str, str], int]]:
    found = Delivery.objects.values_list("address", "party_name", "job")
    return {((address, name), job) for address, name, job in found}


@pytest.mark.usefixtures("_both_ways")
@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"address": "ishii"}, ["first", "second"]),
        ({"address": "KEN.ishii@DOCOMO"}, ["first", "second"]),
        ({"address": "i@d"}, ["first", "second"]),
        ({"address": "_2"}, ["first", "second"]),
        ({"address": "%"}, ["second"]),
        ({"address": "例え"}, ["first", "third"]),
        ({"address": "example"}, ["first", "second", "third"]),
        ({"address": "nobody-at-all"}, []),
        ({"recipient": "石井"}, ["first"]),
        ({"recipient": "石"}, ["first", "second"]),
        ({"recipient": "ANNA"}, ["first", "third"]),
        ({"recipient": "なし"}, ["third"]),
        ({"recipient": "石井", "address": "anna"}, ["first"]),
        ({"recipient": "花子", "address": "anna"}, []),
        ({"recipient": "石丸", "address": "docomo", "subject": "シフト"}, ["second"]),
    ],
)
def test_a_part_in_any_place_finds_every_send(sends: dict[int, str], asked: dict[str, str], names: list[str]) -> None:
    assert found(sends, **asked) == names


def test_whoever_was_written_to_is_written_down_once_excluded_or_not(sends: dict[int, str]) -> None:
    assert written_down() == laid_down()
    assert ("", "宛先 なし") in {pair for pair, _ in written_down()}
    assert Delivery.objects.count() > Addressee.objects.count() == len({pair for pair, _ in laid_down()})
    actions.send_test(None, make_draft([Recipient.objects.get(family_name="森")]), "me@example.jp")
    assert written_down() == laid_down()


def test_a_send_that_is_refused_writes_nobody_down() -> None:
    draft = make_draft([make_person("石井 健", "ken@example.jp")])
    with pytest.raises(ChangedMeanwhile):
        approve(draft, version=draft.version + 9)
    assert not Addressee.objects.exists()
    assert not SentTo.objects.exists()


def test_who_has_left_the_lists_is_still_found(sends: dict[int, str]) -> None:
    Recipient.objects.filter(family_name="石丸").delete()
    assert found(sends, address="ken.ishii") == ["first", "second"]
    assert found(sends, recipient="石井") == ["first"]


def test_nothing_that_happens_to_a_row_later_touches_the_addressees() -> None:
    job = make_job(make_account(), make_people(3))
    with CaptureQueriesContext(connection) as asked:
        ledger.release_due(NOW.replace(hour=12))
        ledger.cancel_job(job.pk, NOW, ledger.Note())
        statements = [one["sql"] for one in asked.captured_queries]
    assert set(job.deliveries.values_list("state", flat=True)) == {State.CANCELLED.value}
    assert [sql for sql in statements if "sending_addressee" in sql or "sending_sentto" in sql] == []


@pytest.mark.django_db(transaction=True)
def test_whom_earlier_versions_wrote_to_is_written_down_when_the_tables_change() -> None:
    people = make_people(30)
    jobs = [make_job(make_account(), people[first : first + 20]) for first in (0, 10)]
    before = written_down()
    call_command("migrate", "sending", "0006", verbosity=0)
    try:
        assert "sending_addressee" not in connection.introspection.table_names()
    finally:
        call_command("migrate", verbosity=0)
    assert written_down() == before == laid_down()
    assert (Addressee.objects.count(), SentTo.objects.count()) == (30, 40)
    found_by = queries.jobs(None, conditions={"address": people[0].address})
    assert list(found_by) == [BulkSend.objects.get(pk=jobs[0].pk)]
