"""Our own error mails under tests/samples/bounces: mail.eml, what it must be read as, and why it is there."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fumibako.mime.bounce import Failure

FOLDER = Path(__file__).resolve().parents[2] / "samples" / "bounces"


@dataclass(frozen=True)
class Sample:
    """One mail and what is expected of it."""

    name: str
    raw: bytes
    kind: str
    message_id: str
    recipients: list[dict[str, Any]]
    about: str


def samples() -> list[Sample]:
    """Every sample, by name."""
    return [sample(folder.name) for folder in sorted(FOLDER.iterdir()) if folder.is_dir()]


def sample(name: str) -> Sample:
    """One sample."""
    folder = FOLDER / name
    expected = tomllib.loads((folder / "expected.toml").read_text("utf-8"))
    return Sample(
        name,
        (folder / "mail.eml").read_bytes(),
        expected["kind"],
        expected.get("message_id", ""),
        expected.get("recipient", []),
        (folder / "about.md").read_text("utf-8"),
    )


def as_expected(failure: Failure) -> dict[str, Any]:
    """A failure in the form of expected.toml, which has no word for "unknown"."""
    told = {
        name: getattr(failure, name) for name in ("address", "action", "permanent", "hard", "reason", "status", "code")
    }
    return {name: value for name, value in told.items() if value is not None}
