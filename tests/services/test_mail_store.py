"""Mail as files: whole or not there, synced, named for people, and never one over another."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fumibako.services.mail_names import clean_part
from fumibako.services.mail_store import NotDurable, copy_to_share, file_name_of, sweep_drafts, write_all
from tests.support.tools import require_tool

AT = datetime(2026, 11, 24, 17, 31, 5, tzinfo=UTC)
RAW = b"Subject: x\r\n\r\nbody\r\n"
HOSTILE = [
    "../../etc/passwd",
    "..\\..\\windows",
    "C:\\autoexec.bat",
    "CON",
    "nul.txt",
    "com¹.eml",
    "name. . .",
    " .hidden",
    "photo\u202egpj.exe",
    "zero\u200bwidth",
    "a\0b\x07c",
    "line\r\nbreak\ttab",
    'a/b|c?d*e<f>g:h"i',
    "か\u3099き\u3099",
    "x" * 500,
    "面談の件" * 100,
    "😀" * 200,
    "\ud800",
    "",
]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Files may grow no larger: a full disk for everybody."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.parametrize("subject", HOSTILE)
def test_x18_a_name_is_safe_everywhere_whatever_the_subject_is(subject: str) -> None:
    name = file_name_of(4821, AT, subject)
    assert name.startswith("20261124-173105_")
    assert name.endswith("_00004821.eml")
    assert len(name) <= 120
    assert len(name.encode("utf-8")) <= 255
    assert not set(name) & set('<>:"/\\|?*\0\r\n\t\u202e\u200b')
    assert ".." not in name.replace("...", "")
    assert name == unicodedata.normalize("NFC", name)


def test_x18_a_name_can_be_read_by_a_person() -> None:
    assert file_name_of(4821, AT, "面談の件: 10/3(金)") == "20261124-173105_面談の件_10_3(金)_00004821.eml"
    assert file_name_of(1, AT, "") == "20261124-173105_00000001.eml"


@pytest.mark.parametrize("word", ["CON", "con.txt", "Nul", "LPT9", "com1.eml", "AUX."])
def test_x18_a_part_alone_is_never_a_reserved_name(word: str) -> None:
    assert clean_part(word).startswith("_")


def test_files_are_whole_and_nothing_else_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "7" / "202611"
    items = [(f"{number}.eml", b"%d" % number * 1000) for number in range(300)]
    write_all(folder, items)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == dict(items)
    assert (folder / "1.eml").stat().st_mode & 0o077 == 0


def test_d12_a_name_that_is_taken_is_never_overwritten(tmp_path: Path) -> None:
    write_all(tmp_path, [("b.eml", RAW)])
    with pytest.raises(FileExistsError):
        write_all(tmp_path, [("a.eml", b"new"), ("b.eml", b"new"), ("c.eml", b"new")])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"b.eml": RAW}


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "a\\b", "a\0b", ".draft-1"])
def test_x18_a_path_is_not_a_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not the name"):
        write_all(tmp_path / "x", [(name, RAW)])
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "link").symlink_to(outside)
    with pytest.raises(OSError, match=os.strerror(errno.ENOTDIR)):
        write_all(tmp_path / "link", [("a.eml", RAW)])
    (outside / "there.eml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_all(outside, [("there.eml", RAW)])
    assert not (tmp_path / "elsewhere").exists()


def test_p21_a_full_disk_leaves_nothing_new_behind(tmp_path: Path) -> None:
    write_all(tmp_path, [("old.eml", RAW)])
    with largest_file(50_000), pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
        write_all(tmp_path, [("small.eml", RAW), ("big.eml", b"x" * 100_000)])
    assert [path.name for path in tmp_path.iterdir()] == ["old.eml"]
    write_all(tmp_path, [("big.eml", b"x" * 100_000)])
    assert (tmp_path / "big.eml").stat().st_size == 100_000


@pytest.mark.parametrize(("files", "when", "count"), [(3, "1", 1), (3, "3", 3), (3, "4", 4), (17, "1+", 8)])
def test_d03_a_sync_that_fails_is_fatal_and_is_not_asked_again(
    files: int, when: str, count: int, tmp_path: Path
) -> None:
    strace = require_tool("strace", "sudo apt install strace")
    trace = tmp_path / "trace"
    script = f"""
        from pathlib import Path
        from fumibako.services.mail_store import NotDurable, write_all
        try:
            write_all(Path("box"), [(str(n), b"x") for n in range({files})])
        except NotDurable:
            print("fatal", end="")
    """
    (tmp_path / "box").mkdir()
    options = ["-f", "-o", str(trace), "-e", "trace=fsync", "-e", f"inject=fsync:error=EIO:when={when}"]
    ran = subprocess.run(
        [strace, *options, sys.executable, "-c", textwrap.dedent(script)],
        cwd=tmp_path,
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert ran.stdout == "fatal", ran.stderr
    assert len([line for line in trace.read_text("utf-8").splitlines() if "fsync(" in line]) == count
    assert not list((tmp_path / "box").glob(".draft-*"))


def test_drafts_of_a_killed_process_are_swept_after_a_day(tmp_path: Path) -> None:
    folder = tmp_path / "7"
    write_all(folder, [("mail.eml", RAW)])
    for name, age_hours in ((".draft-old-0", 25), (".draft-new-0", 23)):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (1_000_000 - age_hours * 3600,) * 2)
    os.utime(folder / "mail.eml", (0, 0))
    assert sweep_drafts(tmp_path, now=1_000_000) == 1
    assert sorted(path.name for path in folder.iterdir()) == [".draft-new-0", "mail.eml"]


# ------------------------------------------------------------------ the share


def test_p23_a_copy_goes_to_the_share_under_its_name(tmp_path: Path) -> None:
    result = copy_to_share(tmp_path, "営業/2026-11/a.eml", RAW)
    assert (result.is_ok, result.path) == (True, "営業/2026-11/a.eml")
    assert (tmp_path / result.path).read_bytes() == RAW


def test_d12_copies_of_the_same_name_get_numbers_and_the_same_bytes_are_there_already(tmp_path: Path) -> None:
    results = [copy_to_share(tmp_path, "a.eml", raw) for raw in (b"1", b"2", b"3", b"2")]
    assert [result.path for result in results] == ["a.eml", "a-2.eml", "a-3.eml", "a-2.eml"]
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"1", b"2", b"3"]


def test_p23_a_share_that_is_gone_is_told_and_not_made(tmp_path: Path) -> None:
    result = copy_to_share(tmp_path / "share", "a.eml", RAW)
    assert not result.is_ok
    assert not (tmp_path / "share").exists()


def test_p23_a_share_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "7").write_bytes(b"a file where a folder should be")
    assert copy_to_share(tmp_path, "7/a.eml", RAW).error
    with largest_file(10):
        assert copy_to_share(tmp_path, "b.eml", RAW).error
    assert [path.name for path in tmp_path.iterdir()] == ["7"]


@pytest.mark.parametrize("relative", ["../a.eml", "/etc/a.eml", "7/../../a.eml", "", "a\0.eml"])
def test_x18_a_copy_never_leaves_the_share(relative: str, tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    assert not copy_to_share(share, relative, RAW).is_ok
    assert [path.name for path in tmp_path.rglob("*")] == ["share"]


def test_p23_a_link_inside_the_share_does_not_lead_out_of_it(tmp_path: Path) -> None:
    share, outside = tmp_path / "share", tmp_path / "outside"
    share.mkdir()
    outside.mkdir()
    (share / "7").symlink_to(outside)
    for relative in ("7/a.eml", "7/below/a.eml", "7/a/b/c.eml"):
        assert not copy_to_share(share, relative, RAW).is_ok
    assert list(outside.iterdir()) == []


def test_p23_a_pipe_of_the_same_name_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.eml")
    assert copy_to_share(tmp_path, "a.eml", RAW).path == "a-2.eml"


def test_not_durable_is_no_oserror_that_somebody_might_retry() -> None:
    assert not issubclass(NotDurable, OSError)
