"""An office with contact records, received mails and things to be done, for the screens of 連絡."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from fumibako.apps.categories.models import ContactCategory
from fumibako.apps.contacts import actions
from fumibako.apps.contacts.expanding import expand
from fumibako.apps.contacts.files import Upload
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.inbox.models import MailAttachment, ReceivedMail
from fumibako.apps.office.models import Department, Office, Operator
from fumibako.apps.office.queries import office
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.apps.recipients.samples import make_samples
from tests.contacts.records import make_account, make_category, make_mail, next_way, set_rule, status, today_plus

TOPICS = (
    ("シフトの変更について相談", "電話", 0, "遅番を希望。来週の火曜から変更できるか確認する。"),
    ("契約更新の面談", "面談", 6, "更新の意思あり。時給の条件を持ち帰り。"),
    ("就業先での困りごと", "電話", 1, "通勤経路の変更について。詳細は https://intra.example.jp/form を案内した。"),
    ("年末調整の書類の提出依頼", "メール送信", 3, "書類の不足を連絡。090-0000-1234 に折り返し。"),
    ("欠勤の連絡", "電話", -2, "体調不良のため本日は欠勤。就業先に連絡済み。"),
    ("交通費の申請方法", "メール受信", 0, ""),
)


def furnish(operator: Operator, count: int = 24) -> None:
    """People, categories, records of the last weeks, and two mails of which one became a record."""
    Office.objects.filter(pk=office().pk).update(company_name="株式会社見本スタッフ", is_practice=True)
    make_samples(staff=60, clients=6, applicants=6)
    operator.department = Department.objects.get(code="100")
    operator.save()
    phone = ContactCategory.objects.get(name="電話")
    work = make_category("勤怠", phone)
    make_category("契約", phone)
    late = make_category("遅刻・欠勤", work)
    people = list(Recipient.objects.order_by("kind", "number")[: count * 2 : 2])
    for place in range(count):
        subject, way, days, body = TOPICS[place % len(TOPICS)]
        person = people[place % len(people)] if place % 7 != 5 else None
        values = {
            "subject": subject,
            "body": body,
            "contacted_at": f"{timezone.localtime() - timedelta(hours=9 * place):%Y/%m/%d %H:%M}",
            "minutes": str(5 * (place % 4)),
            "person": str(person.pk) if person else "",
            "category1": str(ContactCategory.objects.get(name=way).pk),
            "category2": str(work.pk) if way == "電話" else "",
            "category3": str(late.pk) if subject == "欠勤の連絡" else "",
            "status1": str(status(1 + place % 3).pk),
            "next_on": today_plus(days + place // 6) if place % 6 < 5 and place < 15 else "",
            "next_category": str(next_way(1 + place % 3).pk) if place % 6 < 5 and place < 15 else "",
        }
        upload = [Upload("契約書(写し).pdf", "application/pdf", b"%PDF-1.7 sample")] if place == 1 else []
        actions.save_record(operator, None, actions.defaults_for(operator) | values, uploads=upload)


def first_record() -> ContactRecord:
    """A record with a person, a file and something to be done."""
    return ContactRecord.objects.get(number=2)


def receive(operator: Operator, *, is_expanded: bool = True) -> ReceivedMail:
    """A mail of a staff member with an attachment."""
    account = make_account(default_operator=operator)
    phone = ContactCategory.objects.get(name="メール受信")
    set_rule(account, "from", category1=phone, status=status(1))
    address = PartyAddress.objects.filter(recipient__kind="staff")[3]
    text = "お世話になっております。\n来月のシフト提出表をお送りします。\nよろしくお願いいたします。"
    now = timezone.now()
    mail = make_mail(
        account,
        address.address,
        from_name=address.recipient.name,
        subject="Re: 【12月度】シフト提出のお願い",
        text=text,
        sent_at=now - timedelta(minutes=20),
        at=now - timedelta(minutes=20),
        fetched_at=now,
    )
    MailAttachment.objects.create(
        mail=mail, position=0, name="シフト提出表.xlsx", content_type="x/y", size=18_432, sha256="0" * 64
    )
    if is_expanded:
        expand(mail, operator)
    return mail
