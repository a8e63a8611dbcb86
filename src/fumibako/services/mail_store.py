"""Mail as files: whole or not there, synced before anybody hears of them, and never one over another.

Everything is written beside its place under a draft's name, synced, renamed, and the folder synced; a group of mails
shares the syncing. The store of the office is the master. A share is for copies only and may be gone at any moment.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path, PurePosixPath

from fumibako.services.mail_names import clean_part, file_name_of

__all__ = ["NotDurable", "ShareResult", "clean_part", "copy_to_share", "file_name_of", "sweep_drafts", "write_all"]

DRAFT_AGE = timedelta(hours=24)
_DRAFT = ".draft-"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})
_MOST_OPEN = 256
_SYNCERS = 8
_MOST_NAMESAKES = 1000


class NotDurable(Exception):
    """The system could not promise that bytes are on disk. Fatal: asking again may get a yes that is not true."""


@dataclass(frozen=True, slots=True)
class ShareResult:
    """How a copy to the share went: where it is below the root (its name may carry a number), or what went wrong."""

    path: str = ""
    error: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the copy is there."""
        return not self.error


def write_all(folder: Path, items: Sequence[tuple[str, bytes]]) -> None:
    """Write files that are whole and synced, names included, when this returns; none is ever overwritten.

    `folder` is made when it is missing. Raises FileExistsError for a name that is taken, OSError for a disk that is
    full (both leave nothing new behind), ValueError for a name that is a path, NotDurable when syncing fails.
    """
    for name, _ in items:
        _require_name(name)
    _make_folder(folder)
    with _closing(os.open(folder, _FOLDER)) as place:
        for start in range(0, len(items), _MOST_OPEN):
            _write_group(place, items[start : start + _MOST_OPEN])


def sweep_drafts(folder: Path, now: float, older_than: timedelta = DRAFT_AGE) -> int:
    """Remove drafts below `folder` that a killed process left behind; `now` is seconds since 1970. Returns how many."""
    count = 0
    for path in folder.rglob(f"{_DRAFT}*"):
        with suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink() and now - path.lstat().st_mtime >= older_than.total_seconds():
                path.unlink()
                count += 1
    return count


def copy_to_share(root: Path, relative: str, raw: bytes) -> ShareResult:
    """Copy one stored mail to `relative` below a shared folder. Never raises for the share's trouble.

    A name that is taken by other bytes gets a number; by the same bytes, the copy is there already. `root` itself is
    never made: where it is missing, the share is not mounted, and a folder of ours in its place would swallow copies.
    A share that hangs in the kernel keeps its caller waiting: call this where nobody waits.
    """
    path = PurePosixPath(relative)
    try:
        for part in path.parts:
            _require_name(part)
        if not root.is_dir():
            return ShareResult(error="the share is not there")
        with _opened_below(root, path.parts[:-1]) as place:
            return ShareResult(str(path.parent / _write_beside_others(place, path.name, raw)))
    except (OSError, NotDurable, ValueError) as error:
        return ShareResult(error=str(getattr(error, "strerror", None) or error)[:200])


def _write_beside_others(place: int, name: str, raw: bytes) -> str:
    stem, dot, suffix = name.rpartition(".")
    for count in range(1, _MOST_NAMESAKES):
        candidate = name if count == 1 else f"{stem}-{count}{dot}{suffix}"
        try:
            _write_group(place, [(candidate, raw)], mode=0o664)
        except FileExistsError:
            if _holds(place, candidate, raw):
                return candidate
        else:
            return candidate
    raise FileExistsError(f"{_MOST_NAMESAKES} files of this name")


def _holds(place: int, name: str, raw: bytes) -> bool:
    found = os.stat(name, dir_fd=place, follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode) or found.st_size != len(raw):
        return False
    with open(os.open(name, _OLD, dir_fd=place), "rb") as file:
        return file.read() == raw


def _require_name(name: str) -> None:
    """Refuse whatever is not the plain name of a file: a path, a step upwards, a draft's name."""
    if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name or name.startswith(_DRAFT):
        raise ValueError(f"not the name of a file: {name!r}"[:200])


def _make_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it, and sync each new name into its parent."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    with _closing(os.open(folder.parent, _FOLDER)) as parent:
        _sync(parent)


@contextmanager
def _opened_below(root: Path, parts: Sequence[str]) -> Iterator[int]:
    """Open a folder below `root`, made where it is missing, without following a link on the way."""
    with ExitStack() as opened:
        place = opened.enter_context(_closing(os.open(root, _FOLDER & ~os.O_NOFOLLOW)))
        for part in parts:
            with suppress(FileExistsError):
                os.mkdir(part, mode=0o775, dir_fd=place)
            place = opened.enter_context(_closing(os.open(part, _FOLDER, dir_fd=place)))
        yield place


def _write_group(place: int, items: Sequence[tuple[str, bytes]], mode: int = 0o600) -> None:
    token = secrets.token_hex(8)
    drafts = [f"{_DRAFT}{token}-{position}" for position in range(len(items))]
    named: list[str] = []
    is_whole = False
    try:
        _write_drafts(place, drafts, [raw for _, raw in items], mode)
        for draft, (name, _) in zip(drafts, items, strict=True):
            _give_name(place, draft, name)
            named.append(name)
        is_whole = True
    finally:
        _remove(place, drafts if is_whole else [*named, *drafts])
    _sync(place)


def _write_drafts(place: int, drafts: Sequence[str], contents: Sequence[bytes], mode: int) -> None:
    """Write all, then bring all of them to the disk together."""
    files: list[int] = []
    try:
        for draft, raw in zip(drafts, contents, strict=True):
            files.append(os.open(draft, _NEW, mode, dir_fd=place))
            rest = memoryview(raw)
            while rest:
                rest = rest[os.write(files[-1], rest) :]
        _sync_together(files)
    finally:
        for file in files:
            os.close(file)


def _give_name(place: int, draft: str, name: str) -> None:
    """Name a draft by a link, because renaming would silently replace a file that is there."""
    try:
        os.link(draft, name, src_dir_fd=place, dst_dir_fd=place, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A share without links. Nobody but us writes there, or it would not be a folder of copies.
        with suppress(FileNotFoundError):
            os.stat(name, dir_fd=place, follow_symlinks=False)
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name) from None
        os.rename(draft, name, src_dir_fd=place, dst_dir_fd=place)


def _remove(place: int, names: Sequence[str]) -> None:
    for name in names:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=place)


def _sync_together(files: Sequence[int]) -> None:
    """Sync every file once, several at a time: they share the journal's commits and the disk's flushes.

    One by one each file waits for a flush of its own; on a busy disk that takes ten times as long.
    """
    if len(files) < _SYNCERS:
        _sync_share(files)
        return
    shares = [files[first::_SYNCERS] for first in range(_SYNCERS)]
    syncs = [_syncers(os.getpid()).submit(_sync_share, share) for share in shares]
    # No file is closed before its sync has ended, whatever became of the others.
    wait(syncs)
    for sync in syncs:
        sync.result()


def _sync_share(files: Sequence[int]) -> None:
    for file in files:
        # Linux begins to write at once what is said not to be needed any more; it promises nothing.
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    for file in files:
        _sync(file)


@lru_cache(maxsize=1)
def _syncers(process: int) -> ThreadPoolExecutor:
    """Threads of this very process: a child made by fork has none of its parent's."""
    return ThreadPoolExecutor(_SYNCERS, thread_name_prefix="mail-sync")


def _sync(file: int) -> None:
    try:
        os.fsync(file)
    except OSError as error:
        raise NotDurable(f"syncing failed: {error.strerror}") from error


@contextmanager
def _closing(file: int) -> Iterator[int]:
    try:
        yield file
    finally:
        os.close(file)
