"""The child process that reads mails: one request per line on stdin, one line of JSON back for each, in order.

`python -m fumibako.apps.inbox.reader.child`. It limits itself before it reads anything: memory, processor time for each
mail, no files written. What it cannot bear ends it, and the parent knows by which mail.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Any, BinaryIO, Final

from fumibako.mime.bounce import recognise
from fumibako.mime.read import read

from .facts import facts_of

MEMORY: Final = 512 * 1024 * 1024
"""Of address space: the interpreter and its libraries take about 60 MiB of it."""
SECONDS: Final = 5
LARGEST: Final = 64 * 1024 * 1024
HTML_CHARACTERS: Final = 2_000_000
HEADER_OCTETS: Final = 256 * 1024

Reply = tuple[dict[str, Any], bytes]


def main() -> None:
    """Answer until stdin ends."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    _limit_memory()
    _say(sink, {"ready": True}, b"")
    while line := source.readline():
        _limit_time()
        try:
            told, raw = _answer(json.loads(line), source)
        except MemoryError:
            # What is left of this process is not to be trusted with another mail.
            _say(sink, {"failed": "memory"}, b"")
            return
        _say(sink, told, raw)


def _answer(request: dict[str, Any], source: BinaryIO) -> Reply:
    try:
        raw = source.read(request["length"]) if request["length"] else _file(request["path"])
    except OSError as trouble:
        return {"failed": "file", "text": str(trouble.errno)}, b""
    if len(raw) > LARGEST:
        return {"failed": "size"}, b""
    match request["do"]:
        case "attachment":
            return _attachment(raw, int(request["position"]))
        case "kind":
            return {"facts": {"kind": str(recognise(raw).kind)}}, b""
        case "page":
            return {"html": read(raw, request["charset"]).html[:HTML_CHARACTERS]}, b""
        case _:
            return {"facts": facts_of(raw, request["charset"])}, b""


def _file(path: str) -> bytes:
    with open(path, "rb") as file:
        # Asked for the limit at once, it would take that much memory for the smallest mail.
        return file.read(min(os.fstat(file.fileno()).st_size, LARGEST) + 1)


def _attachment(raw: bytes, position: int) -> Reply:
    attachments = read(raw).attachments
    if not 0 <= position < len(attachments):
        return {"failed": "position"}, b""
    content = attachments[position].raw()
    return {"length": len(content)}, content


def _say(sink: BinaryIO, told: dict[str, Any], raw: bytes) -> None:
    # Half of a character is no UTF-8, but what was told is told.
    sink.write(json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n" + raw)
    sink.flush()


def _limit_memory() -> None:
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 16),
    ):
        _, hard = resource.getrlimit(what)
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (most, most))


def _limit_time() -> None:
    """Five more seconds of processor time from here; beyond them the kernel ends the process."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(spent.ru_utime + spent.ru_stime) + SECONDS + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


if __name__ == "__main__":
    main()
