"""The database's promises are read back, and unsafe ones keep sending off."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from fumibako.apps.office import durability

EXPECTED_MODE = settings.SQLITE.journal_mode
SAFE = {"journal_mode": "truncate", "synchronous": "2", "foreign_keys": "1"}
MOUNTS = "\n".join(
    (
        "/dev/vda / ext4 rw 0 0",
        "server:/share /mnt/share nfs4 rw 0 0",
        "user@host:/x /mnt/with\\040space fuse.sshfs rw 0 0",
        "/dev/sdb1 /mnt/usb fuseblk rw 0 0",
    )
)


@pytest.mark.django_db
def test_the_settings_in_force_are_the_durable_ones() -> None:
    found = durability.read_back()
    assert found.settings == SAFE | {"journal_mode": EXPECTED_MODE}
    assert found.problems == ()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_does_not_sync_is_refused() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=OFF")
    try:
        with pytest.raises(durability.NotDurable, match="FULL"):
            durability.read_back()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("version", "changed", "is_safe"),
    [
        ((3, 40, 1), {}, True),
        ((3, 40, 1), {"journal_mode": "wal"}, False),
        ((3, 51, 3), {"journal_mode": "wal"}, True),
        ((3, 51, 3), {"journal_mode": "wal", "synchronous": "1"}, False),
        ((3, 51, 3), {"journal_mode": "memory"}, False),
        ((3, 51, 3), {"journal_mode": "off"}, False),
        ((3, 40, 1), {"synchronous": "3"}, True),
        ((3, 40, 1), {"synchronous": "0"}, False),
    ],
)
def test_each_sqlite_setting_is_judged(version: tuple[int, ...], changed: dict[str, str], is_safe: bool) -> None:
    assert (durability.judge_sqlite(version, SAFE | changed, "ext4") == ()) == is_safe


@pytest.mark.parametrize(
    ("path", "file_system", "is_safe"),
    [
        ("/srv/data/fumibako.sqlite3", "ext4", True),
        ("/mnt/share/fumibako.sqlite3", "nfs4", False),
        ("/mnt/with space/fumibako.sqlite3", "fuse.sshfs", False),
        ("/mnt/usb/fumibako.sqlite3", "fuseblk", True),
        ("/mnt/shared/fumibako.sqlite3", "ext4", True),
    ],
)
def test_d08_a_database_on_a_network_file_system_is_refused(path: str, file_system: str, is_safe: bool) -> None:
    assert durability.file_system_of(Path(path), MOUNTS) == file_system
    assert (durability.judge_sqlite((3, 40, 1), SAFE, file_system) == ()) == is_safe


@pytest.mark.parametrize(
    ("fsync", "pages", "commit", "is_safe"),
    [("on", "on", "on", True), ("off", "on", "on", False), ("on", "off", "on", False), ("on", "on", "off", False)],
)
def test_each_postgresql_setting_is_judged(fsync: str, pages: str, commit: str, is_safe: bool) -> None:
    settings = {"fsync": fsync, "full_page_writes": pages, "synchronous_commit": commit}
    assert (durability.judge_postgresql(settings) == ()) == is_safe


@pytest.mark.django_db
def test_d09_another_file_under_the_same_name_is_noticed(tmp_path: Path) -> None:
    here = durability.database_file()
    assert here is not None
    other = tmp_path / "other"
    other.touch()
    facts = other.stat()
    assert here != durability.FileIdentity(facts.st_dev, facts.st_ino)
