"""Typed text made ready before it is judged: full-width letters, blanks, 「20」 for 20:00, 「mail.example.jp:995」."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

from fumibako.mime.addresses import tidy

from .fields import FIELDS, Field

HOST_AND_PORT = re.compile(r"([^:\s/]+):(\d{1,5})")
SCHEME = re.compile(r"^[a-z0-9+]+://", re.IGNORECASE)
SEPARATORS = re.compile(r"[,;、，；\s]+")
CLOCK = re.compile(r"(\d{1,2})(?::?(\d{2}))?")
TRUE_WORDS = ("1", "true", "on", "yes")


@dataclass(frozen=True, slots=True)
class Normalised:
    """`values` as they will be judged; `corrected` names the fields whose text was put right, to be told."""

    values: dict[str, Any]
    corrected: tuple[str, ...]


def normalise(values: Mapping[str, Any]) -> Normalised:
    """Tidy every known value. What cannot be read stays as it was typed, for `check` to name it."""
    tidied = dict(values)
    for name, field in FIELDS.items():
        if name in values:
            tidied[name] = _tidy_value(name, field, values[name])
    for host, port in (("pop_host", "pop_port"), ("smtp_host", "smtp_port")):
        found = HOST_AND_PORT.fullmatch(str(tidied.get(host) or ""))
        if found:
            tidied[host], tidied[port] = found[1], int(found[2])
    if "store_path" in tidied:
        tidied["store_path"] = _tidy_path(str(tidied["store_path"] or ""))
    corrected = [name for name in tidied if name in values and _is_correction(values[name], tidied[name])]
    return Normalised(tidied, tuple(corrected))


def _tidy_value(name: str, field: Field, value: Any) -> Any:
    match field.kind:
        case "flag":
            return value if isinstance(value, bool) else str(value).strip().lower() in TRUE_WORDS
        case "port" | "whole":
            return _tidy_number(value, field)
        case "time":
            return _tidy_time(value)
        case "choice":
            return _tidy_choice(value, field)
        case _:
            return _tidy_text(name, field, "" if value is None else str(value))


def _tidy_text(name: str, field: Field, text: str) -> str:
    match field.kind:
        case "host":
            return SCHEME.sub("", _half_width(text)).rstrip("/.")
        case "address":
            return tidy(text)
        case "addresses":
            return ", ".join(tidy(part) for part in SEPARATORS.split(_half_width(text)) if part)
    if name in ("password", "signature"):
        return text.replace("\r\n", "\n")
    if name == "user_id":
        return _half_width(text)
    return " ".join(text.split()) if name in ("name", "from_name") else text.strip()


def _tidy_number(value: Any, field: Field) -> Any:
    if value is None or isinstance(value, int):
        return value
    text = re.sub(r"[,\s]", "", _half_width(str(value)))
    if not text:
        return None if field.is_optional else ("" if field.kind == "port" else field.first)
    digits = re.fullmatch(r"(\d{1,10})(?:番|件|秒|通|本)?", text)
    return int(digits[1]) if digits else value


def _tidy_time(value: Any) -> Any:
    if value is None or isinstance(value, time):
        return value
    text = _half_width(str(value)).replace("時", ":").rstrip(":分")
    if not text:
        return None
    found = CLOCK.fullmatch(text)
    if not found or int(found[1]) > 23 or int(found[2] or 0) > 59:
        return value
    return time(int(found[1]), int(found[2] or 0))


def _tidy_choice(value: Any, field: Field) -> Any:
    if isinstance(field.first, int) and str(value).strip() in field.choices:
        return int(str(value))
    if field.first is None:
        return int(value) if str(value or "").isdecimal() else None
    return value


def _tidy_path(text: str) -> str:
    return _half_width(text).replace("\\", "/").removesuffix("/")


def _half_width(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _is_correction(typed: Any, tidied: Any) -> bool:
    # Only what a person would notice: other letters, not blanks at the ends or a number that became one.
    return (
        isinstance(typed, str)
        and isinstance(tidied, str | int)
        and typed.strip() != str(tidied)
        and bool(typed.strip())
    )
