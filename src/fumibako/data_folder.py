"""The one folder that holds everything an installation owns: database, key, mail, attachments, locks, logs."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

KEY_LOST = (
    "鍵ファイル {} がありません。控えておいた鍵ファイルを、この名前で戻してください。"
    "控えがどこにもないときは「./fumibako keys new」で新しい鍵を作れます(メールのパスワードは登録し直しになります)。"
)


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
        """32 random bytes as hex, readable by the owner only; never part of a backup.

        While keys are being changed it has a second line: the old key, needed until nothing is sealed with it.
        """
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
    if not folder.key_file.exists() and has_been_used(folder):
        raise UnsafeFolder(KEY_LOST.format(folder.key_file))
    _make_key(folder.key_file)
    return folder


def has_been_used(folder: DataFolder) -> bool:
    """True when somebody has worked here: a new key would then hide the stored passwords (D21)."""
    return any(path.exists() for path in (folder.database, folder.root / "fumibako.instance"))


def read_key(folder: DataFolder) -> bytes:
    """Return the 32-byte master key. Raises UnsafeFolder when it is damaged or readable by others."""
    return read_keys(folder)[0]


def read_keys(folder: DataFolder) -> tuple[bytes, ...]:
    """Return the key in use, then those that are being retired. Raises UnsafeFolder as `read_key` does."""
    if folder.key_file.stat().st_mode & 0o077:
        raise UnsafeFolder(f"鍵ファイルをほかの利用者が読めます。「chmod 600 {folder.key_file}」を実行してください。")
    try:
        keys = tuple(bytes.fromhex(line) for line in folder.key_file.read_text("ascii").split())
    except ValueError:
        keys = ()
    if not keys or any(len(key) != 32 for key in keys):
        raise UnsafeFolder(f"鍵ファイル {folder.key_file} が壊れています。控えておいた鍵ファイルに戻してください。")
    return keys


def new_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(32)


def write_keys(folder: DataFolder, keys: tuple[bytes, ...]) -> None:
    """Put these keys in place of those that are there; a kill leaves the old ones or the new ones, never a part."""
    _draft_of(folder.key_file, keys).replace(folder.key_file)
    descriptor = os.open(folder.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _draft_of(path: Path, keys: tuple[bytes, ...]) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write("".join(f"{key.hex()}\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    return draft


def _make_key(path: Path) -> None:
    if path.exists():
        return
    # Written under another name and linked, so that two first starts agree on one key and nobody reads half a key.
    draft = _draft_of(path, (new_key(),))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
