"""The one folder that holds everything an installation owns: database, key, mail, attachments, locks, logs."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


class UnsafeFolder(Exception):
    """The folder or its key cannot be used as it is; the message says what to do."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths inside one data folder. `open_folder` makes what is missing."""

    root: Path

    @property
    def database(self) -> Path:
        """SQLite file."""
        return self.root / "fumibako.sqlite3"

    @property
    def key_file(self) -> Path:
        """32 random bytes as hex, readable by the owner only; never part of a backup of the database."""
        return self.root / "fumibako.key"

    @property
    def mail(self) -> Path:
        """Received mail, one folder per account."""
        return self.root / "mail"

    @property
    def files(self) -> Path:
        """Attachments of send jobs, named by their SHA-256."""
        return self.root / "files"

    @property
    def run(self) -> Path:
        """Lock files of living workers."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """Log files."""
        return self.root / "logs"


def open_folder(root: Path) -> DataFolder:
    """Make `root` and its parts where missing and return it. Raises UnsafeFolder when others could read the key."""
    folder = DataFolder(root.expanduser().absolute())
    if folder.root.is_dir() and not any(folder.root.iterdir()):
        # An empty folder that somebody made for us becomes ours alone.
        folder.root.chmod(0o700)
    for path in (folder.root, folder.mail, folder.files, folder.run, folder.logs):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_key(folder.key_file)
    return folder


def read_key(folder: DataFolder) -> bytes:
    """Return the 32-byte master key. Raises UnsafeFolder when it is damaged or readable by others."""
    if folder.key_file.stat().st_mode & 0o077:
        raise UnsafeFolder(f"鍵ファイルをほかの利用者が読めます。「chmod 600 {folder.key_file}」を実行してください。")
    try:
        key = bytes.fromhex(folder.key_file.read_text("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != 32:
        raise UnsafeFolder(f"鍵ファイル {folder.key_file} が壊れています。控えておいた鍵ファイルに戻してください。")
    return key


def _make_key(path: Path) -> None:
    if path.exists():
        return
    # Written under another name and linked, so that two first starts agree on one key and nobody reads half a key.
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
