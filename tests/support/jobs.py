"""Accounts, people and approved jobs for tests of the ledger, laid down as approving a job lays them down."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.apps.sending import ledger
from fumibako.apps.sending.addressees import note_addressees
from fumibako.apps.sending.build import Identities, JobComposer, seal, sheet_of
from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.apps.sending.work import Around
from fumibako.delivery.states import State
from fumibako.services.mailer import Patience, SmtpRoute

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PATIENCE = Patience(greeting=5, command=5, login=5, data=5, block=5, body=10, dot=10, farewell=1)


def make_account(**values: Any) -> MailAccount:
    """A sending account without login; `values` override."""
    number = MailAccount.objects.count() + 1
    account = {
        "account_no": number,
        "name": f"口座{number}",
        "receive_enabled": False,
        "smtp_host": "127.0.0.1",
        "smtp_port": 25,
        "smtp_security": "none",
        "smtp_auth": False,
        "from_name": "見本スタッフ",
        "from_address": "staff@example.jp",
        "stop_failure_percent": 0,
    }
    made = MailAccount.objects.create(**(account | values))
    # Saved before the tests' own time begins, whatever the real date is: a later change would forgive a stop.
    MailAccount.objects.filter(pk=made.pk).update(changed_at=NOW - timedelta(days=1))
    made.refresh_from_db(fields=["changed_at"])
    return made


def make_people(count: int, kind: str = "staff", domain: str = "example.com") -> list[PartyAddress]:
    """`count` new people with one address each."""
    first = Recipient.objects.count() + 1
    people = Recipient.objects.bulk_create(
        Recipient(kind=kind, number=f"{first + n:06}", family_name=f"見本{first + n}", given_name="花子")
        for n in range(count)
    )
    addresses = [f"p{person.number}@{domain}" for person in people]
    return PartyAddress.objects.bulk_create(
        PartyAddress(recipient=person, slot=1, address=address, address_key=address)
        for person, address in zip(people, addresses, strict=True)
    )


def make_job(account: MailAccount, addresses: Sequence[PartyAddress], **values: Any) -> BulkSend:
    """An approved job to `addresses`, due at NOW; every mail is really built and its bytes sealed."""
    now = values.pop("now", NOW)
    sheet_values = values.pop("sheet", {})
    job = BulkSend.objects.create(
        **{
            "number": BulkSend.objects.count() + 1,
            "account": account,
            "subject": "{{氏名}}様への連絡",
            "body": "{{氏名}}様\n明日の予定です。",
            "created_by_name": "担当",
            "approved_at": now,
            "release_at": now,
            "deadline_at": now + timedelta(hours=24),
            "selected_count": len(addresses),
        }
        | values
    )
    job.sheet = sheet_of(job, account) | sheet_values
    job.save()
    composer = JobComposer(job.sheet)
    identities = Identities(job, job.sheet)
    rows = [_row(job, seq, address, composer, identities, now) for seq, address in enumerate(addresses, start=1)]
    ledger.plan_rows(rows)
    note_addressees(job.pk)
    return job


def _row(
    job: BulkSend, seq: int, address: PartyAddress, composer: JobComposer, identities: Identities, now: datetime
) -> Delivery:
    person = address.recipient
    row = Delivery(
        job=job,
        account=job.account,
        seq=seq,
        recipient=person,
        party_address=address,
        party_kind=person.kind,
        party_number=person.number,
        party_name=person.name,
        address=address.address,
        address_key=address.address_key,
        wire_address=address.address,
        values={"氏名": person.name},
        changed_at=now,
    )
    identities.give(row, now)
    seal(row, composer.compose(row))
    return row


@dataclass
class FakeTime:
    """A clock that moves only when somebody waits; `waits` are the seconds that were waited."""

    now: datetime = NOW
    waits: list[float] = field(default_factory=list)

    def read(self) -> datetime:
        """The time."""
        return self.now

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Pass the time at once."""
        self.waits.append(seconds)
        self.pass_by(seconds=seconds)

    def pass_by(self, **span: float) -> None:
        """Move the clock."""
        self.now += timedelta(**span)


def around(port: int, clock: FakeTime, **values: Any) -> Around:
    """Surroundings on a fake clock, with every account leading to `port` on loopback; all waits are sat out."""
    route = SmtpRoute("127.0.0.1", port, security="none", helo_name="example.jp", patience=PATIENCE)
    world = Around(now=clock.read, wait=clock.wait, route_of=lambda account: route, short_wait=timedelta(hours=1))
    return replace(world, **values)


def states_of(job: BulkSend) -> dict[str, int]:
    """How many deliveries of the job stand in each state."""
    counts: dict[str, int] = {}
    for state in job.deliveries.values_list("state", flat=True):
        counts[state] = counts.get(state, 0) + 1
    return counts


def row_of(job: BulkSend, seq: int) -> Delivery:
    """One delivery as it stands now."""
    return job.deliveries.get(seq=seq)


def put_into(row: Delivery, state: State, **columns: Any) -> None:
    """Place a row by force where a test wants it to begin."""
    Delivery.objects.filter(pk=row.pk).update(state=state, **columns)
