"""Logs: one JSON object per line, ids and stable words only. Bodies, addresses, names and secrets cannot get in.

What is not a number or a short plain word is replaced, so a mistake at the caller leaks nothing.
"""

from __future__ import annotations

import fcntl
import json
import logging
import logging.handlers
import os
import re
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

PLAIN = re.compile(r"[\w.:/ +-]{0,120}", re.ASCII)
HIDDEN = "(hidden)"
FILE_BYTES = 5_000_000
FILE_COUNT = 5
LINE_BYTES = 2048
FRAMES = 12
QUIET = ("django", "waitress", "asyncio")
"""Libraries that put requests, statements or addresses into their messages: only their warnings, without the text."""


def set_up(name: str, folder: Path, *, to_terminal: bool = False) -> None:
    """Log to `folder`/`name`.log, rotated by size; with `to_terminal` also to the terminal's error stream."""
    file = SharedFile(folder / f"{name}.log", maxBytes=FILE_BYTES, backupCount=FILE_COUNT, encoding="utf-8")
    handlers: list[logging.Handler] = [file]
    if to_terminal:
        handlers.append(logging.StreamHandler(sys.stderr))
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_log_level, _only_where],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _line,
        ],
    )
    root = logging.getLogger()
    root.handlers[:] = handlers
    root.setLevel(logging.INFO)
    for handler in handlers:
        handler.setFormatter(formatter)
    for library in QUIET:
        logging.getLogger(library).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            ids_only,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


class SharedFile(logging.handlers.RotatingFileHandler):
    """A log file that several processes write to: one of them turns it over, the others follow (D16)."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write to the file that has the name now."""
        if self.stream is not None and not self._is_current():
            self.stream.close()
            self.stream = self._open()
        super().emit(record)

    def doRollover(self) -> None:  # noqa: N802  # the library's name
        """Turn over, unless another process has done so while we waited."""
        with open(f"{self.baseFilename}.lock", "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._is_current():
                super().doRollover()

    def _descriptor(self) -> int:
        return self.stream.fileno() if self.stream is not None else -1

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._descriptor()), os.stat(self.baseFilename))
        except OSError:
            return False


def _line(logger: object, method: str, event: MutableMapping[str, Any]) -> str:
    """Write an entry as one line that stays readable: beyond the limit only what happened is told."""
    line = json.dumps(dict(event), ensure_ascii=False, default=str)
    if len(line.encode()) <= LINE_BYTES:
        return line
    told = {name: str(event.get(name, "")) for name in ("event", "level", "timestamp")}
    kept = {name: text for name, text in told.items() if len(text) < LINE_BYTES // 8}
    return json.dumps(kept | {"cut": True}, ensure_ascii=False)


def ids_only(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep numbers and short plain words; of an error keep its kind and where it happened, never what it said."""
    error = event.pop("error", None)
    safe = {key: _safe(value) for key, value in event.items()}
    if isinstance(error, BaseException):
        safe["error"] = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
        safe["where"] = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
    return safe


def _only_where(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    record = event["_record"]
    event["event"] = "library"
    event["logger"] = record.name
    event["where"] = f"{record.module}:{record.lineno}"
    if record.exc_info and record.exc_info[1] is not None:
        event["error"] = type(record.exc_info[1]).__name__
    event.pop("exc_info", None)
    return event


def _safe(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = str(value)
    return text if PLAIN.fullmatch(text) else HIDDEN
