"""Companies and their 担当者, saved as one record."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import pytest

from fumibako.apps.office.problems import ChangedMeanwhile, Refused
from fumibako.apps.recipients import queries
from fumibako.apps.recipients.companies import delete_client, save_client
from fumibako.apps.recipients.models import Client, Recipient
from tests.recipients.people import make_operator

pytestmark = pytest.mark.django_db
COMPANY = {"company_name": "青葉製作所株式会社", "client_number": "123"}
CONTACT = {"name": "山田 太郎", "section": "総務部", "address1": "taro@aoba.example.jp"}


def make_client(*contacts: Mapping[str, str], **values: str) -> Client:
    return save_client(None, COMPANY | values, contacts)


def people_of(client: Client) -> list[Recipient]:
    return list(Recipient.objects.filter(client_contact__client=client).order_by("number"))


def test_a_company_and_its_people_get_numbers() -> None:
    client = make_client(CONTACT, {}, {"family_name": "髙橋"})
    assert queries.client_number(client) == "000123-000"
    assert [person.number for person in people_of(client)] == ["000123-000-01", "000123-000-02"]
    assert queries.next_number("client") == "000124"


def test_a_taken_number_is_refused_naming_its_holder() -> None:
    make_client()
    with pytest.raises(Refused) as refused:
        make_client()
    assert refused.value.problems[0].text == "得意先NO 000123-000 は、青葉製作所株式会社で使われています。"
    assert queries.client_number(make_client(branch="1")) == "000123-001"


def test_a_problem_in_the_grid_names_its_row_and_nothing_is_stored() -> None:
    with pytest.raises(Refused) as refused:
        make_client(CONTACT, {"name": "", "address1": "abc@"}, company_name="")
    told = {problem.field: problem.id for problem in refused.value.problems}
    assert told == {"company_name": "V01", "contact1.address1": "V04", "contact1.family_name": "V01"}
    assert not Client.objects.exists()


def test_changing_removing_and_adding_people_in_one_save() -> None:
    client = make_client(CONTACT, {"name": "森 花"})
    first, second = people_of(client)
    contacts = [
        {"contact_id": str(first.pk), "title": "課長"},
        {"contact_id": str(second.pk), "is_removed": "1"},
        {"name": "林 健", "address1": "ken@aoba.example.jp"},
    ]
    save_client(None, {"dealing": "取引終了"}, contacts, client_id=client.pk, version=1)
    client.refresh_from_db()
    assert (client.dealing, client.version) == ("ended", 2)
    now = people_of(client)
    assert [(person.name, person.client_contact.title) for person in now] == [("山田 太郎", "課長"), ("林 健", "")]
    assert now[0].addresses.get().address == "taro@aoba.example.jp"


def test_the_same_save_twice_is_one_and_an_older_form_is_refused() -> None:
    key = uuid.uuid4()
    client = save_client(None, COMPANY, [CONTACT], creation_key=key)
    assert save_client(None, COMPANY, [CONTACT], creation_key=key) == client
    save_client(make_operator("田中 明"), {"dealing": "ended"}, [], client_id=client.pk, version=1)
    assert save_client(None, {"dealing": "ended"}, [], client_id=client.pk, version=1).version == 2
    with pytest.raises(ChangedMeanwhile) as meanwhile:
        save_client(None, {"dealing": "prospect"}, [], client_id=client.pk, version=1)
    assert meanwhile.value.who == "田中 明"
    assert meanwhile.value.differences == {"取引状況": ("見込み", "取引終了")}


def test_example_07_a_clients_wish_for_no_mail_is_kept_on_the_person() -> None:
    client = make_client(CONTACT | {"flag1": "送らない"})
    person = people_of(client)[0]
    assert person.addresses.get().flag == "do_not"
    assert list(queries.find("client", {"mail_state": "do_not"})) == [person]


def test_a_company_without_history_is_removed_with_its_people() -> None:
    delete_client(None, make_client(CONTACT))
    assert not Client.objects.exists()
    assert not Recipient.objects.exists()


def test_another_companys_person_cannot_be_changed_through_the_grid() -> None:
    one, other = make_client(CONTACT), make_client(branch="001")
    row = {"contact_id": str(people_of(one)[0].pk), "title": "部長"}
    with pytest.raises(Refused):
        save_client(None, {}, [row], client_id=other.pk, version=1)
    assert people_of(one)[0].client_contact.title == ""
