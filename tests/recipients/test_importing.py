"""取り込み: what is shown is what is stored, rows that slipped are stopped, and everything can be undone."""

from __future__ import annotations

import datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fumibako.apps.office.models import Department, Operator
from fumibako.apps.office.problems import Refused
from fumibako.apps.recipients import actions, queries
from fumibako.apps.recipients.companies import save_client
from fumibako.apps.recipients.exporting import export_csv, refused_csv, template_csv
from fumibako.apps.recipients.importing import running
from fumibako.apps.recipients.importing.columns import guess
from fumibako.apps.recipients.importing.preview import Fate, Preview
from fumibako.apps.recipients.models import AddressEvent, Client, ImportDraft, ImportRun, PartyAddress, Recipient
from fumibako.apps.recipients.samples import make_samples
from tests.recipients.people import address_of, make_operator, make_staff

STAFF, CLIENT, APPLICANT = Recipient.Kind.STAFF, Recipient.Kind.CLIENT, Recipient.Kind.APPLICANT
pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Operator:
    Department.objects.create(code="100", name="東京本社")
    return make_operator()


def draft_of(operator: Operator, text: str, kind: str = STAFF) -> ImportDraft:
    return running.begin_import(operator, kind, "名簿.csv", text.encode())


def run(operator: Operator, draft: ImportDraft, typed_number: str = "") -> ImportRun:
    seen = running.preview_of(draft)
    return running.run_import(operator, draft.pk, fingerprint=seen.fingerprint, typed_number=typed_number)


def fates(seen: Preview) -> list[str]:
    return [row.fate.value for row in seen.rows]


def refusal(refused: pytest.ExceptionInfo[Refused]) -> str:
    return f"{refused.value.problems[0].id} {refused.value.problems[0].text}"


HEADINGS = "スタッフNO,氏名,部門,メール,電話番号\n"


def test_columns_are_matched_by_their_japanese_names() -> None:
    found = guess(STAFF, ["ｽﾀｯﾌNO(必須)", "氏 名", "フリガナ", "部門", "E-mail1", "メールアドレス2", "血液型"])
    assert found == ["number", "name", "kana", "department", "", "address2", ""]
    assert guess(STAFF, ["メールアドレス", "メールアドレス1"]) == ["", "address1"]


def test_h03_each_row_is_added_changed_left_or_refused_with_its_reason(operator: Operator) -> None:
    make_staff(number="1", phone="03-0000-0001")
    make_staff("森 花", "hana@example.jp", number="2")
    rows = (
        "1,山田 太郎,東京本社,taro@example.jp,03-0000-0009\n"
        "000002,森 花,100,hana@example.jp,\n"
        "3,林 健,東京本社,ken@example.jp,\n"
        "4,木村 誠,大阪,abc@,\n"
        "3,別 人,東京本社,x@example.jp,\n"
        "\n"
        "5,,東京本社,y@example.jp,,余り\n"
    )
    draft = draft_of(operator, HEADINGS + rows)
    seen = running.preview_of(draft)

    assert fates(seen) == ["change", "same", "add", "refuse", "refuse", "refuse"]
    assert seen.rows[0].changes == [("電話", "03-0000-0001", "03-0000-0009")]
    assert [(row.number, row.problems) for row in seen.rows if row.problems] == [
        (
            5,
            [
                "所属部門「大阪」はありません。登録済みの部門の名前かコードにしてください。",
                "メールアドレス1の形式が違います(abc@)。",
            ],
        ),
        (6, ["4行目と同じ番号(000003)です。どちらか1行にしてください。"]),
        (8, ["姓を入力してください。", "列の数が見出しより多くなっています。区切り文字や引用符を確認してください。"]),
    ]
    refused = refused_csv(running.table_of(draft), seen).decode("utf-8-sig").splitlines()
    assert refused[0] == "行,理由,スタッフNO,氏名,部門,メール,電話番号"
    assert refused[1].startswith("5,5行目:所属部門「大阪」はありません。")
    assert "5行目:メールアドレス1の形式が違います(abc@)。,4,木村 誠,大阪,abc@," in refused[1]

    done = run(operator, draft)

    assert (done.added_count, done.changed_count, done.unchanged_count, done.refused_count) == (1, 1, 1, 3)
    assert Recipient.objects.get(number="000003").name == "林 健"
    assert Recipient.objects.get(number="000001").staff.phone == "03-0000-0009"
    assert not running.path_of(draft).exists() or connection.in_atomic_block


def test_doing_it_twice_is_doing_it_once(operator: Operator) -> None:
    draft = draft_of(operator, HEADINGS + "1,林 健,100,ken@example.jp,\n")
    print_of = running.preview_of(draft).fingerprint
    first = running.run_import(operator, draft.pk, fingerprint=print_of)
    assert running.run_import(operator, draft.pk, fingerprint=print_of) == first
    assert Recipient.objects.count() == 1


def test_nothing_is_stored_when_somebody_changed_the_people_meanwhile(operator: Operator) -> None:
    person = make_staff(number="1")
    draft = draft_of(operator, HEADINGS + "1,山田 太郎,100,taro@example.jp,090\n")
    print_of = running.preview_of(draft).fingerprint
    actions.save_person(operator, STAFF, {"phone": "080"}, recipient_id=person.pk, version=1)
    with pytest.raises(Refused) as refused:
        running.run_import(operator, draft.pk, fingerprint=print_of)
    assert refusal(refused).startswith("I13 点検した後に名簿が変わりました。")


def test_whatever_happens_to_anybody_shows_in_the_state_of_people() -> None:
    seen = [running.state_of_people()]

    def note() -> None:
        seen.append(running.state_of_people())

    person = make_staff()
    note()
    actions.save_person(None, STAFF, {"phone": "1"}, recipient_id=person.pk, version=1)
    note()
    actions.count_refusal(address_of(person), cause="refused", code=550, text="")
    note()
    actions.set_flag(None, address_of(person), "do_not")
    note()
    client = save_client(None, {"company_name": "青葉"}, [])
    note()
    save_client(None, {"company_name": "北斗"}, [], client_id=client.pk, version=1)
    note()
    actions.delete_person(None, person)
    note()
    assert len(set(seen)) == len(seen)


def test_rows_without_a_number_get_free_ones_and_known_people_are_recognised(operator: Operator) -> None:
    make_staff(number="7")
    text = "氏名,部門,メール,スタッフNO\n山田 太郎,100,TARO@example.jp,\n森 花,100,h@example.jp,\n林 健,100,,9\n"
    seen = running.preview_of(draft_of(operator, text))
    assert [(row.fate.value, row.sheet["number"]) for row in seen.rows] == [
        ("change", "000007"),
        ("add", "000010"),
        ("add", "000009"),
    ]


def test_two_people_of_one_name_without_addresses_are_two_people(operator: Operator) -> None:
    make_staff("山田 太郎", "", number="7")
    seen = running.preview_of(draft_of(operator, "氏名,部門\n山田 太郎,100\n"))
    assert [(row.fate.value, row.sheet["number"]) for row in seen.rows] == [("add", "000008")]


def test_undoing_a_new_address_brings_back_the_failed_one_as_failed(operator: Operator) -> None:
    person = make_staff(number="1")
    for _ in range(3):
        actions.count_refusal(address_of(person), cause="refused", code=550, text="")
    done = run(operator, draft_of(operator, "NO,メールアドレス1\n1,new@example.jp\n"))
    assert (address_of(person).flag, address_of(person).error_count) == ("send", 0)
    for _ in range(3):
        actions.count_refusal(address_of(person), cause="refused", code=550, text="")
    running.undo_import(operator, done)
    back = address_of(person)
    assert (back.address, back.flag, back.error_count) == ("taro@example.jp", "cannot", 3)


def shifted_file(count: int, slipped: range) -> str:
    people = [(number, f"姓{number} 名", f"p{number}@example.jp") for number in range(1, count + 1)]
    lines = []
    for place, (number, name, address) in enumerate(people):
        wrong = people[(place + 1) % count][2] if place in slipped else address
        lines.append(f"{number},{name},100,{wrong},\n")
    return HEADINGS + "".join(lines)


def test_i03_slipped_rows_are_stopped_until_the_number_is_typed(operator: Operator) -> None:
    run(operator, draft_of(operator, shifted_file(100, range(0))))
    draft = draft_of(operator, shifted_file(100, range(40, 60)))
    seen = running.preview_of(draft)
    assert len(seen.shifted) == 20
    assert (seen.shifted[0].number, seen.shifted[0].old, seen.shifted[0].new) == (
        "000041",
        "p41@example.jp",
        "p42@example.jp",
    )
    for typed in ("", "19", "はい"):
        with pytest.raises(Refused) as refused:
            run(operator, draft, typed)
        assert refusal(refused) == "I15 確認のため、変わる件数(20)を半角の数字で入力してください。"
    assert address_of(Recipient.objects.get(number="000041")).address == "p41@example.jp"
    assert run(operator, draft, "20").changed_count == 20


def test_i03_two_addresses_that_change_owners_are_stopped_too(operator: Operator) -> None:
    run(operator, draft_of(operator, shifted_file(100, range(0))))
    swapped = shifted_file(100, range(0)).replace("p5@", "x@").replace("p6@", "p5@").replace("x@", "p6@")
    assert [pair.number for pair in running.preview_of(draft_of(operator, swapped)).shifted] == ["000005", "000006"]


def test_i03_a_few_new_addresses_are_an_ordinary_change(operator: Operator) -> None:
    run(operator, draft_of(operator, shifted_file(100, range(0))))
    moved = shifted_file(100, range(0))
    for number in range(1, 10):
        moved = moved.replace(f",p{number}@example.jp", f",new{number}@example.jp")
    seen = running.preview_of(draft_of(operator, moved))
    assert seen.count(Fate.CHANGE) == 9
    assert seen.shifted == []


def test_undoing_puts_everybody_back_exactly(operator: Operator) -> None:
    make_samples(staff=40, clients=0, applicants=0)
    before = everything(STAFF)
    lines = "".join(f"{number},新 姓{number},100,new{number}@example.jp,1\n" for number in range(1, 61))
    draft = draft_of(operator, HEADINGS + lines)
    done = run(operator, draft, str(len(running.preview_of(draft).shifted)))
    assert Recipient.objects.count() == 60
    assert everything(STAFF) != before

    undone = running.undo_import(operator, done)

    assert (undone.restored_count, undone.removed_count, undone.kept) == (40, 20, ())
    assert everything(STAFF) == before
    assert running.undo_import(operator, done).restored_count == 0


def everything(kind: str) -> list[str]:
    ids = queries.find(kind, {}).values_list("pk", flat=True)
    return b"".join(export_csv(kind, ids)).decode().splitlines()


def test_undoing_leaves_whoever_was_changed_since_and_forgets_no_failure(operator: Operator) -> None:
    kept, other = make_staff(number="1"), make_staff("森 花", "hana@example.jp", number="2")
    done = run(operator, draft_of(operator, "NO,タグ\n1,夜勤可\n2,夜勤可\n"))
    kept.refresh_from_db()
    actions.save_person(operator, STAFF, {"phone": "1"}, recipient_id=kept.pk, version=kept.version)
    actions.count_refusal(address_of(other), cause="refused", code=550, text="")
    undone = running.undo_import(operator, done)
    assert (undone.restored_count, undone.kept) == (1, ("山田 太郎(000001)",))
    kept.refresh_from_db()
    other.refresh_from_db()
    assert (kept.tags, other.tags, address_of(other).error_count) == ("夜勤可", "", 1)


def test_after_30_days_it_cannot_be_undone(operator: Operator) -> None:
    done = run(operator, draft_of(operator, HEADINGS + "1,林 健,100,ken@example.jp,\n"))
    assert running.may_undo(done)
    with time_machine.travel(timezone.now() + datetime.timedelta(days=31)):
        assert not running.may_undo(done)
        with pytest.raises(Refused) as refused:
            running.undo_import(operator, done)
    assert refusal(refused) == "I11 30日を過ぎたため、この取り込みは元に戻せません。"


def test_a_file_never_lifts_cannot_and_its_flags_are_kept_in_the_history(operator: Operator) -> None:
    person = make_staff(number="1")
    text = "NO,送信可否1\n1,送れない\n"
    run(operator, draft_of(operator, text))
    assert address_of(person).flag == "cannot"
    assert AddressEvent.objects.get().reason == "取り込み(名簿.csv)"
    assert fates(running.preview_of(draft_of(operator, text.replace("送れない", "送る")))) == ["same"]
    assert fates(running.preview_of(draft_of(operator, "NO,送信可否1\n1,\n"))) == ["same"]


@pytest.mark.parametrize("kind", [STAFF, CLIENT, APPLICANT])
def test_x23_our_own_export_changes_nothing_and_restores_an_empty_office(operator: Operator, kind: str) -> None:
    make_samples(staff=60, clients=15, applicants=12)
    odd = make_staff("=SUM(1)", "odd@example.jp", phone="+81-90-0000-0000", note='"=1"\n\t@x', tags="'=1")
    raw = b"".join(export_csv(kind, queries.find(kind, {}).values_list("pk", flat=True)))
    assert (b"'=SUM(1)" in raw) == (kind == STAFF)
    count = Recipient.objects.filter(kind=kind).count()
    draft = running.begin_import(operator, kind, "e.csv", raw)
    assert fates(running.preview_of(draft)) == ["same"] * count

    Recipient.objects.all().delete()
    Client.objects.all().delete()
    draft = running.begin_import(operator, kind, "e.csv", raw)
    assert run(operator, draft).added_count == count
    again = b"".join(export_csv(kind, queries.find(kind, {}).values_list("pk", flat=True)))
    assert without_counts(again) == without_counts(raw)
    assert odd.name == "=SUM(1)"


def without_counts(raw: bytes) -> list[str]:
    return raw.decode("utf-8-sig").replace(",3,", ",0,").replace(",2,", ",0,").splitlines()


def test_shift_jis_is_written_or_the_letter_that_it_lacks_is_named() -> None:
    person = make_staff("髙橋 﨑子")
    assert "髙橋,﨑子" in b"".join(export_csv(STAFF, [person.pk], encoding="cp932")).decode("cp932")
    other = make_staff("𠮷田 健", "ken@example.jp")
    with pytest.raises(Refused) as refused:
        list(export_csv(STAFF, [other.pk], encoding="cp932"))
    assert refusal(refused).startswith("X01 「𠮷」は Shift_JIS では書き出せません。")


def test_clients_come_with_their_companies(operator: Operator) -> None:
    save_client(
        None, {"company_name": "青葉製作所", "client_number": "5"}, [{"name": "山田 太郎", "section": "総務部"}]
    )
    text = (
        "得意先NO,会社名,担当者名,部署,メールアドレス\n"
        "5,青葉製作所,山田 太郎,人事部,taro@aoba.example.jp\n"
        ",北斗物流,森 花,,hana@hokuto.example.jp\n"
        ",北斗物流,林 健,,ken@hokuto.example.jp\n"
    )
    draft = draft_of(operator, text, CLIENT)
    seen = running.preview_of(draft)
    assert fates(seen) == ["change", "add", "add"]
    done = run(operator, draft)
    hokuto = Client.objects.get(company_name="北斗物流")
    assert hokuto.number == "000006"
    numbers = Recipient.objects.filter(client_contact__client=hokuto).values_list("number", flat=True)
    assert sorted(numbers) == ["000006-000-01", "000006-000-02"]
    running.undo_import(operator, done)
    assert list(Client.objects.values_list("company_name", flat=True)) == ["青葉製作所"]
    assert Recipient.objects.get().client_contact.section == "総務部"


def test_a_mapping_is_remembered_for_files_of_the_same_shape(operator: Operator) -> None:
    text = "番号列,名前列,どこ\n1,林 健,100\n"
    draft = draft_of(operator, text)
    assert draft.columns == ["", "", ""]
    with pytest.raises(Refused) as refused:
        running.choose_columns(draft, ["number", "number", ""])
    assert refusal(refused).startswith("I08 「スタッフNO」を 2つの列に割り当てています。")
    with pytest.raises(Refused):
        running.choose_columns(draft, ["", "", "department"])
    run(operator, running.choose_columns(draft, ["number", "name", "department"]))
    assert draft_of(operator, text.replace("1,", "2,")).columns == ["number", "name", "department"]


def test_files_left_lying_are_thrown_away_after_two_days(operator: Operator) -> None:
    draft = draft_of(operator, HEADINGS + "1,林 健,100,,\n")
    with time_machine.travel(timezone.now() + datetime.timedelta(days=3)):
        draft_of(operator, HEADINGS + "1,林 健,100,,\n")
    assert not running.path_of(draft).exists()
    with pytest.raises(Refused) as refused:
        running.table_of(draft)
    assert refusal(refused).startswith("I12 ファイルの保存期間が過ぎました。")


def test_the_template_is_a_file_that_we_understand() -> None:
    for kind in (STAFF, CLIENT, APPLICANT):
        headings = template_csv(kind).decode("utf-8-sig").strip().split(",")
        assert "" not in guess(kind, headings)


def test_five_thousand_rows_take_few_queries(operator: Operator) -> None:
    draft = draft_of(operator, shifted_file(5_000, range(0)))
    with CaptureQueriesContext(connection) as asked:
        assert run(operator, draft).added_count == 5_000
    assert len(asked) < 200
    assert PartyAddress.objects.count() == 5_000
