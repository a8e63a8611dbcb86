"""`serve` from outside: what starts, what comes back after a kill, what refuses to start."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.running import finished, running


@pytest.fixture(scope="module")
def new_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with an up-to-date, empty database; copied by tests that spoil it."""
    data = tmp_path_factory.mktemp("serve") / "data"
    assert finished(data, "account", "list").returncode == 0
    return data


@pytest.fixture
def data(new_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(new_folder, tmp_path / "data"))


@pytest.mark.parametrize(("child", "words"), [("_web", "画面の処理"), ("worker", "送信の処理")])
def test_a_killed_child_comes_back_and_the_address_answers(data: Path, child: str, words: str) -> None:
    with running(data, "serve", "--port", "0") as service:
        service.fetch()
        before = service.children()
        os.kill(before[child], signal.SIGKILL)
        service.next_note(f"{words}を動かし直しました。")
        # The socket belongs to the parent: the question waits for the new child.
        assert "はじめての設定" in service.fetch()
        after = service.children()
        assert after.keys() == before.keys()
        assert [name for name in after if after[name] != before[name]] == [child]
        assert service.interrupt() == 0


def test_the_end_of_the_parent_ends_the_children(data: Path) -> None:
    with running(data, "serve", "--port", "0") as service:
        service.fetch()
        port = int(service.url.split(":")[2].split("/")[0])
        children = [os.pidfd_open(pid) for pid in service.children().values()]
        os.kill(service.pid, signal.SIGKILL)
        for descriptor in children:
            assert has_ended(descriptor)
            os.close(descriptor)
        with closing(socket.socket()) as probe, pytest.raises(ConnectionRefusedError):
            probe.connect(("127.0.0.1", port))


def has_ended(descriptor: int) -> bool:
    """Wait until the process behind a pidfd has ended; False when it has not within a minute."""
    return bool(select.select([descriptor], [], [], 60)[0])


def test_a_taken_port_is_told(data: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        done = finished(data, "serve", "--port", str(taken.getsockname()[1]))
    assert (done.returncode, done.stdout) == (3, "")
    assert "--port" in done.stderr


def test_x39_others_are_let_in_only_by_a_name_that_was_given(data: Path) -> None:
    done = finished(data, "serve", "--host", "0.0.0.0", "--port", "0")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "FUMIBAKO_HOSTS" in done.stderr
    with running(data, "serve", "--host", "0.0.0.0", "--port", "0", FUMIBAKO_HOSTS="mail.example.jp") as service:
        assert service.url.startswith("http://mail.example.jp:")


def test_x48_a_folder_that_everybody_can_read_is_refused(data: Path) -> None:
    data.chmod(0o755)
    done = finished(data, "serve", "--port", "0")
    assert (done.returncode, done.stdout) == (3, "")
    assert "chmod 700" in done.stderr


def test_x48_a_key_that_others_can_read_is_refused(data: Path) -> None:
    (data / "fumibako.key").chmod(0o644)
    done = finished(data, "serve", "--port", "0")
    assert (done.returncode, "chmod 600" in done.stderr) == (3, True)


@pytest.mark.parametrize("place", [0, 2])
def test_d10_a_damaged_database_keeps_sending_off(data: Path, place: int) -> None:
    path = data / "fumibako.sqlite3"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(place * size // 4)
        file.write(b"\xff" * (size // 4))
    done = finished(data, "serve", "--port", "0")
    assert (done.returncode, done.stdout) == (3, "")
    assert "壊れています" in done.stderr
    assert finished(data, "doctor").returncode == 1


def test_d20_a_database_of_a_newer_version_is_not_touched(data: Path) -> None:
    with closing(sqlite3.connect(data / "fumibako.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('sending', '9999_later', '2099-01-01')"
        )
    before = (data / "fumibako.sqlite3").read_bytes()
    for words in (["serve", "--port", "0"], ["worker"], ["account", "list"]):
        done = finished(data, *words)
        assert (done.returncode, done.stdout) == (3, "")
        assert "新しい版" in done.stderr
    assert (data / "fumibako.sqlite3").read_bytes() == before
    assert finished(data, "doctor").returncode == 1


def test_an_empty_folder_that_somebody_made_becomes_ours_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    assert finished(data, "doctor").returncode == 0
    assert data.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = finished(tmp_path / "file", "account", "list")
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "データの置き場所を使えません" in done.stderr
