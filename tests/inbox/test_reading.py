"""Reading in the child: what breaks it costs one mail at most, and that one keeps its bytes."""

from __future__ import annotations

import os
import resource
import select
import signal
import threading
from pathlib import Path

import pytest
from django.conf import settings

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.inbox import actions, queries, work
from fumibako.apps.inbox.errors import Refused
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.inbox.queries import Conditions
from fumibako.apps.inbox.reader.answers import answer_in
from fumibako.apps.inbox.reader.pool import CHILD, Answer, Reader, Request
from fumibako.apps.office.models import Operator
from tests.inbox.desk import Post, fetch, letter, mails_of

pytestmark = pytest.mark.django_db(transaction=True)

MIB = 1024 * 1024


def readers() -> set[int]:
    """Process ids of our children that read mail; a browser, for one, is a child of ours as well."""
    found = set()
    for path in Path("/proc/self/task").glob("*/children"):
        found |= {int(word) for word in path.read_text().split()}
    return {pid for pid in found if CHILD[-1].encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")}


def resident(pid: int | str = "self", column: int = 1) -> int:
    """Bytes of memory a process holds; with `column` 0, of its address space."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[column]) * resource.getpagesize()


def test_c06_a_child_without_memory_costs_one_mail_and_the_parent_lives(tmp_path: Path) -> None:
    big, small = tmp_path / "big.eml", tmp_path / "small.eml"
    big.write_bytes(letter(1) + b"x" * 40 * MIB)
    small.write_bytes(letter(2))
    reader = Reader()
    before = resident()
    try:
        assert reader.ask([Request(str(small))])[0].facts["subject"] == "mail 2"
        assert reader.pid is not None
        enough = resident(reader.pid, 0) + 30 * MIB
        resource.prlimit(reader.pid, resource.RLIMIT_AS, (enough, enough))
        answers = reader.ask([Request(str(small)), Request(str(big)), Request(str(small))])
    finally:
        reader.close()
    assert [answer.failed for answer in answers] in (["", "memory", ""], ["", "died", ""])
    assert answers[2].facts["subject"] == "mail 2"
    assert resident() - before < 20 * MIB


def test_c15_a_mail_that_kills_its_reader_three_times_is_unreadable_and_the_others_are_read(
    account: MailAccount, post: Post
) -> None:
    post.put(letter(1), letter(2), letter(3))
    work.fetch_account(account.pk)
    poison = mails_of(account)[1]
    place = settings.DATA.mail / poison.raw_path
    kept = place.read_bytes()
    place.unlink()
    os.mkfifo(place)

    def kill_who_opens_it() -> None:
        for _ in range(3):
            descriptor = os.open(place, os.O_WRONLY)
            for pid in readers():
                end = os.pidfd_open(pid)
                os.kill(pid, signal.SIGKILL)
                select.select([end], [], [])
                os.close(end)
            os.close(descriptor)

    killer = threading.Thread(target=kill_who_opens_it)
    killer.start()
    work.read_waiting()
    killer.join()
    place.unlink()
    place.write_bytes(kept)
    first, poison, third = mails_of(account)
    assert (first.reading, third.reading) == ("read", "read")
    assert (poison.reading, poison.kind, poison.reading_count) == ("unreadable", "unreadable", 3)
    assert list(queries.search(None, Conditions(view="unreadable"))) == [poison]

    read = actions.read_again(None, poison)
    assert (read.reading, read.kind, read.subject) == ("read", "ordinary", "mail 2")


def requests_for(folder: Path, count: int) -> list[Request]:
    """Mails with the subjects "mail 0", "mail 1" and so on, each in its file."""
    for number in range(count):
        (folder / f"{number}.eml").write_bytes(letter(number))
    return [Request(str(folder / f"{number}.eml")) for number in range(count)]


def subjects(answers: list[Answer]) -> list[str]:
    return [answer.failed or answer.facts["subject"] for answer in answers]


def test_a_child_goes_on_with_what_comes_next_and_nobody_hears_the_answers_of_another(tmp_path: Path) -> None:
    zero, one, two, three = requests_for(tmp_path, 4)
    reader = Reader()
    try:
        assert subjects(reader.ask([zero], following=[one, two])) == ["mail 0"]
        child = reader.pid
        assert subjects(reader.ask([one, two], following=[three])) == ["mail 1", "mail 2"]
        assert reader.pid == child
        # Not what it was told: what it has read ahead is nobody's.
        assert subjects(reader.ask([zero])) == ["mail 0"]
        assert subjects(reader.ask([three])) == ["mail 3"]
    finally:
        reader.close()


def test_a_child_that_dies_at_what_comes_next_costs_one_mail(tmp_path: Path) -> None:
    zero, one, two = requests_for(tmp_path, 3)
    os.unlink(one.path)
    os.mkfifo(one.path)
    reader = Reader()
    try:
        assert subjects(reader.ask([zero], following=[one, two])) == ["mail 0"]
        assert reader.pid is not None
        os.kill(reader.pid, signal.SIGKILL)
        assert subjects(reader.ask([one, two])) == ["died", "mail 2"]
    finally:
        reader.close()


BOMBS = {
    "parts": b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 100_000,
    "depth": b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(5000)),
    "chain": b"Content-Type: message/rfc822\r\n\r\n" * 5000,
    "headers": b"".join(b"X-%d: y\r\n" % n for n in range(100_000)) + b"\r\nbody",
    "addresses": b"To: " + b"a@example.com, " * 24_000 + b"\r\n\r\nbody",
    "line": b"Subject: " + b"x" * 10 * MIB + b"\r\n\r\nbody",
    "names": b"Content-Disposition: attachment; " + b"".join(b"name*%d=a; " % n for n in range(2000)) + b"\r\n\r\nx",
    "brackets": b"From: " + b"(" * 900 + b"\r\n\r\nbody",
    "base64": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUJD" * 5 * MIB,
}


@pytest.mark.parametrize("name", BOMBS)
def test_x21_a_bomb_is_read_in_bounded_time_and_memory_by_a_child_that_lives_on(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.eml"
    path.write_bytes(b"From: a@example.com\r\nMIME-Version: 1.0\r\n" + BOMBS[name])
    reader = Reader()
    try:
        reader.ask([Request(do="kind", raw=letter(1))])
        before = reader.pid
        (answer,) = reader.ask([Request(str(path))])
        spent = Path(f"/proc/{before}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        assert answer.failed == ""
        assert reader.pid == before
        assert sum(map(int, spent)) / os.sysconf("SC_CLK_TCK") < 5 + 1
        assert resident(before or "self") < 256 * MIB
    finally:
        reader.close()


def test_x18_names_of_attachments_are_text_and_no_file_leaves_its_folder(account: MailAccount, post: Post) -> None:
    names = ["../../etc/passwd", "C:\\\\run.exe", "CON", "a\u202egpj.exe", "x" * 300, "~$plan.xlsx"]
    parts = "".join(
        f'--b\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename="{name}"\n\nx\n'
        for name in names
    )
    raw = letter(1, subject="../../oops", text=f"{parts}--b--", Content_Type='multipart/mixed; boundary="b"')
    post.put(raw)
    before = {path for path in settings.DATA.root.rglob("*") if path.is_file()}
    fetch(account)
    (mail,) = mails_of(account)
    stored = {path for path in settings.DATA.root.rglob("*.eml") if path.is_file()} - before
    assert stored == {settings.DATA.mail / mail.raw_path}
    assert (settings.DATA.mail / mail.raw_path).resolve().is_relative_to(settings.DATA.mail / str(account.account_no))
    files = list(mail.attachments.all())
    assert len(files) == len(names)
    assert all(len(one.name) <= 255 and "\x00" not in one.name and "\n" not in one.name for one in files)


def test_a_mail_is_read_again_in_the_charset_a_person_chose(
    account: MailAccount, post: Post, operator: Operator
) -> None:
    raw = letter(1, text="TEXT", Content_Type="text/plain; charset=iso-8859-1").replace(
        b"TEXT", "送付".encode("euc-jp")
    )
    post.put(raw)
    fetch(account)
    (mail,) = mails_of(account)
    with pytest.raises(Refused):
        actions.read_again(operator, mail, "klingon")
    again = actions.read_again(operator, mail, "euc-jp")
    assert (again.text.strip(), again.charset_override) == ("送付", "euc-jp")
    assert [one.pk for one in queries.search(None, Conditions(body="送付"))] == [mail.pk]
    actions.read_again(operator, mail, "shift_jis")
    assert not queries.search(None, Conditions(body="送付")).exists()
    assert (settings.DATA.mail / mail.raw_path).read_bytes() == raw


def test_accounts_that_save_no_attachments_keep_names_and_sizes(account: MailAccount, post: Post) -> None:
    MailAccount.objects.filter(pk=account.pk).update(save_attachments=False)
    part = '--b\nContent-Disposition: attachment; filename="a.txt"\n\nhello\n--b--'
    post.put(letter(1, text=part, Content_Type='multipart/mixed; boundary="b"'))
    fetch(account)
    (file,) = mails_of(account)[0].attachments.all()
    assert (file.name, file.size, file.is_saved) == ("a.txt", 5, False)


def test_a_date_in_the_future_or_none_sorts_by_arrival(account: MailAccount, post: Post) -> None:
    post.put(letter(1, Date="Fri, 31 Dec 2199 23:59:59 +0900"), letter(2, Date="nonsense"))
    fetch(account)
    for mail in ReceivedMail.objects.all():
        assert mail.at == mail.fetched_at


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("可です。\nよろしくお願いします。", "yes"),
        ("不可です", "no"),
        ("田中です。\n当日は出席できます。", "yes"),
        ("申し訳ありませんが、辞退いたします。", "no"),
        ("○", "circle"),
        ("×", "cross"),
        ("２番でお願いします", "2"),
        ("1\n", "1"),
        ("こんにちは。\n> 可です", ""),
        ("可能ですか?", ""),
        ("可です。\nやはり不可です。", ""),
        ("", ""),
    ],
)
def test_the_first_lines_suggest_an_answer_and_never_more(text: str, answer: str) -> None:
    assert answer_in(text) == answer
