"""見本: invented people for practice, demonstration and measuring; the same seed makes the same people."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from fumibako.apps.audit.actions import SYSTEM, record
from fumibako.apps.office.models import Department, Operator
from fumibako.mime.addresses import address_key

from . import queries
from .models import AddressEvent, Applicant, Client, OptOut, PartyAddress, Recipient, Staff
from .rules import CANNOT, DO_NOT, Sheet
from .sample_names import (
    COMPANIES,
    DEPARTMENTS,
    DOMAINS,
    FAMILIES,
    GIVEN_NAMES,
    MEDIA,
    PRACTICE_SHARES,
    SECTIONS,
    TAGS,
    TITLES,
    TRADES,
)
from .writing import Item, Why, write_people

REFUSAL = "5.1.1 Recipient address rejected: User unknown in local table"


@dataclass(frozen=True, slots=True)
class SampleCounts:
    """How many were made."""

    staff_count: int
    client_count: int
    contact_count: int
    applicant_count: int


@dataclass(slots=True)
class _Source:
    """Where the people come from: chance with a seed, a counter, and the practice words still to be given out."""

    dice: random.Random
    words: list[str]
    today: date
    has_odd: bool
    made_count: int = 0


@transaction.atomic
def make_samples(
    *,
    staff: int = 300,
    clients: int = 40,
    contacts: int | None = None,
    applicants: int = 25,
    seed: int = 1,
    has_odd: bool = True,
    operator: Operator | None = None,
) -> SampleCounts:
    """Add invented people to what is there; 5,000 take a few seconds. `contacts` defaults to 62 per 40 clients.

    With `has_odd` a small known share answers, refuses or vanishes on the practice mail server, is 送らない, 送れない
    or opted out, has no address, somebody else's, or one outside the RFC. Without it everybody accepts mail.
    """
    contact_count = clients * 62 // 40 if contacts is None else contacts
    total = staff + contact_count + applicants
    dice = random.Random(seed)  # invented people need to be the same every time, not unpredictable
    source = _Source(dice, _words(total, dice) if has_odd else [""] * total, timezone.localdate(), has_odd)
    for code, name in DEPARTMENTS:
        Department.objects.get_or_create(code=code, defaults={"name": name, "sort_order": int(code)})
    why = Why(SYSTEM, cause="by_hand", reason="本人の希望")
    people = write_people(Recipient.Kind.STAFF, [_new(sheet) for sheet in _staff(source, staff)], why)
    companies = list(_companies(source, clients))
    rows = [_new(sheet) for sheet in _contacts(source, companies, contact_count)]
    people += write_people(Recipient.Kind.CLIENT, rows, why)
    people += write_people(Recipient.Kind.APPLICANT, [_new(sheet) for sheet in _applicants(source, applicants)], why)
    if has_odd:
        _wear_out(people, source)
    counts = SampleCounts(staff, clients, contact_count, applicants)
    record(operator, "samples.made", "samples", changes={"seed": ["", seed], "people": ["", total]})
    return counts


def _new(sheet: Sheet) -> Item:
    return Item(sheet, None, {})


def _words(total: int, dice: random.Random) -> list[str]:
    """One practice word or "" per person: the same shares whatever the chance, at least one of each from 200 people."""
    words: list[str] = []
    for word, share in PRACTICE_SHARES.items():
        words += [word] * max(total * share // 1000, 1 if total >= 200 else 0)
    words += [""] * (total - len(words))
    dice.shuffle(words)
    return words


def _person(source: _Source, domain: str = "") -> Sheet:
    """Name, kana and addresses of one more person."""
    dice, place = source.dice, source.made_count
    source.made_count += 1
    family, family_kana, family_latin = dice.choice(FAMILIES)
    given, given_kana, given_latin = dice.choice(GIVEN_NAMES)
    word = source.words[place]
    local = f"{family_latin}.{given_latin}{place + 1}" + (f".{word}" if word else "")
    sheet = {
        "family_name": family,
        "given_name": given,
        "kana": f"{family_kana} {given_kana}",
        "address1": f"{local}@{domain or dice.choice(DOMAINS)}",
    }
    if dice.random() < 0.3 and not domain:
        sheet["address2"] = f"{given_latin}-{family_latin}{place + 1}@{dice.choice(DOMAINS)}"
    if source.has_odd and not word:
        _make_odd(sheet, source, f"{family_latin}..{place + 1}")
    return sheet


def _make_odd(sheet: Sheet, source: _Source, dotted: str) -> None:
    """About one person in twelve has something about their addresses that an office really meets."""
    chance = source.dice.random()
    if chance < 0.02:
        sheet |= {"address1": "", "address2": ""}
    elif chance < 0.035:
        sheet["address1"] = f"{dotted}@docomo.example.jp"
    elif chance < 0.045:
        sheet["address1"] = f"{dotted.replace('..', '.')}.@ezweb.example.jp"
    elif chance < 0.055:
        sheet["address1"] = f"family{source.made_count // 400}@mail.example.jp"
    elif chance < 0.085:
        sheet |= {"flag1": DO_NOT, "flag_reason1": "本人の希望"}


def _staff(source: _Source, count: int) -> Iterator[Sheet]:
    dice = source.dice
    first = int(queries.next_number(Recipient.Kind.STAFF) or 1)
    employments = [Staff.Employment.WORKING] * 6 + [Staff.Employment.WAITING] * 3 + [Staff.Employment.LEFT]
    for number in range(first, first + count):
        sheet = _person(source)
        employment = dice.choice(employments)
        registered = source.today - timedelta(days=dice.randrange(30, 2500))
        has_left = employment == Staff.Employment.LEFT
        left = registered + timedelta(days=dice.randrange(1, (source.today - registered).days + 1))
        yield sheet | {
            "number": f"{number:06d}",
            "department": dice.choice(DEPARTMENTS)[0],
            "employment": employment.value,
            "phone": _phone(dice),
            "registered_on": f"{registered:%Y/%m/%d}",
            "left_on": f"{left:%Y/%m/%d}" if has_left else "",
            "tags": " ".join(dice.sample(TAGS, dice.choice([0, 0, 1, 2]))),
        }


def _phone(dice: random.Random) -> str:
    # 0X0-0000-XXXX is given to nobody.
    return f"0{dice.choice('789')}0-0000-{dice.randrange(10_000):04d}"


def _companies(source: _Source, count: int) -> Iterator[Sheet]:
    dice = source.dice
    first = int(queries.next_number(Recipient.Kind.CLIENT) or 1)
    dealings = [Client.Dealing.ACTIVE] * 7 + [Client.Dealing.PROSPECT] * 2 + [Client.Dealing.ENDED]
    for place in range(count):
        name, kana, latin = COMPANIES[place % len(COMPANIES)]
        trade, trade_kana, trade_latin = dice.choice(TRADES)
        yield {
            "client_number": f"{first + place:06d}",
            "branch": "000",
            "company_name": f"株式会社{name}{trade}" if place % 3 else f"{name}{trade}株式会社",
            "company_kana": f"{kana}{trade_kana}",
            "dealing": dice.choice(dealings).value,
            "company_phone": f"03-0000-{dice.randrange(10_000):04d}",
            "domain": f"{latin}-{trade_latin}{place + 1}.example.jp",
        }


def _contacts(source: _Source, companies: list[Sheet], count: int) -> Iterator[Sheet]:
    """Everyone gets a company in turn, so that each company has somebody as long as the people last."""
    for place in range(count if companies else 0):
        company = companies[place % len(companies)]
        order = place // len(companies) + 1
        sheet = _person(source, company["domain"])
        if place == 1:
            # A display name with a comma in it must stay one address.
            sheet |= {"family_name": f"{company['company_name']}, {sheet['family_name']}", "kana": "ヤマダ"}
        yield (
            sheet
            | company
            | {
                "contact_no": f"{order:02d}",
                "section": source.dice.choice(SECTIONS),
                "title": source.dice.choice(TITLES),
                "sort_order": str(order),
            }
        )


def _applicants(source: _Source, count: int) -> Iterator[Sheet]:
    dice = source.dice
    first = int(queries.next_number(Recipient.Kind.APPLICANT).removeprefix("A"))
    statuses = [status for status in Applicant.Status if status != Applicant.Status.HIRED]
    for number in range(first, first + count):
        status = dice.choice(statuses)
        applied = source.today - timedelta(days=dice.randrange(1, 60))
        meeting = f"{applied + timedelta(days=7):%Y/%m/%d} {dice.randrange(10, 18)}:00"
        has_met = status != Applicant.Status.APPLIED
        yield _person(source) | {
            "number": f"A{number:04d}",
            "applied_on": f"{applied:%Y/%m/%d}",
            "media": dice.choice(MEDIA),
            "interview_at": meeting if has_met else "",
            "interview_place": "東京本社 3階 面接室" if has_met else "",
            "status": status.value,
        }


def _wear_out(people: list[Recipient], source: _Source) -> None:
    """Some addresses have failed before (送れない with its story), some people have opted out."""
    chosen = source.dice.sample(people, len(people) // 40)
    worn = list(PartyAddress.objects.filter(recipient__in=chosen, slot=1, flag="send").order_by("pk"))
    stopped, failed = worn[::3], [row for row in worn if row not in worn[::3]]
    keys = {row.address_key for row in stopped} - queries.opted_out_keys(row.address_key for row in stopped)
    OptOut.objects.bulk_create(OptOut(address_key=address_key(key), source="link") for key in sorted(keys))
    events: list[AddressEvent] = []
    for place, row in enumerate(failed):
        row.error_count = 3 if place % 2 else 2
        events += [_refusal(row, count) for count in range(1, row.error_count + 1)]
        if row.error_count == 3:
            row.flag, row.flag_reason, row.flag_changed_at = CANNOT, "メールを 3回送れなかったため", timezone.now()
            events.append(_refusal(row, 3, cause="threshold", flag=CANNOT, reason=row.flag_reason))
    PartyAddress.objects.bulk_update(failed, ["error_count", "flag", "flag_reason", "flag_changed_at"])
    made = AddressEvent.objects.bulk_create(events)
    for event in made:
        event.at -= timedelta(days=(4 - event.error_count) * 9, hours=event.error_count)
    AddressEvent.objects.bulk_update(made, ["at"], batch_size=500)


def _refusal(
    row: PartyAddress, count: int, *, cause: str = "refused", flag: str = "send", reason: str = ""
) -> AddressEvent:
    return AddressEvent(
        address=row,
        cause=cause,
        error_count=count,
        flag=flag,
        code=550,
        text=REFUSAL,
        actor_name=SYSTEM,
        reason=reason,
    )
