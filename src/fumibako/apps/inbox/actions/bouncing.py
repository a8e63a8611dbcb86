"""不達: what an error mail does to deliveries and addresses, by proof alone; the rest is decided by a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from fumibako.apps.audit.actions import record
from fumibako.apps.office.models import Operator
from fumibako.apps.sending import ledger
from fumibako.apps.sending.ledger.moves import one_writer
from fumibako.apps.sending.models import Delivery
from fumibako.mime.addresses import address_key

from .. import labels
from ..errors import NotNow, Problem, Refused
from ..locking import locked_mail, name_of, target_of, tell
from ..matching import Facts, Proof, Surroundings, guess_of
from ..models import BounceReport, ReceivedMail

Effect = BounceReport.Effect
Match = BounceReport.Match
NAMELESS: dict[str, Any] = {
    "address": "",
    "address_key": "",
    "action": "failed",
    "is_permanent": None,
    "is_hard": False,
    "reason": "",
    "code": 0,
    "enhanced": "",
    "text": "",
}
"""An error mail that names nobody, but proves which of our mails it is about."""


def take_bounces(mail: ReceivedMail, facts: Facts, around: Surroundings, now: datetime) -> list[BounceReport]:
    """Judge every failed recipient of one error mail and write down what came of it. Call inside `one_writer`.

    Only a Message-ID or token of ours changes anything (X16), and only for the delivery it belongs to: a report about
    another address of the same mail is about a copy, or about where somebody forwards to.
    """
    proof = around.proof_of([*facts["our_ids"], *facts["our_links"]])
    failures = [failure for failure in facts["failures"] if failure["action"] in ("", "failed")]
    if not failures and proof is not None:
        failures = [NAMELESS]
    reports = []
    for position, failure in enumerate(failures):
        report = BounceReport(mail=mail, position=position, **failure)
        _judge(report, proof, around, _date_of(mail, facts), now)
        reports.append(report)
    return BounceReport.objects.bulk_create(reports, batch_size=50)


def prove(proof: Proof | None, mail: ReceivedMail, now: datetime) -> None:
    """Whoever names our Message-ID has our mail: a 結果不明 was sent. Call inside `one_writer`."""
    if proof is not None:
        ledger.prove_sent(proof.delivery.pk, now, f"受信管理NO {mail.number}")


def settle_bounce(
    operator: Operator | None,
    report: BounceReport,
    delivery: Delivery | None,
    reason: str,
    *,
    now: datetime | None = None,
) -> BounceReport:
    """Take an unmatched or unproven report off the work list: it is about `delivery`, or (None) about none of ours.

    Raises Refused without a reason, NotNow when it was settled already or the delivery cannot be 不達.
    """
    if not reason.strip():
        raise Refused([Problem("reason", "V01", labels.NEEDS_REASON)])
    now = now or timezone.now()
    with one_writer():
        mail = locked_mail(operator, report.mail)
        row = BounceReport.objects.select_for_update().get(pk=report.pk)
        if row.settled_at is not None or row.effect not in (Effect.UNMATCHED, Effect.UNVERIFIED):
            raise NotNow([Problem("", "", labels.ALREADY_SETTLED)])
        if delivery is not None:
            _settle_as(row, delivery, now, name_of(operator))
        row.settled_at, row.settled_by_name, row.settled_reason = now, name_of(operator), reason.strip()[:500]
        row.save()
        place = f"{delivery.job.number}-{delivery.seq}" if delivery is not None else ""
        tell(mail, "bounce_settled", operator, now, address=row.address, delivery=place)
        changes = {"delivery": ["", place]}
        record(operator, "mail.bounce_settled", target_of(mail), changes=changes, reason=reason.strip())
    return row


def _settle_as(row: BounceReport, delivery: Delivery, now: datetime, actor_name: str) -> None:
    came = ledger.record_bounce(delivery.pk, _bounce_of(row, is_at_fault=row.is_hard), now, actor_name=actor_name)
    if not came.is_moved and not came.is_counted:
        raise NotNow([Problem("delivery", "", labels.NOT_SENT_YET)])
    row.delivery, row.party_address = delivery, delivery.party_address
    row.match = Match.BY_HAND
    row.effect = Effect.COUNTED if came.is_counted else Effect.NOT_COUNTED


def _judge(report: BounceReport, proof: Proof | None, around: Surroundings, dated_at: datetime, now: datetime) -> None:
    owners = around.people.get(report.address_key, [])
    report.party_address_id = owners[0].address_id if owners else None
    if proof is None:
        guess = guess_of(report.address_key, dated_at)
        if guess is not None:
            report.delivery, report.match, report.effect = guess, Match.ADDRESS_TIME, Effect.UNVERIFIED
        return
    report.delivery, report.match = proof.delivery, proof.match
    is_about_it = report.address_key in ("", proof.delivery.address_key)
    if not is_about_it and report.address_key in _copies_of(proof.delivery):
        report.effect = Effect.COPY
        return
    if is_about_it:
        report.party_address = proof.delivery.party_address
    bounce = _bounce_of(report, is_at_fault=report.is_hard and is_about_it)
    came = ledger.record_bounce(proof.delivery.pk, bounce, now)
    report.effect = Effect.COUNTED if came.is_counted else Effect.NOT_COUNTED if came.is_moved else Effect.ALREADY


def _bounce_of(report: BounceReport, *, is_at_fault: bool) -> ledger.Bounce:
    return ledger.Bounce(report.reason, report.code, report.enhanced, report.text, is_at_fault)


def _copies_of(delivery: Delivery) -> set[str]:
    sheet = delivery.job.sheet
    return {address_key(address) for address in (*sheet.get("cc", ()), *sheet.get("bcc", ()))}


def _date_of(mail: ReceivedMail, facts: Facts) -> datetime:
    """When the error mail was written, as far as that makes sense."""
    claimed = parse_datetime(facts["original_sent_at"] or "") if facts["original_sent_at"] else None
    return max(mail.at, claimed) if claimed and claimed <= mail.fetched_at else mail.at
