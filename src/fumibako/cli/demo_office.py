"""The office of the demonstration: invented people, practice accounts, one draft, and the practice mail server."""

from __future__ import annotations

import argparse
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Any

from fumibako.apps.accounts.actions import save_account
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.routes import password_of
from fumibako.apps.audit.actions import record
from fumibako.apps.office import schema
from fumibako.apps.office.actions import begin_practice
from fumibako.apps.office.models import Operator
from fumibako.apps.office.queries import office
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.apps.recipients.samples import make_samples
from fumibako.apps.sending.drafts import add_people, set_letter, set_sender, start_draft
from fumibako.apps.sending.models import BulkSend
from fumibako.cli.demo_days import colleagues, live_through
from fumibako.cli.printing import note
from fumibako.cli.refused import CouldNotRun, Refused
from fumibako.cli.serve import PORT, announce, listen, opening_of, serve_on
from fumibako.cli.starting import data_root, folder_in_hand, open_database, require_safe
from fumibako.practice import PracticeAddresses, PracticeServer
from fumibako.practice.server import LOOPBACK, CannotListen

USUAL_PORTS = (2525, 2110)
STAFF, CLIENTS, CONTACTS, APPLICANTS = 300, 40, 62, 25
DRAFT_PEOPLE = 20
DRAFT_LESSONS = ("unknown", "docomo", "drop")
"""Practice people (see `practice.people`) who are in the first draft, so that it shows a failure and a 結果不明."""
NOT_PRACTICE = (
    "このデータの置き場所({})は本番で使われているため、練習モードにできません。"
    "--data で別の置き場所を指定してください(例: ./fumibako --data ./demo-data demo)。"
)

SIGNATURE = """--
見本スタッフ株式会社 {}
〒100-0000 東京都見本区見本町1-2-3
電話 03-0000-0000(平日 9時〜18時)"""

ACCOUNTS: tuple[dict[str, Any], ...] = (
    {
        "name": "スタッフ連絡用",
        "from_name": "見本スタッフ 東京本社",
        "from_address": "staff@example.jp",
        "signature": SIGNATURE.format("東京本社 スタッフ担当"),
        "batch_size": 5,
        "sleep_seconds": 3,
        "hold_minutes": 1,
        "allow_attachments": True,
    },
    {
        "name": "得意先連絡用",
        "from_name": "見本スタッフ株式会社 営業部",
        "from_address": "eigyo@example.jp",
        "charset": "iso-2022-jp",
        "signature": SIGNATURE.format("営業部"),
        "batch_size": 20,
        "sleep_seconds": 10,
        "hold_minutes": 1,
    },
    {
        "name": "求人案内(配信用)",
        "from_name": "見本スタッフ 求人案内",
        "from_address": "kyujin@example.jp",
        "signature": SIGNATURE.format("求人案内係") + "\n配信の停止は、このメールに「停止」と返信してください。",
        "is_marketing": True,
        "warn_from": "20:00",
        "warn_to": "8:00",
        "max_per_job": 500,
        "batch_size": 50,
        "sleep_seconds": 30,
    },
    {
        "name": "応募者受付",
        "from_name": "見本スタッフ 採用担当",
        "from_address": "oubo@example.jp",
        "charset": "shift_jis",
        "signature": SIGNATURE.format("採用担当"),
        "batch_size": 10,
        "sleep_seconds": 5,
        "hold_minutes": 1,
    },
)

SUBJECT = "{{氏名}}様 来週の勤務予定のご確認"
BODY = """{{氏名}}様

お世話になっております。見本スタッフです。
来週の勤務予定について、変更がありましたら、明日の 17時までにこのメールへご返信ください。

よろしくお願いいたします。"""


def run_demo(args: argparse.Namespace, open_browser: Callable[[str], object] | None) -> int:
    """Make the office where it is missing, start the practice mail server, then serve until Ctrl+C."""
    with folder_in_hand():
        open_demo_database()
        require_safe()
        with practice_server() as addresses:
            follow_ports(addresses)
            fill_office(addresses, args.people)
            live_through()
            with closing(_listen(args.port)) as door:
                opening = opening_of(door)
                announce(args, opening)
                if open_browser is not None:
                    open_browser(opening.url)
                serve_on(door, 1)
    return 0


def _listen(port: int | None) -> socket.socket:
    """Listen on the wanted port; without a wish on the usual one, or on any free one."""
    if port is not None:
        return listen(LOOPBACK, port)
    try:
        return listen(LOOPBACK, PORT)
    except CouldNotRun:
        return listen(LOOPBACK, 0)


def open_demo_database() -> None:
    """Bring the database up to date and into practice mode. Raises Refused for one that is used in earnest."""
    known = schema.schema()
    if not known.is_new and not known.pending:
        _refuse_real_office()
    open_database(is_serving=True)
    _refuse_real_office()
    if not office().is_practice:
        begin_practice()
        record(None, "practice.begun", "office")


def _refuse_real_office() -> None:
    is_used = any(rows.objects.exists() for rows in (Operator, MailAccount, Recipient, BulkSend))
    if is_used and not office().is_practice:
        raise Refused(NOT_PRACTICE.format(data_root()))


@contextmanager
def practice_server() -> Iterator[PracticeAddresses]:
    """Run the practice mail server on its usual ports, or on free ones."""
    folder = data_root() / "practice"
    folder.mkdir(mode=0o700, exist_ok=True)
    server = PracticeServer(folder, smtp_port=USUAL_PORTS[0], pop_port=USUAL_PORTS[1])
    try:
        addresses = server.start()
    except CannotListen:
        server = PracticeServer(folder)
        addresses = server.start()
    try:
        yield addresses
    finally:
        server.stop()


def follow_ports(addresses: PracticeAddresses) -> None:
    """Let every account that led to the practice server's ports of last time lead to today's."""
    path = data_root() / "practice" / "ports.json"
    before = json.loads(path.read_text("ascii")) if path.exists() else {}
    if before == asdict(addresses):
        return
    for account in MailAccount.objects.all():
        moved = _moved_ports(account, before, addresses)
        if moved:
            # A password is bound to its ports; it is the practice server's own, so it may follow.
            values = moved | {"password": password_of(account).reveal()}
            save_account(None, values, account_no=account.account_no)
    path.write_text(json.dumps(asdict(addresses)), "ascii")


def _moved_ports(account: MailAccount, before: Mapping[str, Any], addresses: PracticeAddresses) -> dict[str, int | str]:
    moved: dict[str, int | str] = {}
    if (account.smtp_host, account.smtp_port) == (addresses.host, before.get("smtp_port")):
        moved["smtp_port"] = addresses.smtp_port
    if (account.pop_host, account.pop_port) == (addresses.host, before.get("pop_port")):
        moved["pop_port"] = addresses.pop_port
    return moved


def fill_office(addresses: PracticeAddresses, people_count: int | None = None) -> None:
    """Put people, accounts and one draft into an empty office; whatever is there already stays as it is."""
    if not Recipient.objects.exists():
        _make_people(people_count)
    elif people_count is not None:
        note("見本はもう入っているため、人数は変えません。変えるときは、--data で別の置き場所を指定してください。")
    if not MailAccount.objects.exists():
        for values in ACCOUNTS:
            save_account(None, practice_values(addresses) | values | {"user_id": values["from_address"]})
    if not BulkSend.objects.exists():
        _make_draft(colleagues()[0])


def practice_values(addresses: PracticeAddresses) -> dict[str, Any]:
    """Return what every account on the practice server has in common."""
    return {
        "receive_enabled": True,
        "fetch_interval_minutes": "1",
        "pop_host": addresses.host,
        "pop_port": addresses.pop_port,
        "smtp_host": addresses.host,
        "smtp_port": addresses.smtp_port,
        "smtp_security": "none",
        "smtp_auth": True,
        "password": "practice",
        "preset": "practice",
    }


def _make_people(people_count: int | None) -> None:
    if people_count is None:
        make_samples(staff=STAFF, clients=CLIENTS, contacts=CONTACTS, applicants=APPLICANTS)
        return
    contacts, applicants = people_count // 6, people_count // 16
    companies = max(1, contacts * CLIENTS // CONTACTS)
    staff = people_count - contacts - applicants
    make_samples(staff=staff, clients=companies, contacts=contacts, applicants=applicants)


def _make_draft(operator: Operator) -> None:
    job = start_draft(operator)
    account = MailAccount.objects.order_by("account_no").first()
    if account is not None:
        set_sender(operator, job, account, BulkSend.Kind.BUSINESS)
    working = Recipient.objects.filter(kind=Recipient.Kind.STAFF, staff__employment="working").order_by("number")
    people = list(working.values_list("pk", flat=True)[: DRAFT_PEOPLE - len(DRAFT_LESSONS)])
    for word in DRAFT_LESSONS:
        willing = PartyAddress.objects.filter(
            recipient__kind=Recipient.Kind.STAFF, flag=PartyAddress.Flag.SEND, address__contains=f".{word}@"
        )
        people += willing.exclude(recipient__in=people).order_by("pk").values_list("recipient", flat=True)[:1]
    add_people(operator, job, Recipient.Kind.STAFF, people)
    set_letter(operator, job, SUBJECT, BODY)
