"""The command line of sending: the same verbs as the screens, JSON on stdout, one sentence on stderr, exit codes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from fumibako.apps.office.models import Department
from fumibako.apps.office.problems import Refused as Problems
from fumibako.apps.recipients.models import Staff
from fumibako.apps.sending import ledger
from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.cli import Parser
from fumibako.cli import job as job_command
from fumibako.cli import jobs as jobs_command
from fumibako.cli import ledger as ledger_command
from fumibako.cli import send as send_command
from fumibako.cli import settle as settle_command
from fumibako.cli.refused import CouldNotRun, Refused
from fumibako.delivery.states import State
from tests.sending.drafting import NOW, approve, make_draft, make_person
from tests.support.jobs import make_account, put_into

pytestmark = pytest.mark.django_db

REFUSALS = (Refused, Problems)
"""The command line turns both into exit code 2 with their sentence."""


def parser_of(module: Any) -> Parser:
    parser = Parser(prog="./fumibako")
    parser.add_argument("--json", action="store_true")
    module.add_arguments(parser)
    return parser


def call(module: Any, *words: str) -> int:
    parser = parser_of(module)
    return int(module.run(parser.parse_args(words)))


@pytest.fixture
def letter(tmp_path: Path) -> str:
    path = tmp_path / "body.txt"
    path.write_text("{{氏名}} 様\nお知らせです。\n", "utf-8")
    make_account(account_no=7, max_per_job=3, allow_attachments=True)
    return str(path)


def send(letter: str, *words: str) -> int:
    return call(send_command, "--account", "7", "--subject", "お知らせ", "--body-file", letter, *words)


def out(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_with_yes_it_freezes_the_job_and_prints_its_number(letter: str, capsys: pytest.CaptureFixture[str]) -> None:
    make_person("山田 太郎", "a@example.jp")
    assert send(letter, "--to", "staff", "--yes", "--json") == 0
    (facts,) = out(capsys)
    assert (facts["number"], facts["selected"], facts["waiting"]) == (1, 1, 1)
    release_at = BulkSend.objects.get().release_at
    assert release_at is not None
    assert release_at <= timezone.now()


def test_without_yes_it_shows_the_confirmation_and_leaves_nothing(
    letter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_person("山田 太郎", "a@example.jp", "b@example.jp")
    make_person("石井 健", "c@example.jp", flag="cannot")
    assert send(letter, "--to", "staff") == 0
    shown = capsys.readouterr().out
    assert "2通(1人)" in shown
    assert "「送れない」に設定 1件" in shown
    assert not BulkSend.objects.exists()
    assert send(letter, "--to", "staff", "--json") == 0
    (facts,) = out(capsys)
    assert (facts["number"], facts["mails"], facts["excluded"]) == (None, 2, {"cannot": 1})


def test_a_refusal_is_one_sentence_and_leaves_nothing(letter: str) -> None:
    for n in range(4):
        make_person(f"見本{n} 花子", f"p{n}@example.jp")
    with pytest.raises(REFUSALS, match="1回の送信上限件数"):
        send(letter, "--to", "staff", "--yes")
    assert not BulkSend.objects.exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--to", "staf"), "宛先の種類"),
        (("--to", "staff:departmnt=東京"), "宛先の条件"),
        (("--to", "staff:tag="), "宛先の条件"),
        (("--to", "staff:department=大阪"), "所属部門"),
        (("--to", "staff:employment=どこか"), "の値はありません"),
        (("--to", "staff:error_count_min=三"), "半角の数字"),
        (("--to", "staff", "--at", "明日"), "開始の日時"),
        (("--to", "staff", "--at", "2020-01-01T00:00+09:00"), "予約の日時が過ぎています"),
        (("--to", "staff", "--attach", "/nowhere/案内.pdf"), "添付ファイル"),
        ((), "送信する宛先がありません"),
    ],
)
def test_bad_input_is_refused_and_leaves_nothing(letter: str, words: tuple[str, ...], sentence: str) -> None:
    make_person("山田 太郎", "a@example.jp")
    with pytest.raises(REFUSALS, match=sentence):
        send(letter, *words, "--yes")
    assert not BulkSend.objects.exists()


def test_an_unknown_account_or_a_body_in_another_charset_is_refused(letter: str, tmp_path: Path) -> None:
    sjis = tmp_path / "sjis.txt"
    sjis.write_bytes("こんにちは".encode("cp932"))
    with pytest.raises(REFUSALS, match="UTF-8 ではありません"):
        send(str(sjis), "--to", "staff", "--yes")
    with pytest.raises(REFUSALS, match="メールアカウントNO 99"):
        call(send_command, "--account", "99", "--subject", "件名", "--body-file", letter)


def test_a_filter_names_department_and_employment_in_japanese(letter: str) -> None:
    tokyo = Department.objects.create(code="100", name="東京本社")
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp", tags="新人" if n else "") for n in range(2)]
    Staff.objects.filter(recipient__in=people).update(department=tokyo)
    make_person("別部門 花子", "other@example.jp")
    assert send(letter, "--to", "staff:department=東京,tag=新人,employment=working", "--yes") == 0
    assert Delivery.objects.get().party_name == "見本1 花子"


def test_several_kinds_and_a_file_go_into_one_job(letter: str, tmp_path: Path) -> None:
    make_person("山田 太郎", "a@example.jp")
    make_person("中村 葵", "b@example.jp", kind="applicant")
    file = tmp_path / "案内.pdf"
    file.write_bytes(b"%PDF-1")
    assert send(letter, "--to", "staff", "--to", "applicant", "--attach", str(file), "--yes") == 0
    job = BulkSend.objects.get()
    assert job.selected_count == 2
    assert job.sheet["attachments"][0]["content_type"] == "application/pdf"


def test_a_reservation_waits_for_its_time(letter: str) -> None:
    make_person("山田 太郎", "a@example.jp")
    start_at = (timezone.now() + timedelta(days=30)).replace(microsecond=0)
    assert send(letter, "--to", "staff", "--at", start_at.isoformat(), "--yes") == 0
    assert BulkSend.objects.get().release_at == start_at


def test_a_reservation_more_than_a_year_ahead_is_refused(letter: str) -> None:
    make_person("山田 太郎", "a@example.jp")
    with pytest.raises(REFUSALS):
        send(letter, "--to", "staff", "--at", "2099-01-01T09:00:00+09:00", "--yes")
    assert not BulkSend.objects.filter(approved_at__isnull=False).exists()


def test_a_test_mail_is_one_row_to_one_address_and_no_draft_stays_behind(
    letter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_person("山田 太郎", "a@example.jp")
    assert send(letter, "--to", "staff", "--test-to", "me@example.jp", "--json") == 0
    (facts,) = out(capsys)
    assert (facts["origin"], facts["selected"]) == ("test", 1)
    assert Delivery.objects.get().wire_address == "me@example.jp"
    assert call(jobs_command, "--json") == 0
    assert out(capsys) == []


def test_wait_says_when_nobody_is_there_to_send(letter: str) -> None:
    job = approve(make_draft([make_person("山田 太郎", "a@example.jp")]))
    args = parser_of(send_command).parse_args(["--account", "7", "--subject", "x", "--body-file", letter, "--wait"])
    with pytest.raises(CouldNotRun, match="serve"):
        send_command._wait_for(job, args)


@pytest.mark.parametrize(("state", "code"), [(State.SENT, 0), (State.FAILED, 1), (State.UNKNOWN, 1)])
def test_wait_ends_with_1_when_something_is_worth_a_look(letter: str, state: State, code: int) -> None:
    job = approve(make_draft([make_person("山田 太郎", "a@example.jp")]))
    put_into(job.deliveries.get(), state)
    args = parser_of(send_command).parse_args(
        ["--account", "7", "--subject", "x", "--body-file", letter, "--wait", "--json"]
    )
    assert send_command._wait_for(job, args) == code


def test_jobs_and_job_tell_states_and_sums(capsys: pytest.CaptureFixture[str]) -> None:
    job = approve(make_draft([make_person("山田 太郎", "a@example.jp"), make_person("石井 健")]))
    assert call(jobs_command, "--json") == 0
    (facts,) = out(capsys)
    keys = ("sent", "failed", "unknown", "excluded", "waiting", "unsent")
    assert facts["selected"] == sum(facts[key] for key in keys) == 2
    assert call(job_command, str(job.number)) == 0
    assert "対象 2 = " in capsys.readouterr().out


def test_job_pauses_resumes_and_cancels(capsys: pytest.CaptureFixture[str]) -> None:
    job = approve(make_draft([make_person("山田 太郎", "a@example.jp")]))
    ledger.release_due(NOW)
    states = []
    for verb in ("pause", "resume", "cancel"):
        assert call(job_command, str(job.number), verb, "--json") == 0
        states.append(out(capsys)[0]["state"])
    assert states == ["paused", "sending", "cancelled"]
    with pytest.raises(REFUSALS, match="再開できません"):
        call(job_command, str(job.number), "resume")
    with pytest.raises(REFUSALS, match="送信管理NO 99"):
        call(job_command, "99")


def test_ledger_prints_one_line_per_delivery_in_the_order_of_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    people = [make_person("山田 太郎", "abc..d@docomo.ne.jp"), make_person("石井 健", "c@example.jp", flag="cannot")]
    job = approve(make_draft(people))
    assert call(ledger_command, str(job.number)) == 0
    first, second = out(capsys)
    assert (first["seq"], first["person"], first["address"]) == (1, "山田 太郎", '"abc..d"@docomo.ne.jp')
    assert (first["state"], first["attempts"], second["state"], second["exclusion"]) == (
        "planned",
        0,
        "suppressed",
        "cannot",
    )
    assert first["message_id"].startswith("<fb.")


def test_settle_decides_an_unknown_result_with_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    job = approve(make_draft([make_person("山田 太郎", "a@example.jp")]))
    row = job.deliveries.get()
    with pytest.raises(REFUSALS, match="結果不明ではない"):
        call(settle_command, str(row.pk), "sent", "--reason", "電話で確認")
    put_into(row, State.UNKNOWN)
    with pytest.raises(REFUSALS, match="理由"):
        call(settle_command, str(row.pk), "sent", "--reason", " ")
    assert call(settle_command, f"{job.number}-1", "give-up", "--reason", "連絡がつかない") == 0
    assert out(capsys)[0]["state"] == "closed"
    for wrong in ("99-1", "x"):
        with pytest.raises(REFUSALS):
            call(settle_command, wrong, "sent", "--reason", "理由")
