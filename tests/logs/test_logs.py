"""Nothing but ids and plain words reaches a log file."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from fumibako import logs

SECRET = "山田 花子 hanako@example.com パスワード"


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Any]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.set_up("worker", tmp_path)
    yield lambda: [json.loads(line) for line in (tmp_path / "worker.log").read_text("utf-8").splitlines()]
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_ids_and_stable_words_are_written(written: Any) -> None:
    structlog.get_logger("x").info("mail", delivery=7, state="sent", code=250)
    (line,) = written()
    assert (line["event"], line["delivery"], line["state"], line["code"], line["level"]) == (
        "mail",
        7,
        "sent",
        250,
        "info",
    )


@pytest.mark.parametrize("value", [SECRET, "a@example.jp", "x" * 500, ["a@example.jp"], {"to": "a@example.jp"}])
def test_anything_else_is_hidden_even_when_somebody_logs_it_by_mistake(written: Any, value: object) -> None:
    structlog.get_logger("x").info("mail", oops=value)
    (line,) = written()
    assert line["oops"] == logs.HIDDEN


def test_of_an_error_only_its_kind_and_place_are_kept(written: Any) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        structlog.get_logger("x").error("attempt_failed", error=error)
    (line,) = written()
    assert line["error"] == "ValueError"
    assert line["where"][0].startswith("test_logs.py:")
    assert SECRET not in json.dumps(line, ensure_ascii=False)


def test_what_libraries_say_is_kept_without_its_words(written: Any) -> None:
    logging.getLogger("django.request").warning("Not Found: /people?q=%s", SECRET)
    (line,) = written()
    assert (line["event"], line["logger"]) == ("library", "django.request")
    assert SECRET not in json.dumps(line, ensure_ascii=False)
