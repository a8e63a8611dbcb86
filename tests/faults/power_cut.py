"""What a disk may hold after a power cut at any moment, rebuilt from the system calls of a real process.

A log of one thread (`strace -y -xx -s 1000000`, the calls in TRACED) is replayed onto a disk that keeps for every file
what was synced and what was only written. `images` then makes disks as a cut would leave them: nothing of what was not
synced, all of it, or any of it, down to single sectors of 512 bytes; names that were given in a folder that was not
synced may be there or not. The index of a write-ahead log is written through memory, which no log of calls shows: after
a cut it may be missing, old, or anything.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

TRACED = "openat,pwrite64,write,ftruncate,fdatasync,fsync,unlink,unlinkat,rename,renameat,renameat2,link,linkat,sendto"
OPTIONS = ("-y", "-xx", "-s", "1000000", "-e", f"trace={TRACED}")
SECTOR = 512
INDEX = "-shm"

Fate = Literal["nothing", "everything", "anything"]
FATES: tuple[Fate, ...] = ("nothing", "everything", "anything", "anything")

CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)(?:<([^>]*)>)?")
FD = re.compile(r"^(\d+|AT_FDCWD)<([^>]*)>")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True)
class Call:
    """One system call that succeeded: its name, the paths and bytes among its arguments, its numbers, its result."""

    name: str
    paths: tuple[str, ...]
    raw: bytes
    numbers: tuple[int, ...]
    result: int
    flags: str


def calls(log: Path) -> list[Call]:
    """Read a log."""
    found = []
    for line in log.read_text("utf-8", "replace").splitlines():
        match = CALL.match(line)
        if match and int(match.group(3)) >= 0:
            found.append(_call(match.group(1), match.group(2), int(match.group(3)), match.group(4) or ""))
    return found


def _call(name: str, arguments: str, result: int, opened: str) -> Call:
    texts = [bytes.fromhex(text.replace("\\x", "")) for text in TEXT.findall(arguments)]
    folders = [path for _, path in re.findall(r"(\d+|AT_FDCWD)<([^>]*)>", arguments)]
    rest = TEXT.sub("", arguments)
    numbers = tuple(int(number) for number in re.findall(r"(?<=, )\d+(?=,|$)", rest))
    if name in ("pwrite64", "write", "ftruncate", "fdatasync", "fsync", "sendto"):
        return Call(name, tuple(map(_plain, folders[:1])), texts[0] if texts else b"", numbers, result, rest)
    names = [text.decode("utf-8", "replace") for text in texts]
    bases = [_plain(folder) for folder in folders] or [""]
    paths = [
        path if path.startswith("/") else f"{bases[min(n, len(bases) - 1)]}/{path}" for n, path in enumerate(names)
    ]
    if opened:
        paths = [_plain(opened)]
    return Call(name, tuple(paths), b"", numbers, result, rest)


def _plain(path: str) -> str:
    decoded = re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match.group(1), 16)), path)
    return decoded.encode("latin-1", "replace").decode("utf-8", "replace") if decoded != path else path


@dataclass
class _File:
    synced: bytes = b""
    written: list[tuple[str, int, bytes]] = field(default_factory=list)
    """("write", offset, bytes) and ("cut", length, b"") since the last sync."""
    position: int = 0

    def after(self, fate: Fate, chance: random.Random) -> bytes:
        content = bytearray(self.synced)
        for what, at, raw in self.written:
            if what == "cut":
                if fate == "everything" or (fate == "anything" and chance.random() < 0.5):
                    del content[at:]
                    content.extend(bytes(at - len(content)))
                continue
            for start in range(0, len(raw), SECTOR):
                if fate == "everything" or (fate == "anything" and chance.random() < 0.5):
                    _put(content, at + start, raw[start : start + SECTOR])
        return bytes(content)

    def sync(self) -> None:
        self.synced = self.after("everything", random.Random(0))
        self.written.clear()


def _put(content: bytearray, at: int, raw: bytes) -> None:
    content.extend(bytes(max(0, at - len(content))))
    content[at : at + len(raw)] = raw


class Disk:
    """Files below `root`: as they are known to be on disk, and what was done to them since."""

    def __init__(self, root: Path, kept: dict[str, bytes]) -> None:
        self._root = str(root)
        self._files = {path: _File(content) for path, content in kept.items()}
        self._names: dict[str, _File | None] = dict(self._files)
        """Durable names."""
        self._renamed: list[tuple[str, _File | None]] = []
        """(path, the file it now names or None) since the folder was last synced."""

    def apply(self, call: Call) -> None:
        """Let one call happen."""
        if not call.paths or not all(path.startswith(self._root) for path in call.paths):
            return
        path = call.paths[0]
        handler = getattr(self, f"_on_{call.name}", None)
        if handler is not None:
            handler(path, call)

    @property
    def is_all_synced(self) -> bool:
        """True when a cut now would lose nothing."""
        return not self._renamed and not any(file.written for file in self._files.values())

    def image(self, fate: Fate, chance: random.Random) -> dict[str, bytes]:
        """One disk as a cut at this moment may leave it."""
        names = dict(self._names)
        count = {"nothing": 0, "everything": len(self._renamed)}.get(fate, chance.randint(0, len(self._renamed)))
        for path, file in self._renamed[:count]:
            names[path] = file
        found = {path: file.after(fate, chance) for path, file in names.items() if file is not None}
        for path in [path for path in found if path.endswith(INDEX) and fate != "everything"]:
            if fate == "nothing":
                del found[path]
            else:
                found[path] = chance.randbytes(len(found[path]))
        return found

    def _on_openat(self, path: str, call: Call) -> None:
        if "O_CREAT" in call.flags and path not in self._files:
            self._name(path, _File())
        if path in self._files:
            self._files[path].position = 0
            if "O_TRUNC" in call.flags:
                self._files[path].written.append(("cut", 0, b""))

    def _on_pwrite64(self, path: str, call: Call) -> None:
        if path in self._files:
            self._files[path].written.append(("write", call.numbers[-1], call.raw[: call.result]))

    def _on_write(self, path: str, call: Call) -> None:
        if path in self._files:
            file = self._files[path]
            file.written.append(("write", file.position, call.raw[: call.result]))
            file.position += call.result

    def _on_ftruncate(self, path: str, call: Call) -> None:
        if path in self._files:
            self._files[path].written.append(("cut", call.numbers[-1], b""))

    def _on_fdatasync(self, path: str, call: Call) -> None:
        if path in self._files:
            self._files[path].sync()
            return
        # A folder: the names in it are durable from now on.
        for name, file in self._renamed:
            if name.rpartition("/")[0] == path:
                self._names[name] = file
        self._renamed = [(name, file) for name, file in self._renamed if name.rpartition("/")[0] != path]

    _on_fsync = _on_fdatasync

    def _on_unlink(self, path: str, call: Call) -> None:
        if path in self._files:
            del self._files[path]
            self._renamed.append((path, None))

    _on_unlinkat = _on_unlink

    def _on_rename(self, path: str, call: Call) -> None:
        if path in self._files:
            file = self._files.pop(path)
            self._name(call.paths[1], file)
            self._renamed.append((path, None))

    _on_renameat = _on_renameat2 = _on_rename

    def _on_linkat(self, path: str, call: Call) -> None:
        if path in self._files:
            self._name(call.paths[1], self._files[path])

    _on_link = _on_linkat

    def _name(self, path: str, file: _File) -> None:
        self._files[path] = file
        self._renamed.append((path, file))


def images(disk: Disk, log: list[Call], seed: int, every: int = 1) -> Iterator[tuple[int, dict[str, bytes]]]:
    """Replay a log; yield (how many calls were made, a disk after a cut there) for every moment, or each `every`-th."""
    chance = random.Random(seed)
    number = 0
    for count, call in enumerate(log, start=1):
        disk.apply(call)
        for fate in FATES[:1] if disk.is_all_synced else FATES:
            number += 1
            if number % every == 0:
                yield count, disk.image(fate, chance)


def lay_down(image: dict[str, bytes], root: Path, place: Path) -> None:
    """Write an image of `root` into the empty folder `place`."""
    for path, content in image.items():
        target = place / Path(path).relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
