"""Verbs on one address: may it be mailed, and why not (SPEC §0 facts 2 and 3, §2.9)."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from fumibako.apps.audit.actions import SYSTEM, record
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import Problem, Refused
from fumibako.apps.office.queries import office
from fumibako.mime.addresses import address_key

from .labels import FLAG
from .models import AddressEvent, OptOut, PartyAddress
from .rules import CANNOT, DO_NOT, SEND


@transaction.atomic
def count_refusal(address: PartyAddress, *, cause: str, code: int, text: str) -> None:
    """Count one refused or bounced mail (`cause` "refused" or "bounced") against the address.

    At 送れないと判断する回数 (Office.bounce_threshold, 0 = never) the flag turns to 送れない by itself, its cause kept.
    Each call counts once: the caller knows which deliveries it has counted already.
    """
    PartyAddress.objects.filter(pk=address.pk).update(error_count=F("error_count") + 1)
    row = PartyAddress.objects.select_for_update().select_related("recipient").get(pk=address.pk)
    _append(row, cause, code=code, text=text)
    threshold = office().bounce_threshold
    if threshold and row.error_count >= threshold and row.flag != CANNOT:
        before = row.flag
        reason = f"メールを {row.error_count}回送れなかったため"
        _turn(row, CANNOT, reason)
        _append(row, "threshold", code=code, text=text, reason=reason)
        record(None, "address.threshold_reached", target_of(row), changes={"flag": [before, CANNOT]}, reason=reason)
    address.error_count, address.flag = row.error_count, row.flag
    address.flag_reason, address.flag_changed_at = row.flag_reason, row.flag_changed_at


@transaction.atomic
def restore_address(operator: Operator | None, address: PartyAddress, reason: str) -> PartyAddress:
    """送るに戻す: the error count becomes 0 and the flag 送る, or 送らない when that is what it was before the errors.

    Raises Refused when no reason is given.
    """
    _require_reason(reason, "「送る」に戻す理由を入力してください。")
    row = PartyAddress.objects.select_for_update().select_related("recipient").get(pk=address.pk)
    before, count = row.flag, row.error_count
    row.error_count = 0
    _turn(row, _flag_before_cannot(row) if before == CANNOT else before, reason)
    _append(row, "restored", actor=operator, reason=reason)
    changes = {"flag": [before, row.flag], "error_count": [count, 0]}
    record(operator, "address.restored", target_of(row), changes=changes, reason=reason)
    return row


@transaction.atomic
def set_flag(operator: Operator | None, address: PartyAddress, flag: str, reason: str = "") -> PartyAddress:
    """Set 送る, 送らない or 送れない by hand. Out of 送れない counts as restoring.

    Raises Refused when it leads into or out of 送れない and no reason is given.
    """
    if flag not in FLAG:
        raise Refused([Problem("flag", "P04", "送る・送らない・送れないのどれかにしてください。")])
    row = PartyAddress.objects.select_for_update().select_related("recipient").get(pk=address.pk)
    before = row.flag
    if flag == before:
        return row
    if CANNOT in (flag, before):
        _require_reason(reason, f"「{FLAG[flag]}」にする理由を入力してください。")
    if before == CANNOT:
        row.error_count = 0
    _turn(row, flag, reason)
    _append(row, "restored" if before == CANNOT else "by_hand", actor=operator, reason=reason)
    record(operator, "address.flag_set", target_of(row), changes={"flag": [before, flag]}, reason=reason)
    return row


@transaction.atomic
def opt_out(address: str, source: str) -> OptOut:
    """配信停止: from now on nothing is mailed to this address, whoever owns it. Doing it twice changes nothing."""
    key = address_key(address)
    found, is_new = OptOut.objects.get_or_create(address_key=key, lifted_at=None, defaults={"source": source})
    if is_new:
        record(None, "opt_out.taken", f"opt_out:{found.pk}", changes={"source": ["", source]})
    return found


@transaction.atomic
def lift_opt_out(operator: Operator | None, address: str, reason: str) -> None:
    """配信停止を解除: with a reason (Refused without). Raises Refused when the address is not opted out."""
    _require_reason(reason, "配信停止を解除する理由を入力してください。")
    row = OptOut.objects.select_for_update().filter(address_key=address_key(address), lifted_at=None).first()
    if row is None:
        raise Refused([Problem("address", "P10", "このアドレスは配信停止になっていません。")])
    row.lifted_at, row.lifted_by, row.lifted_reason = timezone.now(), _name(operator), reason[:500]
    row.save(update_fields=["lifted_at", "lifted_by", "lifted_reason"])
    record(operator, "opt_out.lifted", f"opt_out:{row.pk}", reason=reason)


def target_of(address: PartyAddress) -> str:
    """How the audit log names an address: by its person, never by the address itself."""
    return f"{address.recipient.kind}:{address.recipient.number}:{address.slot}"


def _require_reason(reason: str, text: str) -> None:
    if not reason.strip():
        raise Refused([Problem("reason", "P06", text)])


def _turn(row: PartyAddress, flag: str, reason: str) -> None:
    row.flag, row.flag_reason = flag, reason[:500]
    row.flag_changed_at = timezone.now()
    row.save(update_fields=["flag", "flag_reason", "flag_changed_at", "error_count"])


def _append(
    row: PartyAddress, cause: str, *, actor: Operator | None = None, code: int = 0, text: str = "", reason: str = ""
) -> None:
    AddressEvent.objects.create(
        address=row,
        cause=cause,
        error_count=row.error_count,
        flag=row.flag,
        code=code,
        text=text[:500],
        actor_name=_name(actor),
        reason=reason[:500],
    )


def _flag_before_cannot(row: PartyAddress) -> str:
    """A person's 送らない must survive the errors that came on top of it."""
    earlier = row.events.exclude(flag=CANNOT).order_by("-id").first()
    return DO_NOT if earlier is not None and earlier.flag == DO_NOT else SEND


def _name(operator: Operator | None) -> str:
    return str(operator) if operator else SYSTEM
