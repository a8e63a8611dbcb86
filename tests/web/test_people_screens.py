"""The screens of people in a real browser: every look, without a mouse, without scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from fumibako.apps.office.models import Department, Office, Operator
from fumibako.apps.office.queries import office
from fumibako.apps.recipients import actions
from fumibako.apps.recipients.companies import save_client
from fumibako.apps.recipients.importing import running
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.apps.recipients.samples import make_samples
from tests.support.browser import LOOKS, OpenPage, assert_accessible, assert_no_sideways_scroll, press, shoot

pytestmark = pytest.mark.browser
LISTS = {"staff": "/staff/", "clients": "/clients/", "applicants": "/applicants/", "transfer": "/transfer/"}


@pytest.fixture
def _people(site: object) -> None:
    Office.objects.filter(pk=office().pk).update(is_practice=True, company_name="株式会社見本スタッフ")
    make_samples(staff=120, clients=12, applicants=10)


def stopped_person() -> Recipient:
    """Somebody whose address failed three times."""
    address = PartyAddress.objects.filter(flag="cannot", recipient__kind="staff").select_related("recipient")[0]
    return address.recipient


@pytest.mark.usefixtures("_people")
@pytest.mark.parametrize(("size", "scheme"), LOOKS)
@pytest.mark.parametrize("name", LISTS)
def test_a_list_can_be_used_by_everybody(open_page: OpenPage, name: str, size: tuple[int, int], scheme: str) -> None:
    page = open_page(LISTS[name], size=size, scheme=scheme)
    shoot(page, f"{name}_{size[0]}_{scheme}")
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@pytest.mark.usefixtures("_people")
@pytest.mark.parametrize(("size", "scheme"), LOOKS)
@pytest.mark.parametrize("name", ["record", "address", "new", "client", "applicant", "adopt", "delete"])
def test_a_record_can_be_used_by_everybody(open_page: OpenPage, name: str, size: tuple[int, int], scheme: str) -> None:
    person = stopped_person()
    applicant = Recipient.objects.filter(kind="applicant")[0]
    addresses = {
        "record": f"/staff/{person.number}/",
        "address": f"/staff/{person.number}/?tab=address",
        "new": "/staff/new/",
        "client": "/clients/000001-000/",
        "applicant": f"/applicants/{applicant.number}/",
        "adopt": f"/applicants/{applicant.number}/adopt/",
        "delete": f"/staff/{person.number}/delete/",
    }
    page = open_page(addresses[name], size=size, scheme=scheme)
    if name == "client":
        page.locator("details.contact > summary").first.click()
    shoot(page, f"{name}_{size[0]}_{scheme}")
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@pytest.mark.usefixtures("_people")
@pytest.mark.parametrize(("size", "scheme"), LOOKS)
@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_step_of_taking_in_can_be_used_by_everybody(
    open_page: OpenPage, administrator: Operator, step: int, size: tuple[int, int], scheme: str
) -> None:
    people = Recipient.objects.filter(kind="staff").order_by("number")[:60]
    lines = [f"{one.number},{one.name},東京本社,new{one.number}@mail.example.jp,夜勤可\n" for one in people]
    text = (
        "スタッフNO,氏名,所属部門,メールアドレス1,タグ\n"
        + "".join(lines)
        + "9,,大阪,abc@,\n999,森 花,大阪支店,h@mail.example.jp,\n"
    )
    draft = running.begin_import(administrator, "staff", "名簿2026.csv", text.replace("𠮷", "吉").encode("cp932"))
    page = open_page(f"/transfer/import/{draft.pk}/?step={step}", size=size, scheme=scheme)
    shoot(page, f"import{step}_{size[0]}_{scheme}")
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def test_an_empty_office_is_told_what_to_do_first(open_page: OpenPage) -> None:
    Office.objects.filter(pk=office().pk).update(is_practice=True)
    page = open_page("/staff/")
    expect(page.get_by_text("スタッフがまだ登録されていません。")).to_be_visible()
    shoot(page, "empty")
    assert_accessible(page)
    page.get_by_role("button", name="見本を入れる").click()
    expect(page.get_by_text("見本のスタッフ 300人")).to_be_visible()


def test_a_person_is_made_changed_and_removed_with_the_keys(open_page: OpenPage) -> None:
    Department.objects.create(code="100", name="東京本社")
    page = open_page("/staff/new/")
    page.get_by_label("姓", exact=False).first.fill("髙橋")
    press(page, "F2")
    expect(page.locator("#errors")).to_be_focused()
    expect(page.get_by_role("link", name="所属部門を選択してください。")).to_be_visible()
    expect(page).to_have_title(re.compile("^エラー: "))
    shoot(page, "refused")
    assert_accessible(page)
    expect(page.get_by_label("姓", exact=False).first).to_have_value("髙橋")
    page.locator("#id_department").select_option("100")
    page.get_by_role("tab", name="住所・メール").click()
    page.locator("#id_address1").fill("ｎａｏｋｏ@example.jp")
    press(page, "F2")
    expect(page.get_by_text("髙橋を登録しました。")).to_be_visible()
    expect(page.get_by_text("メールアドレス1の全角を半角に直しました。")).to_be_visible()
    expect(page.locator("#id_address1")).to_have_value("naoko@example.jp")

    page.get_by_role("tab", name="概要").click()
    page.locator("#id_phone").fill("090-0000-0001")
    expect(page.get_by_text("未登録の変更 1項目")).to_be_visible()
    press(page, "Control+s")
    expect(page.locator("#id_phone")).to_have_value("090-0000-0001")
    expect(page.get_by_text("髙橋を登録しました。")).to_be_visible()
    press(page, "F4")
    expect(page.get_by_role("dialog")).to_contain_text("以下のスタッフを削除しますか?")
    assert_accessible(page)
    page.get_by_role("button", name="削除", exact=True).click()
    expect(page.get_by_text("を削除しました。")).to_be_visible()
    assert not Recipient.objects.exists()


def test_what_somebody_else_saved_is_shown_before_it_is_overwritten(
    open_page: OpenPage, administrator: Operator
) -> None:
    Department.objects.create(code="100", name="東京本社")
    other = Operator.objects.create(username="tanaka", display_name="田中 明")
    person = actions.save_person(other, "staff", {"name": "山田 太郎", "department": "100"})
    page = open_page(f"/staff/{person.number}/")
    actions.save_person(other, "staff", {"phone": "1"}, recipient_id=person.pk, version=1)
    page.locator("#id_phone").fill("2")
    press(page, "F2")
    expect(page.get_by_role("alert")).to_contain_text("田中 明さんが")
    expect(page.get_by_role("alert")).to_contain_text("あなたの内容「2」、登録されている内容「1」")
    shoot(page, "meanwhile")
    assert_accessible(page)
    page.get_by_role("button", name="自分の内容で登録").click()
    expect(page.locator("#id_phone")).to_have_value("2")
    expect(page.get_by_text("山田 太郎を登録しました。")).to_be_visible()


@pytest.mark.usefixtures("_people")
def test_conditions_chips_and_ticks_work_together(open_page: OpenPage) -> None:
    page = open_page("/staff/")
    press(page, "F3")
    page.get_by_label("氏名・カナ").fill("さとう")
    page.get_by_role("button", name="抽出").click()
    expect(page.get_by_role("link", name="氏名・カナ さとう")).to_be_visible()
    boxes = page.locator("[data-row]")
    boxes.first.check()
    expect(page.get_by_text("1件のスタッフが選択されています。")).to_be_visible()
    page.get_by_label("このページのスタッフをすべて選択").check()
    expect(page.get_by_text(f"このページのスタッフ {boxes.count()}件すべてが選択されています。")).to_be_visible()
    shoot(page, "chips")
    assert_accessible(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSVで書き出す").click()
    text = Path(waiting.value.path()).read_text("utf-8-sig")
    assert len(text.splitlines()) == boxes.count() + 1
    assert waiting.value.suggested_filename.startswith("スタッフ_")


@pytest.mark.usefixtures("_people")
def test_without_scripts_an_address_comes_back_and_an_applicant_is_adopted(open_page: OpenPage) -> None:
    person = stopped_person()
    page = open_page(f"/staff/{person.number}/", scripts=False)
    page.get_by_label("送れる状態に戻す理由").fill("本人に電話で確認")
    page.get_by_role("button", name="送るに戻す").click()
    expect(page.get_by_text("エラー回数を 0 にしました。")).to_be_visible()
    assert not PartyAddress.objects.filter(recipient=person, flag="cannot").exists()

    applicant = Recipient.objects.filter(kind="applicant")[0]
    page.goto(page.url.split("/staff/")[0] + f"/applicants/{applicant.number}/")
    page.get_by_role("link", name="採用する").click()
    page.get_by_role("button", name="採用する").click()
    expect(page.get_by_text("所属部門を選択してください。")).to_be_visible()
    page.locator("#adopt_department").select_option("100")
    page.get_by_role("button", name="採用する").click()
    expect(page.get_by_text("として登録しました。メールと連絡記録は引き継がれています。")).to_be_visible()
    expect(page.get_by_role("link", name=f"応募者NO {applicant.number} から採用")).to_be_visible()


def test_without_scripts_a_company_and_its_people_are_saved(open_page: OpenPage) -> None:
    page = open_page("/clients/new/", scripts=False)
    page.locator("#id_company_name").fill("青葉製作所株式会社")
    page.locator("#id_contact0-family_name").fill("山田")
    page.locator("#id_contact0-address1").fill("abc@")
    page.get_by_role("button", name="登録").click()
    problem = "メールアドレス1は「名前@会社名.co.jp」の形で入力してください。"
    expect(page.get_by_role("link", name=f"新しい担当者:{problem}")).to_be_visible()
    page.locator("#id_contact0-address1").fill("taro@aoba.example.jp")
    page.get_by_role("button", name="登録").click()
    expect(page.get_by_text("青葉製作所株式会社を登録しました。")).to_be_visible()
    expect(page.get_by_text("taro@aoba.example.jp").first).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_file_is_taken_in_step_by_step_and_undone(open_page: OpenPage, tmp_path: Path, scripts: bool) -> None:
    save_client(None, {"company_name": "別"}, [])
    Department.objects.create(code="100", name="東京本社")
    file = tmp_path / "名簿.csv"
    file.write_bytes("番号,氏名,部門\n1,髙橋 直子,東京本社\n2,森 花,大阪\n".encode("cp932"))
    page = open_page("/transfer/?kind=staff", scripts=scripts)
    page.locator("#id_file").set_input_files(file)
    page.get_by_role("button", name="次へ進む").click()
    expect(page.get_by_text("文字コードは Shift_JIS、区切りはカンマとして読みました。")).to_be_visible()
    expect(page.get_by_role("cell", name="髙橋 直子")).to_be_visible()
    page.get_by_role("link", name="はい、正しく読めています").click()
    page.get_by_role("button", name="次へ進む").click()
    expect(page.get_by_text("3行目:所属部門「大阪」はありません。")).to_be_visible()
    page.get_by_role("button", name="取り込む").click()
    expect(page.get_by_text("1件の取り込みに成功しました。1件の取り込みに失敗しました。")).to_be_visible()
    assert Recipient.objects.filter(kind="staff").count() == 1
    shoot(page, "result")
    page.get_by_role("button", name="この取り込みを元に戻す").click()
    expect(page.get_by_text("取り込みを元に戻しました。")).to_be_visible()
    assert Recipient.objects.filter(kind="staff").count() == 0
