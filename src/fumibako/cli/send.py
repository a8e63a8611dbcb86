"""`send`: make a job, check it, freeze it, send it. Without --yes it shows the confirmation and changes nothing."""

from __future__ import annotations

import argparse
import json
import mimetypes
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.office.models import Department
from fumibako.apps.recipients import labels as people_labels
from fumibako.apps.sending import actions, drafts
from fumibako.apps.sending.approval import TICKS
from fumibako.apps.sending.errors import AttachmentMissing
from fumibako.apps.sending.inspection import Inspection, inspect
from fumibako.apps.sending.labels import EXCLUSIONS, PARTY_KINDS, clock, span_of
from fumibako.apps.sending.models import BulkSend
from fumibako.apps.sending.queries import lines, status_line
from fumibako.apps.sending.state import JobState
from fumibako.cli.jobs import job_facts, job_words
from fumibako.cli.refused import CouldNotRun, Refused
from fumibako.letters.merge import LetterRefused
from fumibako.mime.unsendable import Unsendable

POLL_SECONDS = 0.3
MARKS = {"stop": "止める", "confirm": "確認", "info": "情報"}

CHOICES: dict[str, Mapping[str, str]] = {
    "employment": people_labels.EMPLOYMENT,
    "dealing": people_labels.DEALING,
    "status": people_labels.STATUS,
    "mail_state": people_labels.MAIL_STATE,
}
TEXTS = ("name_kana", "number", "department", "client", "tag", "address", "error_count_min")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `send` takes."""
    parser.add_argument("--account", type=int, required=True, metavar="NO", help="メールアカウントNO")
    parser.add_argument("--subject", required=True, help="件名(差込項目を使えます)")
    parser.add_argument("--body-file", required=True, metavar="F", help="本文のファイル(UTF-8、「-」は標準入力)")
    parser.add_argument(
        "--to", action="append", default=[], metavar="KIND[:FILTER]", help="例: staff:department=東京,tag=新人"
    )
    parser.add_argument("--kind", choices=[kind.value for kind in BulkSend.Kind], default="business", help="種類")
    parser.add_argument("--attach", action="append", default=[], metavar="FILE", help="添付ファイル")
    parser.add_argument("--test-to", metavar="ADDR", help="このアドレスに 1通だけテスト送信します")
    parser.add_argument("--at", metavar="TIME", help="開始の日時(ISO 8601)")
    parser.add_argument("--yes", action="store_true", help="点検の「確認」をすべて認めて送信します")
    parser.add_argument("--wait", action="store_true", help="終わるまで待ちます")


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for, read and checked as far as it can be without the database."""

    account: MailAccount
    subject: str
    body: str
    kind: str
    people: tuple[tuple[str, dict[str, str]], ...]
    files: tuple[tuple[str, bytes], ...]
    start_at: datetime | None


def run(args: argparse.Namespace) -> int:
    """Send, or show what would be sent. 0 done, 1 done with failures (only with --wait), 2 refused."""
    order = _order_of(args)
    try:
        job = _make(order, args)
    except LetterRefused as refusal:
        raise Refused(f"件名か本文の差込項目を読めません: {refusal}") from None
    except (AttachmentMissing, Unsendable) as refusal:
        raise Refused(f"このメールを作れません: {refusal}") from None
    if job is None:
        return 0
    if args.wait:
        return _wait_for(job, args)
    _print_job(job, args)
    return 0


def _make(order: Order, args: argparse.Namespace) -> BulkSend | None:
    """One transaction: a refusal, or a missing --yes, leaves nothing behind."""
    with transaction.atomic():
        draft = _draft_of(order)
        sent = actions.send_test(None, draft, args.test_to) if args.test_to else None
        if sent is not None and not args.yes:
            drafts.discard_draft(None, draft)
            return sent
        found = inspect(draft, timezone.now(), start_at=order.start_at)
        _print_confirmation(found, args)
        stops = [finding.title for finding in found.findings if finding.weight == "stop"]
        if stops:
            raise Refused(" ".join(stops))
        if not args.yes:
            transaction.set_rollback(True)
            return None
        return _approve(draft, found, order)


def _draft_of(order: Order) -> BulkSend:
    draft = drafts.start_draft(None)
    drafts.set_sender(None, draft, order.account, order.kind)
    drafts.set_letter(None, draft, order.subject, order.body)
    for name, raw in order.files:
        content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        drafts.attach(None, draft, name, content_type, raw)
    for kind, conditions in order.people:
        drafts.add_people(None, draft, kind, conditions)
    return BulkSend.objects.select_related("account").get(pk=draft.pk)


def _approve(draft: BulkSend, found: Inspection, order: Order) -> BulkSend:
    for finding in found.findings:
        if finding.weight == "confirm":
            drafts.confirm_finding(None, draft, finding.key, finding.fingerprint)
    return actions.approve_bulk_send(
        None,
        draft.pk,
        version=draft.version,
        typed_number=str(found.counts.mail_count),
        ticks=TICKS,
        start=order.start_at or "immediately",
        accept_warning_hours=True,
    )


def _wait_for(job: BulkSend, args: argparse.Namespace) -> int:
    """Wait until nothing is left to do. Raises CouldNotRun when nobody is there to do it."""
    while True:
        (line,) = lines([BulkSend.objects.select_related("account").get(pk=job.pk)])
        if line.state.is_over and not line.counts.in_flight:
            break
        status = status_line(line.job, line.counts)
        if status.is_worker_missing:
            raise CouldNotRun(
                f"送信管理NO {job.number} は登録しましたが、送信の処理が動いていません。「serve」を始めてください。"
            )
        if line.state in (JobState.PAUSED, JobState.STOPPED):
            print(status.text, file=sys.stderr)
            break
        time.sleep(POLL_SECONDS)
    _print_job(job, args)
    return 0 if line.state is JobState.DONE else 1


def _print_job(job: BulkSend, args: argparse.Namespace) -> None:
    (line,) = lines([BulkSend.objects.select_related("account").get(pk=job.pk)])
    print(json.dumps(job_facts(line), ensure_ascii=False) if args.json else f"送信管理{job_words(line)}")


def _print_confirmation(found: Inspection, args: argparse.Namespace) -> None:
    if args.json and not args.yes:
        print(json.dumps(confirmation_facts(found), ensure_ascii=False))
    target = sys.stderr if args.json or args.yes else sys.stdout
    for sentence in confirmation_words(found):
        print(sentence, file=target)


def confirmation_facts(found: Inspection) -> dict[str, Any]:
    """The confirmation as one JSON object; `number` is null because nothing was made."""
    return {
        "number": None,
        "mails": found.counts.mail_count,
        "people": found.counts.person_count,
        "by_kind": found.counts.by_kind,
        "excluded": found.counts.excluded_by_reason,
        "start_at": found.plan.start_at.isoformat(),
        "end_at": found.plan.end_at.isoformat(),
        "findings": [
            {"id": one.id, "weight": one.weight, "title": one.title, "detail": one.detail, "people": one.people_count}
            for one in found.findings
        ],
    }


def confirmation_words(found: Inspection) -> Iterator[str]:
    """The confirmation in words, in the order of the screen."""
    counts, plan = found.counts, found.plan
    yield f"この内容で送信する通数: {counts.mail_count:,}通({counts.person_count:,}人)"
    for kind, mail_count in counts.by_kind.items():
        yield f"  {PARTY_KINDS[kind]} {mail_count:,}通"
    for finding in found.findings:
        yield f"点検 {finding.id} {MARKS[finding.weight]}: {finding.title} {finding.detail}".rstrip()
    for reason, words in EXCLUSIONS.items():
        if number := counts.excluded_by_reason.get(reason):
            yield f"送信しない宛先: {words} {number:,}件"
    yield f"送信の計画: {clock(plan.start_at)} から {clock(plan.end_at)} まで({span_of(plan.duration)})"


# Reading the order ---------------------------------------------------------------------------------------------------


def _order_of(args: argparse.Namespace) -> Order:
    account = MailAccount.objects.filter(account_no=args.account).first()
    if account is None:
        raise Refused(f"メールアカウントNO {args.account} はありません。「account list」で番号を確かめてください。")
    return Order(
        account=account,
        subject=args.subject,
        body=_body_of(args.body_file),
        kind=args.kind,
        people=tuple(people_of(text) for text in args.to),
        files=tuple(_file_of(name) for name in args.attach),
        start_at=_moment_of(args.at) if args.at else None,
    )


def _body_of(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as trouble:
        raise Refused(f"本文のファイル「{name}」を読めません({trouble.strerror})。") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(f"本文のファイル「{name}」は UTF-8 ではありません。UTF-8 で保存してください。") from None


def _file_of(name: str) -> tuple[str, bytes]:
    try:
        return Path(name).name, Path(name).read_bytes()
    except OSError as trouble:
        raise Refused(f"添付ファイル「{name}」を読めません({trouble.strerror})。") from None


def _moment_of(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"開始の日時「{text}」を読めません。2026-11-24T18:00+09:00 の形で入力してください。") from None
    return at if at.tzinfo else timezone.make_aware(at)


def people_of(text: str) -> tuple[str, dict[str, str]]:
    """`staff:department=東京,tag=新人` → kind and conditions. What it does not know it refuses: it must never mean more
    people than were asked for."""
    kind, _, rest = text.partition(":")
    if kind not in people_labels.KIND:
        raise Refused(f"宛先の種類「{kind}」はありません。{'・'.join(people_labels.KIND)} のどれかにしてください。")
    conditions: dict[str, str] = {}
    for part in filter(None, rest.split(",")):
        key, has_value, value = (piece.strip() for piece in part.partition("="))
        if key not in (*CHOICES, *TEXTS) or not has_value or not value or key in conditions:
            names = "・".join((*TEXTS, *CHOICES))
            raise Refused(f"宛先の条件「{part}」を読めません。「項目=値」で、項目は {names} のどれかを 1回ずつです。")
        conditions[key] = _condition(key, value)
    return kind, conditions


def _condition(key: str, value: str) -> str:
    if key in CHOICES:
        by_label = {label: word for word, label in CHOICES[key].items()}
        if value not in CHOICES[key] and value not in by_label:
            raise Refused(f"「{key}={value}」の値はありません。{'・'.join(CHOICES[key])} のどれかにしてください。")
        return value if value in CHOICES[key] else by_label[value]
    if key == "department":
        return _department(value)
    if key == "error_count_min" and not (value.isascii() and value.isdigit()):
        raise Refused("error_count_min は半角の数字で入力してください。")
    return value


def _department(value: str) -> str:
    """The code of a department named by its code, its name, or the beginning of just one name."""
    exact = Department.objects.filter(code=value) | Department.objects.filter(name=value)
    found = list(exact) or list(Department.objects.filter(name__startswith=value))
    if len(found) != 1:
        names = "・".join(str(one) for one in (found or Department.objects.all()))
        raise Refused(f"所属部門「{value}」を 1つに決められません。{names} のどれかにしてください。")
    return found[0].code
